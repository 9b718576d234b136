"""Merging a pupil entered twice: what goes where, who is refused, and that nothing is lost or shown elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.passport.models import PassportIssue
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Student
from cpro.transfers.models import Direction, TransferState
from cpro.users.models import Account
from tests.factories import NOW, PASSWORD, World, make_account, make_student, make_transfer, make_transfer_side
from tests.helpers.browser import Browser
from tests.helpers.days import today
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def administrator(app: Flask, as_: As, world: World) -> Browser:
    """Return the administrator of a school that does not use SIECLE."""
    set_school(app, world.a.id, uses_siecle=False)
    return as_("administrator")


@pytest.fixture
def twin(world: World, arrange: Look) -> int:
    """Add a second row of school A's pupil, with one record of each kind, a passport, an INE and an account."""
    with arrange() as session:
        session.add(account := make_account(world.a.id, Role.STUDENT, login="noe.agate2"))
        session.flush()
        student = make_student(
            world.a.id, last_name="Secret-alpha", ine="0123456789A", account_id=account.id, local_id="42"
        )
        session.add(student)
        session.flush()
        add_records(session, world, student.id, author_id=account.id)
        session.add(
            PassportIssue(
                establishment_id=world.a.id,
                student_id=student.id,
                code="CODE",
                school_name="Lycée",
                school_uai="",
                issued_at=NOW,
                page_count=3,
                entry_count=3,
                sha256="0" * 64,
            )
        )
        return student.id


def add_records(session: Session, world: World, student_id: int, *, author_id: int, uid: str = "") -> None:
    written = {
        "establishment_id": world.a.id,
        "student_id": student_id,
        "author_id": author_id,
        "author_label": "Noé AGATE",
        "created_at": NOW,
        "changed_at": NOW,
    }
    uid = uid or f"fiche-{student_id}"
    days = {"starts_on": date(2026, 9, 7), "ends_on": date(2026, 9, 8)}
    fiche = Fiche(**written, **days, origin_uid=uid, title="Pose", place=Place.SCHOOL, state=FicheState.SUBMITTED)
    session.add(fiche)
    session.flush()
    evaluation = Evaluation(
        **written,
        origin_uid=f"evaluation-{uid}",
        diploma_code="40025520",
        diploma_label="Bac pro MELEC",
        competence_code="C1",
        competence_label="Analyser",
        level=3,
        evaluated_on=date(2026, 9, 9),
        fiche_uid=uid,
    )
    session.add_all([evaluation, Bilan(**written, **days, origin_uid=f"bilan-{uid}", body="<p>Bien.</p>")])


def address(kept: int, other: int) -> str:
    return f"/admin/eleves/{kept}/doublon/{other}"


def merge(browser: Browser, kept: int, other: int, **typed: str) -> int:
    """Post the page as it stands, with one's own password; return the status."""
    values = browser.form(address(kept, other))
    return browser.post(address(kept, other), values | {"current_password": PASSWORD} | typed).status_code


class TestMerge:
    def test_merge_moves_what_one_row_holds_and_empties_it(
        self, app: Flask, administrator: Browser, world: World, platform: Look, twin: int
    ) -> None:
        kept = world.a.student_id
        choice = administrator.get(f"/admin/eleves/{kept}/doublon").text
        assert address(kept, twin) in choice
        page = Page(administrator.get(address(kept, twin)))
        assert "1 fiche, 1 évaluation, 1 bilan, 1 passeport émis" in page.text
        assert "Cela ne s’annule pas" in page.text

        with watching(app) as watch:
            assert merge(administrator, kept, twin) == 303

        with platform() as session:
            for model in (Fiche, Evaluation, Bilan, PassportIssue):
                assert session.scalars(select(model.student_id)).all() == [kept]
            assert session.scalars(select(Evaluation.fiche_uid)).all() == [f"fiche-{twin}"]
            one, other = session.get_one(Student, kept), session.get_one(Student, twin)
            assert (one.ine, one.local_id, one.is_active) == ("0123456789A", "42", True)
            assert (other.ine, other.local_id, other.is_active) == (None, None, False)
            assert other.merged_into_id == kept
        merged = [line for line in watch.lines if line["action"] == "student:merged"]
        assert len(merged) == 1
        assert {name: new for name, (_old, new) in merged[0]["changes"].items() if name != "duplicate"} == {
            "fiches": 1,
            "evaluations": 1,
            "bilans": 1,
            "passports": 1,
            "ine": "0123456789A",
        }

    def test_merge_unlinks_the_account_of_the_other_row(
        self, administrator: Browser, world: World, platform: Look, twin: int
    ) -> None:
        assert merge(administrator, world.a.student_id, twin) == 303

        with platform() as session:
            account = session.scalars(select(Account).where(Account.login == "noe.agate2")).one()
            assert account.is_active  # it is linked to the row that is kept afterwards, by a person
            assert session.scalars(select(Student.id).where(Student.account_id == account.id)).all() == []

    def test_merge_closes_the_account_of_the_other_row_and_its_holder_goes_on_with_the_kept_one(
        self, administrator: Browser, world: World, arrange: Look, platform: Look, twin: int
    ) -> None:
        kept_account = world.a.account_ids["student"]
        with arrange() as session:
            session.get_one(Student, world.a.student_id).account_id = kept_account

        assert merge(administrator, world.a.student_id, twin) == 303

        with platform() as session:
            assert session.get_one(Student, world.a.student_id).account_id == kept_account
            assert not session.scalars(select(Account).where(Account.login == "noe.agate2")).one().is_active
            assert session.scalars(select(Fiche.author_id)).all() == [kept_account]

    def test_merge_asks_for_the_password_of_whoever_takes_an_account_away(
        self, app: Flask, administrator: Browser, world: World, twin: int
    ) -> None:
        for typed in ("", "Faux-mot-de-passe-1"):
            values = administrator.form(address(world.a.student_id, twin)) | {"current_password": typed}
            with nothing_written(app):
                assert administrator.post(address(world.a.student_id, twin), values).status_code == 422

    def test_merge_makes_a_departed_row_present_when_the_other_is(
        self, administrator: Browser, world: World, arrange: Look, platform: Look, twin: int
    ) -> None:
        with arrange() as session:
            student = session.get_one(Student, world.a.student_id)
            student.is_active, student.departed_on = False, date(2026, 9, 1)

        assert merge(administrator, world.a.student_id, twin) == 303

        with platform() as session:
            student = session.get_one(Student, world.a.student_id)
            assert (student.is_active, student.departed_on) == (True, None)


class TestMergeRefused:
    @pytest.mark.parametrize(
        ("spoil", "sentence"),
        [
            ("ine", "deux personnes"),
            ("pending", "attend une réponse"),
            ("pending of the kept", "attend une réponse"),
            ("done", "gardez plutôt celle-là"),
            ("done of both", "elles restent deux"),
            ("copies", "même donnée"),
            ("merged", "était un doublon"),
        ],
    )
    def test_merge_refuses_what_cannot_be_and_writes_nothing(
        self, app: Flask, administrator: Browser, world: World, arrange: Look, twin: int, spoil: str, sentence: str
    ) -> None:
        kept = world.a.student_id
        with arrange() as session:
            _spoil(session, world, spoil, kept, twin)
        page = administrator.get(address(kept, twin))

        with nothing_written(app):
            answer = administrator.post(address(kept, twin), {"current_password": PASSWORD})

        assert [page.status_code, answer.status_code] == [403 if spoil == "merged" else 409] * 2
        assert sentence in Page(answer).text
        assert sentence in Page(page).text
        for shown in (answer, page):
            assert (address(twin, kept) in Page(shown).links) is (spoil == "done"), "only where it would be accepted"
            assert ("/admin/imports" in Page(shown).links) is (spoil == "ine")
            assert not any(word in Page(shown).text for word in ("Fiche gardée", "préférence", "propose de garder"))

    def test_merge_refuses_one_row_with_itself(self, app: Flask, administrator: Browser, world: World) -> None:
        with nothing_written(app):
            answer = administrator.post(address(world.a.student_id, world.a.student_id))

        assert answer.status_code == 409

    def test_merge_another_schools_pupil_does_not_exist(
        self, app: Flask, administrator: Browser, world: World, twin: int
    ) -> None:
        pages = (address(world.b.student_id, twin), address(twin, world.b.student_id))
        for page in pages:
            with nothing_written(app):
                answers = [administrator.get(page), administrator.post(page, {"current_password": PASSWORD})]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert all("beta" not in answer.text.lower() for answer in answers)
        assert administrator.get(f"/admin/eleves/{world.b.student_id}/doublon").status_code == 404
        found = administrator.get(f"/admin/eleves/{twin}/doublon?recherche=secret").text
        assert "beta" not in found.lower()

    def test_merge_leaves_no_pupil_in_lists_figures_and_files(
        self, app: Flask, administrator: Browser, as_: As, world: World, twin: int, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id, last_name="Zirconite", is_active=False, departed_on=today()))
        before = len(administrator.get("/admin/eleves/export/csv/").text.splitlines())
        merge(administrator, world.a.student_id, twin)

        row = f"/admin/eleves/details/?id={twin}"
        for narrowed in ("", "situation=partis", "recherche=secret", "situation=inconnue"):
            assert row not in administrator.get(f"/admin/eleves/?{narrowed}").text
        assert row in administrator.get("/admin/eleves/?situation=doublons").text
        assert len(administrator.get("/admin/eleves/export/csv/").text.splitlines()) == before - 1
        assert "réuni à une autre" not in administrator.get("/admin/eleves/export/papier/").text
        assert "réuni à une autre" in administrator.get("/admin/eleves/export/csv/?situation=doublons").text
        assert f"id={twin}" not in " ".join(
            Page(administrator.get(f"/admin/eleves/details/?id={world.a.student_id}")).links
        )
        assert "1 élève parti depuis juillet" in administrator.get("/admin/rentree").text
        found = as_("head").get("/eleves?situation=tous&recherche=secret").text
        assert f"/eleves/{world.a.student_id}" in found
        assert f"/eleves/{twin}" not in found
        assert f"/eleves/{twin}" not in as_("head").get("/eleves?situation=partis").text

    @pytest.mark.parametrize("action", ["open-accounts", "sheets", "depart", "division", "course"])
    def test_merge_leaves_a_row_on_which_no_action_on_several_pupils_acts(
        self, app: Flask, administrator: Browser, world: World, twin: int, action: str
    ) -> None:
        merge(administrator, world.a.student_id, twin)

        with nothing_written(app):
            answer = administrator.post(
                "/admin/eleves/action/", {"action": action, "rowid": str(twin)}, follow_redirects=True
            )
        assert "c’est l’autre qui se corrige" in answer.text

    def test_merge_leaves_a_row_that_is_corrected_no_more_and_leads_to_the_other(
        self, app: Flask, administrator: Browser, world: World, twin: int
    ) -> None:
        merge(administrator, world.a.student_id, twin)
        details = administrator.get(f"/admin/eleves/details/?id={twin}").text

        assert "doublon, réuni à une autre fiche" in details
        assert "a quitté l’établissement" not in details
        assert f"/admin/eleves/details/?id={world.a.student_id}" in details
        with nothing_written(app):
            assert administrator.post(f"/admin/eleves/retour?ids={twin}").status_code in (303, 409)
            assert administrator.post(f"/admin/eleves/edit/?id={twin}", {"last_name": "Autre"}).status_code == 403
        assert "fiche n°" not in administrator.get(f"/admin/eleves/{world.a.student_id}/doublon").text


def _spoil(session: Session, world: World, what: str, kept: int, other: int) -> None:
    """Make two rows that cannot be merged."""
    if what == "ine":
        session.get_one(Student, kept).ine = "9876543210B"
    elif what == "copies":
        for student_id in (kept, other):
            add_records(session, world, student_id, author_id=world.a.account_ids["teacher"], uid="une")
    elif what == "merged":
        session.get_one(Student, other).merged_into_id = kept
    else:
        state = TransferState.DONE if what.startswith("done") else TransferState.AGREEMENT
        for whose in (kept, other) if what.endswith("both") else [kept if what.endswith("kept") else other]:
            session.add(transfer := make_transfer(world.a.id, world.b.id, state=state))
            session.flush()
            session.add(
                make_transfer_side(transfer.id, world.a.id, state=state, direction=Direction.SOURCE, student_id=whose)
            )


class TestPrefer:
    def test_prefer_proposes_the_row_with_the_ine_and_says_why(
        self, administrator: Browser, world: World, arrange: Look, twin: int
    ) -> None:
        here = world.a.student_id
        with arrange() as session:
            session.get_one(Student, here).ine = None

        answer = administrator.get(address(here, twin) + "?proposer=oui")

        assert (answer.status_code, answer.location) == (303, address(twin, here))
        why = "que CPro propose de garder : elle porte l’INE."
        assert f"Cette fiche est celle {why}" in Page(administrator.get(address(twin, here))).text
        assert f"L’autre fiche est celle {why}" in Page(administrator.get(address(here, twin))).text

    def test_prefer_the_number_of_siecle_goes_before_the_ine_and_the_ine_before_the_work(
        self, administrator: Browser, world: World, arrange: Look, twin: int
    ) -> None:
        here = world.a.student_id
        with arrange() as session:
            mine, theirs = session.get_one(Student, here), session.get_one(Student, twin)
            mine.ine, mine.siecle_id = None, "71"
        assert administrator.get(address(twin, here) + "?proposer=oui").location == address(here, twin)

        with arrange() as session:
            mine, theirs = session.get_one(Student, here), session.get_one(Student, twin)
            mine.siecle_id, theirs.ine, mine.ine = None, None, "0123456789A"
            session.flush()
        assert administrator.get(address(twin, here) + "?proposer=oui").location == address(here, twin)

    def test_prefer_the_more_work_then_the_row_one_came_from(
        self, administrator: Browser, world: World, arrange: Look, twin: int
    ) -> None:
        here = world.a.student_id
        with arrange() as session:
            session.get_one(Student, here).ine = session.get_one(Student, twin).ine = None
            session.add(third := make_student(world.a.id, last_name="Secret-alpha", ine=None))
            session.flush()
            third_id = third.id
        assert administrator.get(address(here, twin) + "?proposer=oui").location == address(twin, here)

        for one, other in ((here, third_id), (third_id, here)):
            assert administrator.get(address(one, other) + "?proposer=oui").location == address(one, other)
        assert "n’a pas de préférence entre ces deux fiches" in Page(administrator.get(address(here, third_id))).text

    def test_prefer_a_row_tied_to_a_transfer_is_the_one_that_can_be_kept(
        self, administrator: Browser, world: World, arrange: Look, twin: int
    ) -> None:
        here = world.a.student_id
        with arrange() as session:
            session.get_one(Student, here).ine = None
            session.add(transfer := make_transfer(world.b.id, world.a.id))
            session.flush()
            side = make_transfer_side(transfer.id, world.a.id, direction=Direction.DESTINATION, student_id=here)
            session.add(side)

        assert administrator.get(address(twin, here) + "?proposer=oui").location == address(here, twin)
        assert administrator.get(address(here, twin)).status_code == 200

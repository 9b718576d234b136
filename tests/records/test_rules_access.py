"""Who reads and writes whose records: one table, tried over HTTP; and who never sees a word of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.permissions import Permission, Role, can
from cpro.records import queries
from cpro.records.errors import NotYourPupil
from cpro.records.models import Evaluation
from tests.factories import World, make_mandate
from tests.helpers.access_table import GET, POST
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.screens import screens
from tests.records.conftest import MARKER, Class

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

FICHE = {"title": "Pose", "place": "school", "starts_on": "2026-09-07", "ends_on": "2026-09-08", "tasks": "Texte"}
BILAN = {"starts_on": "2026-09-07", "ends_on": "2026-09-08", "body": "Texte"}
WHOSE = ("own", "mate", "stranger", "gone", "elsewhere")

#: page of a pupil: {role: what it answers for each of WHOSE}
READ = {
    "teacher": (200, 200, 403, 200, 404),
    "head": (200, 200, 200, 200, 404),
    "student": (200, 403, 403, 403, 404),
    "inspector": (200, 200, 200, 200, 404),
    "administrator": (403, 403, 403, 403, 403),
    "support": (403, 403, 403, 403, 403),
}
#: writing about a pupil: 303 once written, 409 where frozen
WRITE_FICHE = {
    "teacher": (303, 303, 403, 409, 404),
    "student": (303, 403, 403, 403, 404),
    "head": (403,) * 5,
    "inspector": (403,) * 5,
    "administrator": (403,) * 5,
    "support": (403,) * 5,
}
EVALUATE = {**WRITE_FICHE, "student": (403,) * 5}


def _browser(as_: As, role: str) -> Browser:
    return as_(role, enter="a" if role in ("support", "inspector") else None)


@pytest.fixture
def classroom(classroom: Class, world: World, arrange: Look) -> Class:
    """Open school "a" to the inspector."""
    with arrange() as session:
        session.add(make_mandate(world))
    return classroom


class TestRecordsAccess:
    @pytest.mark.parametrize("role", READ)
    @pytest.mark.parametrize("page", ["", "/fiches", "/evaluations", "/bilans"])
    def test_records_access_reading(self, as_: As, classroom: Class, role: str, page: str) -> None:
        browser = _browser(as_, role)

        got = tuple(browser.get(f"/eleves/{getattr(classroom, whose)}{page}").status_code for whose in WHOSE)

        assert got == READ[role]

    @pytest.mark.parametrize("page", ["", "/fiches", "/fiches/{fiche}", "/fiches/999999", "/bilans"])
    def test_records_access_a_refusal_says_the_same_of_every_pupil(self, as_: As, classroom: Class, page: str) -> None:
        browser = as_("student")
        said = set()
        for whose in (classroom.mate, classroom.stranger, classroom.gone):
            answer = browser.get(f"/eleves/{whose}{page.format(fiche=classroom.fiche)}")
            assert answer.status_code == 403
            said.add(re.sub("[0-9a-f]{12}", "", Page(answer).text))  # the number of the request

        assert len(said) == 1, said
        assert Page(answer).says(NotYourPupil.message)

    @pytest.mark.parametrize("role", WRITE_FICHE)
    def test_create_fiche_is_given_to_those_of_the_table(self, as_: As, classroom: Class, role: str) -> None:
        browser = _browser(as_, role)

        got = tuple(
            browser.post(f"/eleves/{getattr(classroom, whose)}/fiches/nouvelle", FICHE).status_code for whose in WHOSE
        )

        assert got == WRITE_FICHE[role]

    @pytest.mark.parametrize("role", EVALUATE)
    def test_create_evaluation_is_given_to_those_of_the_table(self, as_: As, classroom: Class, role: str) -> None:
        browser = _browser(as_, role)
        fields = {"competence": classroom.competences[0], "level": "3", "evaluated_on": "2026-09-08"}

        got = tuple(
            browser.post(f"/eleves/{getattr(classroom, whose)}/evaluations/nouvelle", fields).status_code
            for whose in WHOSE
        )

        assert got == EVALUATE[role]

    @pytest.mark.parametrize("role", EVALUATE)
    def test_create_bilan_is_given_to_those_of_the_table(self, as_: As, classroom: Class, role: str) -> None:
        browser = _browser(as_, role)

        got = tuple(
            browser.post(f"/eleves/{getattr(classroom, whose)}/bilans/nouveau", BILAN).status_code for whose in WHOSE
        )

        assert got == EVALUATE[role]

    @pytest.mark.parametrize("role", EVALUATE)
    def test_records_access_a_form_that_would_be_refused_is_not_shown(
        self, as_: As, classroom: Class, role: str
    ) -> None:
        browser = _browser(as_, role)
        pages = {"fiches/nouvelle": WRITE_FICHE, "evaluations/nouvelle": EVALUATE, "bilans/nouveau": EVALUATE}

        for page, table in pages.items():
            got = tuple(browser.get(f"/eleves/{getattr(classroom, whose)}/{page}").status_code for whose in WHOSE)
            assert got == tuple(200 if status == 303 else status for status in table[role]), page

    @pytest.mark.parametrize(
        ("action", "allowed"),
        [
            ("fiches/{draft}/valider", set()),  # not handed in
            ("fiches/{fiche}/rendre", {"teacher"}),
            ("fiches/{draft}/soumettre", {"student"}),
            ("fiches/{draft}/supprimer", {"student"}),
            ("fiches/{draft}/modifier", {"student"}),
            ("evaluations/{evaluation}/supprimer", {"teacher"}),
            ("evaluations/{evaluation}/modifier", {"teacher"}),
            ("bilans/{bilan}/supprimer", {"teacher"}),
            ("bilans/{bilan}/modifier", {"teacher"}),
        ],
    )
    @pytest.mark.parametrize("role", READ)
    def test_records_access_changing_what_is_written(
        self, app: Flask, as_: As, classroom: Class, role: str, action: str, allowed: set[str]
    ) -> None:
        browser = _browser(as_, role)
        address = f"/eleves/{classroom.own}/" + action.format(**vars(classroom))
        fields = {**FICHE, **BILAN, "competence": classroom.competences[0], "level": "3", "evaluated_on": "2026-09-08"}

        if role in allowed:
            assert browser.post(address, fields).status_code == 303
        else:
            with nothing_written(app):
                assert browser.post(address, fields).status_code in (403, 409)

    @pytest.mark.parametrize("role", READ)
    def test_save_division_a_division_is_evaluated_by_its_teacher_alone(
        self, as_: As, classroom: Class, role: str
    ) -> None:
        browser = _browser(as_, role)

        for division, mine in ((classroom.division, 200), (classroom.other_division, 403)):
            expected = mine if role == "teacher" else 403
            assert browser.get(f"/eleves/evaluer/{division}").status_code == expected
            assert browser.post(f"/eleves/evaluer/{division}").status_code == (422 if expected == 200 else 403)

    def test_save_division_another_schools_division_does_not_exist(
        self, as_: As, classroom: Class, world: World
    ) -> None:
        assert as_("teacher").get(f"/eleves/evaluer/{world.b.division_id}").status_code == 404

    @pytest.mark.parametrize("kind", ["fiches/{fiche}", "evaluations/{evaluation}/modifier", "bilans/{bilan}/modifier"])
    def test_records_access_a_record_is_found_under_its_pupil_alone(self, as_: As, classroom: Class, kind: str) -> None:
        address = kind.format(**vars(classroom))

        assert as_("teacher").get(f"/eleves/{classroom.own}/{address}").status_code in (200, 409)
        assert as_("teacher").get(f"/eleves/{classroom.mate}/{address}").status_code == 404
        assert as_("teacher", "b").get(f"/eleves/{classroom.elsewhere}/{address}").status_code == 404


class TestRecordsOfAnInspector:
    def test_records_access_of_an_inspector_is_within_the_diplomas_and_recorded(
        self, as_: As, classroom: Class, app: Flask, platform: Look
    ) -> None:
        browser = as_("inspector", enter="a")

        for part in ("", "/evaluations", "/bilans", "/fiches"):
            page = browser.get(f"/eleves/{classroom.own}{part}").text
        assert MARKER in page

        with platform() as session:
            recorded = session.scalars(
                select(AuditEntry).where(AuditEntry.action == "record:opened").order_by(AuditEntry.id)
            )
            assert [line.object_label for line in recorded] == [
                f"Noé AGATE ({what})" for what in ("vue d’ensemble", "évaluations", "bilans", "fiches")
            ]
            line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (line.action, line.object_type, line.object_id) == ("record:opened", "pupil_records", str(classroom.own))
        assert MARKER not in str(line.changes) + line.object_label

    def test_records_access_of_an_inspector_opens_no_pupil_of_another_diploma(
        self, as_: As, classroom: Class, world: World, arrange: Look
    ) -> None:
        from cpro.inspectors.models import Mandate, MandateDiploma

        with arrange() as session:
            mandate = session.scalars(select(Mandate)).one()
            mandate.all_diplomas = False
            other = session.scalars(select(Evaluation.diploma_code)).first()
            assert other
            from cpro.students.models import Diploma

            cap = session.scalars(select(Diploma).where(Diploma.code == "CAP-X")).one()
            session.add(MandateDiploma(establishment_id=world.a.id, mandate_id=mandate.id, diploma_id=cap.id))
        browser = as_("inspector", enter="a")

        assert [browser.get(f"/eleves/{getattr(classroom, whose)}").status_code for whose in WHOSE] == [404] * 5
        assert MARKER not in browser.get("/eleves").text

    def test_records_access_of_an_inspector_holds_for_a_careless_page(
        self, app: Flask, classroom: Class, world: World
    ) -> None:
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id, diploma_ids=frozenset({10_000}), read_only=True))

            assert not queries.list_fiches(classroom.own)
            assert not queries.list_evaluations(classroom.own)
            assert not queries.list_bilans(classroom.own)
            assert not queries.count_records([classroom.own])


class TestPupils:
    def test_pupils_a_teacher_sees_their_divisions_only(self, as_: As, classroom: Class) -> None:
        text = as_("teacher").get("/eleves?situation=tous").text

        assert all(name in text for name in ("AGATE", "BÉRYL", "DÉPART"))
        assert "CORAIL" not in text

    def test_pupils_asking_for_another_division_opens_nothing(self, as_: As, classroom: Class) -> None:
        assert "CORAIL" not in as_("teacher").get("/eleves?situation=tous&division=1AUTRE").text

    def test_pupils_the_head_sees_all(self, as_: As, classroom: Class) -> None:
        text = as_("head").get("/eleves?situation=tous").text

        assert all(name in text for name in ("AGATE", "BÉRYL", "CORAIL", "DÉPART"))
        assert "beta" not in text.lower()

    def test_pupils_a_pupil_is_led_to_their_own_page(self, as_: As, classroom: Class) -> None:
        browser = as_("student")

        assert browser.get("/eleves").status_code == 403
        assert browser.get("/eleves/moi").location == f"/eleves/{classroom.own}"

    def test_pupils_an_account_of_no_pupil_reads_so(self, as_: As, classroom: Class) -> None:
        answer = as_("student", "b").get("/eleves/moi")

        assert answer.status_code == 200
        assert "relié à aucun élève" in answer.text

    def test_pupils_a_teacher_without_division_reads_so(self, as_: As, world: World) -> None:
        assert "Aucune division ne vous est encore confiée" in as_("teacher").get("/eleves").text


class TestRecordsOfOtherRoles:
    def test_records_neither_the_administrator_nor_the_support_has_a_right_on_records(self) -> None:
        for permission in (
            Permission.PUPILS_VIEW,
            Permission.PUPIL_RECORDS_READ,
            Permission.FICHES_WRITE,
            Permission.PUPILS_EVALUATE,
            Permission.OWN_RECORDS,
        ):
            for role in (Role.ADMINISTRATOR, Role.SUPPORT):
                assert not can(_principal(role), permission), f"{role.label} must not {permission.value}"

    @pytest.mark.parametrize("role", ["administrator", "support"])
    @pytest.mark.slow
    def test_records_no_page_export_line_or_message_holds_a_word_of_them(
        self, app: Flask, as_: As, classroom: Class, world: World, role: str
    ) -> None:
        """Every action is made and refused first, so that the journal and messages have something to betray."""
        _live(as_, classroom)
        browser = _browser(as_, role)
        own = f"/eleves/{classroom.own}"
        addresses = [
            *(page.format(b=world.b.id) for page in GET),
            *(own + page for page in ("", "/fiches", "/evaluations", "/bilans", f"/fiches/{classroom.fiche}")),
            f"{own}/evaluations/{classroom.evaluation}/modifier",
            f"{own}/bilans/{classroom.bilan}/modifier",
            f"/passeport/{classroom.own}.pdf",
        ]
        for screen in screens(app):
            addresses += [f"{screen.url}/", f"{screen.url}/?recherche=Marqueur", f"{screen.url}/export/csv/"]
            addresses += [f"{screen.url}/details/?id={number}" for number in range(1, 40)]
            addresses += [f"{screen.url}/edit/?id={number}" for number in range(1, 6)]

        for address in addresses:
            answer = browser.get(address)
            shown = answer.text.replace("?recherche=Marqueur", "") if answer.mimetype.startswith("text") else ""
            assert MARKER not in shown, f"{address} ({answer.status_code}) shows what a pupil's records hold"
            assert MARKER.encode() not in answer.data, address
        for page in POST:
            answer = browser.post(page.format(b=world.b.id))
            assert MARKER not in answer.text, page

    def test_records_the_journal_records_who_and_whom_never_what(
        self, as_: As, classroom: Class, platform: Look
    ) -> None:
        _live(as_, classroom)

        with platform() as session:
            lines = session.scalars(select(AuditEntry)).all()
            recorded = [line for line in lines if line.object_type == "pupil_records"]
        assert {line.object_label for line in recorded} == {"Noé AGATE"}
        assert all(line.changes == {} for line in recorded)
        assert all(MARKER not in str((line.object_label, line.changes, line.object_id)) for line in lines)
        assert len(recorded) >= 8


def _live(as_: As, classroom: Class) -> None:
    """Make each action once, and have several refused, with the marker in all that is typed."""
    own, teacher, pupil = f"/eleves/{classroom.own}", as_("teacher"), as_("student")
    fiche = {**FICHE, "title": f"Titre {MARKER}", "place_name": MARKER, "tasks": MARKER}
    assert pupil.post(f"{own}/fiches/nouvelle", fiche).status_code == 303
    assert pupil.post(f"{own}/fiches/{classroom.draft}/modifier", fiche).status_code == 303
    assert pupil.post(f"{own}/fiches/{classroom.draft}/soumettre").status_code == 303
    assert teacher.post(f"{own}/fiches/{classroom.draft}/valider").status_code == 303
    assert teacher.post(f"{own}/fiches/{classroom.draft}/rendre").status_code == 303
    assert pupil.post(f"{own}/fiches/{classroom.draft}/supprimer").status_code == 303
    evaluation = {
        "competence": classroom.competences[0],
        "level": "4",
        "evaluated_on": "2026-09-08",
        "scenario": MARKER,
    }
    assert teacher.post(f"{own}/evaluations/nouvelle", evaluation).status_code == 422
    evaluation["scenario"] = str(classroom.scenario)
    assert teacher.post(f"{own}/evaluations/nouvelle", evaluation).status_code == 303
    assert teacher.post(f"{own}/bilans/nouveau", {**BILAN, "body": MARKER}).status_code == 303
    assert teacher.post(f"{own}/bilans/{classroom.bilan}/modifier", {**BILAN, "body": MARKER}).status_code == 303
    assert teacher.post(f"{own}/bilans/nouveau", {**BILAN, "body": MARKER, "ends_on": "x"}).status_code == 422
    levels = {**evaluation, f"niveau-{classroom.own}": "2"}
    assert teacher.post(f"/eleves/evaluer/{classroom.division}", levels).status_code == 303


def _principal(role: Role) -> Any:
    from cpro.core.permissions import Principal

    return Principal(1, "account", "Quelqu’un", "quelqu.un", role, 1, 1)

"""Each page an inspector consulted is one line of the school's journal, and of the list the head opens."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.web import page_views
from cpro.inspectors.models import Mandate
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.inspectors.conftest import TAB, Desk, day

Arrange = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LOOKS = ("page:opened", "record:opened", "list:searched")


def looks(desk: Desk) -> list[tuple[str, str]]:
    """Return action and object of each consultation recorded, in order."""
    from cpro.audit.models import AuditEntry
    from tests.helpers.records import rows

    return [(row["action"], row["object_label"]) for row in rows(desk.app, AuditEntry) if row["action"] in LOOKS]


class TestRecordConsultation:
    def test_record_consultation_one_line_per_page_whatever_its_kind(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for page in (
            "/admin/eleves/",
            "/admin/eleves/?recherche=secret",
            f"/admin/eleves/details/?id={world.a.student_id}",
            "/admin/divisions/",
            "/admin/parametres/etablissement",
        ):
            assert browser.get(page).status_code == 200

        assert looks(desk) == [
            ("page:opened", "Élèves"),
            ("list:searched", "Élèves"),
            ("record:opened", "Zoé SECRET-ALPHA"),
            ("page:opened", "Divisions"),
            ("record:opened", "Établissement"),
        ]
        lines = [line for action in LOOKS for line in desk.lines(action)]
        assert {line["establishment_id"] for line in lines} == {world.a.id}
        assert {(line["actor_kind"], line["actor_id"]) for line in lines} == {("platform", world.inspector_id)}

    def test_record_consultation_the_same_page_again_is_another_consultation(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for _ in range(2):
            for page in ("/admin/eleves/", "/admin/eleves/?recherche=zoe", "/admin/parametres/etablissement"):
                browser.get(page)

        assert len(looks(desk)) == 6

    def test_record_consultation_what_concerns_the_inspector_alone_or_was_not_shown_is_no_consultation(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for page in ("/mon-compte", "/aide/inspecteurs", "/ecoles", "/mentions/accessibilite", "/", "/admin/"):
            browser.get(page)
        browser.get(f"/admin/eleves/details/?id={world.b.student_id}")

        assert looks(desk) == []
        assert len(desk.lines("access:refused")) == 1

    def test_record_consultation_of_a_merged_row_is_that_of_the_row_kept_alone(
        self, desk: Desk, world: World, arrange: Arrange, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        kept = world.a.student_id
        with arrange() as session:
            division = session.get_one(Student, kept).division_id
            merged = make_student(world.a.id, division_id=division, is_active=False, merged_into_id=kept)
            session.add(merged)
            session.flush()
            address = f"/eleves/{merged.id}"
        browser = desk.browser("inspector", enter="a")

        assert browser.get(address).location == f"/eleves/{kept}"
        assert looks(desk) == []
        browser.get(f"/eleves/{kept}")
        assert [action for action, _page in looks(desk)] == ["record:opened"]

    def test_record_consultation_a_list_is_recorded_by_its_name_and_a_search_by_what_was_sought(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for page in (
            "/eleves",
            "/eleves?situation=presents&division=&recherche=",
            "/eleves?situation=a-valider&division=2ALP&recherche=Zoé",
            "/scenarios",
            "/scenarios?diplome=40025520&recherche=secret",
        ):
            assert browser.get(page).status_code == 200

        assert looks(desk) == [
            ("page:opened", "Parcours des apprenants"),
            ("page:opened", "Parcours des apprenants"),
            ("list:searched", "Parcours des apprenants"),
            ("page:opened", "Scénarios"),
            ("list:searched", "Scénarios"),
        ]
        assert [line["changes"]["sought"][1] for line in desk.lines("list:searched")] == [
            "présents, avec une fiche à valider, division « 2ALP », recherche « Zoé »",
            "Bac pro MELEC",
        ]

    def test_record_consultation_an_ine_typed_in_an_address_is_masked(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()

        desk.browser("inspector", enter="a").get("/admin/eleves/?page=1&x=9900000044N")

        (line,) = desk.lines("page:opened")
        assert "9900000044N" not in str(line["changes"])
        assert "page=1" in str(line["changes"])

    def test_record_consultation_the_schools_own_people_and_the_support_leave_no_such_line(self, desk: Desk) -> None:
        desk.browser("administrator").get("/admin/eleves/")
        desk.browser("support", enter="a").get("/admin/eleves/")

        assert looks(desk) == []

    def test_record_consultation_a_page_that_cannot_be_recorded_is_not_shown(
        self, desk: Desk, open_to_inspector: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")
        browser.client.application.testing = False

        def broken(*args: object, **kwargs: object) -> None:
            raise RuntimeError("no disk left")

        monkeypatch.setattr(page_views, "record", broken)
        monkeypatch.setitem(browser.client.application.config, "PROPAGATE_EXCEPTIONS", False)
        try:
            answer = browser.get("/admin/eleves/")
        finally:
            browser.client.application.testing = True

        assert answer.status_code == 500
        assert "SECRET-ALPHA" not in answer.text

    def test_record_consultation_the_inspector_is_called_as_the_school_typed_it(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector("a", inspector_name="M. Fer")
        open_to_inspector("b", inspector_name="L’inspecteur du lycée beta")
        browser = desk.browser("inspector", enter="a")
        browser.get("/admin/eleves/")
        browser.post(f"/ecoles/{world.b.id}/entrer")
        browser.get("/admin/eleves/")
        browser.post("/ecoles/quitter")

        names = {
            line["establishment_id"]: line["actor_label"]
            for action in ("school:entered", "page:opened", "school:left")
            for line in desk.lines(action)
        }
        journals = {school: desk.browser("head", school).get("/admin/journal/").text for school in ("a", "b")}

        assert names == {world.a.id: "M. Fer", world.b.id: "L’inspecteur du lycée beta"}
        assert all("Personne inspector" not in page for page in journals.values())
        assert "beta" not in journals["a"]


class TestConsultationsPage:
    def test_consultations_shows_each_consultation_of_this_mandate_to_the_head(
        self, desk: Desk, arrange: Arrange, open_to_inspector: Opener
    ) -> None:
        with time_machine.travel(MORNING, tick=False) as clock:
            first = open_to_inspector(starts_on=day("2026-11-01"), ends_on=day("2026-11-30"), opened_at=MORNING)
            desk.browser("inspector", enter="a").get("/admin/eleves/")
            clock.shift(timedelta(hours=1))
            with arrange() as session:
                mandate = session.get_one(Mandate, first)
                mandate.closed_at, mandate.closing_reason = MORNING + timedelta(hours=1), "Fin"
            second = open_to_inspector(
                starts_on=day("2026-11-23"), ends_on=day("2026-11-30"), opened_at=MORNING + timedelta(hours=2)
            )
            clock.shift(timedelta(hours=1))
            desk.browser("inspector", enter="a").get("/admin/divisions/")
            head = desk.browser("head")
            pages = [head.get(f"{TAB}/{mandate_id}/consultations").text for mandate_id in (first, second)]

        assert "1 page lue" in pages[0].replace("\u202f", " ")
        assert ">Élèves</td>" in pages[0]
        assert ">Divisions</td>" not in pages[0]
        assert ">Divisions</td>" in pages[1]
        assert ">Élèves</td>" not in pages[1]

    def test_consultations_shows_nothing_of_another_school(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        in_a = open_to_inspector("a")
        open_to_inspector("b")
        desk.browser("inspector", enter="b").get("/admin/divisions/")

        page = desk.browser("head", "a").get(f"{TAB}/{in_a}/consultations").text

        assert "Aucune page" in page
        assert "2BET" not in page

    def test_consultations_goes_on_page_after_page(
        self, desk: Desk, world: World, arrange: Arrange, app: Flask
    ) -> None:
        from cpro.core.permissions import Actor
        from cpro.core.transactions import platform_unit_of_work
        from tests.factories import NOW, make_mandate

        with app.app_context(), platform_unit_of_work("test", schools=[world.a.id]) as work:
            mandate = make_mandate(world)
            work.session.add(mandate)
            work.session.add(make_student(world.a.id))
            work.session.flush()
            for number in range(60):
                from cpro.audit.operations import About, record

                record(
                    "page:opened",
                    About("page", "eleves.index_view", f"Page-{number}-lue"),
                    by=Actor("platform", world.inspector_id, "Dominique", "inspector", "test"),
                    now=NOW + timedelta(minutes=number),
                    establishment_id=world.a.id,
                    session=work.session,
                )
            address = f"{TAB}/{mandate.id}/consultations"
        head = desk.browser("head")

        first = head.get(address).text
        following = re.search(rf'href="({address}\?avant=\d+)"', first)
        assert following is not None
        second = head.get(following[1]).text

        assert "60 pages lues" in first
        assert ("Page-59-lue" in first, "Page-9-lue" in first) == (True, False)
        assert ("Page-9-lue" in second, "Page-0-lue" in second) == (True, True)
        for odd in ("?avant=0", "?avant=x", "?avant=99999999999999"):
            assert head.get(address + odd).status_code == 200

"""« Chiffres de l’année », for the head: by division and by diploma, beside the year before where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.competences.models import Competence
from cpro.core.permissions import Permission, roles_with
from cpro.dashboard.figures import queries
from cpro.passport.models import PassportIssue
from cpro.records.models import FicheState
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import rows as stored
from tests.helpers.records import set_up
from tests.records.conftest import Class, classroom, make_evaluation, make_fiche

__all__ = ["classroom"]

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
PAGE = "/admin/chiffres"
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def monday() -> object:
    """Have these tests happen one Monday."""
    with time_machine.travel(MORNING, tick=True):
        yield


def issue(pupil: Student, code: str, at: datetime) -> PassportIssue:
    """Return a passport issued to a pupil, unsaved."""
    return PassportIssue(
        establishment_id=pupil.establishment_id,
        student_id=pupil.id,
        code=code,
        school_name="Lycée",
        school_uai="",
        issued_at=at,
        page_count=2,
        entry_count=3,
        sha256="0" * 64,
    )


def rows(browser: Browser) -> list[list[str]]:
    """Return the rows of the tables of the page."""
    return Page(browser.get(PAGE)).rows()


class TestIndex:
    def test_figures_of_each_division_and_diploma(self, app: Flask, as_: As, classroom: Class) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            mate = session.get_one(Student, classroom.mate)
            session.add(make_evaluation(mate, competence, level=4))
            session.add(make_evaluation(mate, competence, level=3, evaluated_on=date(2025, 10, 1)))
            session.add(make_fiche(mate, state=FicheState.SUBMITTED))
            session.add(issue(mate, "A" * 24, datetime(2026, 9, 30, tzinfo=UTC)))
            session.add(issue(mate, "B" * 24, datetime(2025, 9, 30, tzinfo=UTC)))
            session.add(issue(mate, "C" * 24, datetime(2025, 12, 30, tzinfo=UTC)))

        set_up(app, fill)

        found = rows(as_("head"))

        waiting = "1, fiches à valider, 2ALP"
        assert ["2ALPBac pro MELEC", "3", "2", "0", "1", "0", "1", "50 %", waiting, "1"] in found
        assert ["1AUTREBac pro MELEC", "1", "–", "–", "–", "–", "–", "–", "0", "0"] in found
        assert ["Bac pro MELEC", "2026-2027", "2", "0", "1", "0", "1", "50 %"] in found
        assert ["Bac pro MELEC", "2025-2026", "1", "0", "0", "1", "0", "100 %"] in found
        assert ["Évaluations données", "2", "1", "+1 (+100 %)"] in found
        assert ["Passeports exportés", "1", "1", "sans changement"] in found

    def test_figures_count_those_present_without_division_not_those_who_left(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            mate = session.get_one(Student, classroom.mate)
            mate.division_id = None
            session.add(make_evaluation(mate, competence, level=4))

        set_up(app, fill)
        head = as_("head")
        row = ["sans division", "1", "1", "0", "0", "0", "1", "100 %", "0", "0"]

        assert row in rows(head)
        assert "2026-2027;sans division;;1;1;0;0;0;1;100%;0;0" in head.get(f"{PAGE}/export/csv").text

        set_up(app, lambda session: setattr(session.get_one(Student, classroom.mate), "is_active", False))

        assert "sans division" not in Page(head.get(PAGE)).text

    def test_figures_of_fiches_that_wait_lead_to_their_pupils(self, app: Flask, as_: As, classroom: Class) -> None:
        def fill(session: Session) -> None:
            session.add(make_fiche(session.get_one(Student, classroom.mate), state=FicheState.SUBMITTED))

        set_up(app, fill)
        head = as_("head")

        waiting = [each for each in Page(head.get(PAGE)).links if "situation=" in each]

        assert waiting == ["/eleves?division=2ALP&situation=a-valider"]  # none from a division where none waits
        [row] = Page(head.get(waiting[0])).rows()
        assert row[0].startswith("BÉRYL")

    def test_figures_say_nothing_of_a_year_of_which_nothing_is_kept(self, as_: As, classroom: Class) -> None:
        page = Page(as_("head").get(PAGE))

        assert "CPro ne garde aucune évaluation de l’année 2025-2026 antérieure au" in page.text
        assert ["Évaluations données", "1", "–", "–"] in page.rows()

    def test_figures_of_a_school_without_any(self, as_: As) -> None:
        page = Page(as_("head", "b").get(PAGE))

        assert "Aucune évaluation n’a été donnée cette année ni la précédente." in page.text

    def test_figures_leave_out_what_is_too_much_to_count(
        self, as_: As, classroom: Class, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "MOST_READ", 0)

        page = Page(as_("head").get(PAGE))

        assert "trop nombreuses pour être comptées" in page.text
        assert "trop nombreux pour être comptés par division" in page.text
        assert page.rows() == [["Passeports exportés", "0", "–", "–"]]

    def test_figures_tell_nothing_of_another_school(self, app: Flask, as_: As, classroom: Class) -> None:
        other = as_("head", "b")

        assert rows(other) == [
            ["2BETBac pro MELEC", "1", *["–"] * 6, "0", "0"],
            ["Évaluations données", "0", "–", "–"],
            ["Passeports exportés", "0", "–", "–"],
        ]
        assert "1AUTRE" not in Page(other.get(PAGE)).text

    def test_figures_are_exported_as_digits_and_the_journal_says_so(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        head = as_("head")
        assert f"{PAGE}/export/csv" in Page(head.get(PAGE)).links

        answer = head.get(f"{PAGE}/export/csv")

        lines = answer.text.removeprefix("\ufeff").splitlines()
        assert lines[0].startswith("Année;Division;Diplôme;Apprenants;Évaluations;Niveau 1;")
        assert "2026-2027;2ALP;Bac pro MELEC;3;1;0;1;0;0;0%;0;0" in lines
        assert "2026-2027;;Bac pro MELEC;;1;0;1;0;0;0%;;" in lines
        assert "2026-2027;1AUTRE;Bac pro MELEC;1;;;;;;;0;0" in lines
        told = [line for line in stored(app, AuditEntry) if line["action"] == "list:exported"]
        assert [(line["object_label"], line["changes"]) for line in told] == [
            ("Chiffres de l’année", {"file_format": [None, "CSV"]})
        ]

    def test_figures_are_read_by_none_who_may_not_export(self) -> None:
        assert {*roles_with(Permission.FIGURES_VIEW)} <= {*roles_with(Permission.RECORDS_EXPORT)}

    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_figures_are_refused_to_the_others(self, as_: As, role: str) -> None:
        browser = as_(role)

        assert browser.get(PAGE).status_code == 403
        assert f'href="{PAGE}"' not in browser.get("/mon-compte").text

    def test_figures_are_reached_from_menu_dashboard_and_search(self, as_: As, world: World) -> None:
        head = as_("head")

        assert f'href="{PAGE}"' in head.get("/mon-compte").text
        assert PAGE in Page(head.get("/admin/")).links
        assert PAGE in Page(head.get("/recherche?q=statistiques")).links

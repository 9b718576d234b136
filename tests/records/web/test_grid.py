"""The grid of a division: what is saved, refused and told, with its page's script and without."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.records.models import Evaluation
from cpro.records.web.views.grid import read_shown, write_shown
from cpro.students.models import Diploma, Division, Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.days import today
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching
from tests.helpers.statements import statements_sent
from tests.records.conftest import Class, make_evaluation

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
DAY = "2026-10-01"
JSON = {"Accept": "application/json"}


@pytest.fixture
def grid(classroom: Class) -> str:
    """Return the address of the grid of the teacher's division, on a day."""
    return f"/eleves/evaluer/{classroom.division}/grille?jour={DAY}"


def cell(student: int, competence: int) -> str:
    """Return the field of a cell."""
    return f"niveau-{student}-{competence}"


def levels(app: Flask, day: str = DAY) -> set[tuple[int, int | None, int]]:
    """Return the levels of a day: pupil, competence, level."""
    return {
        (row["student_id"], row["competence_id"], row["level"])
        for row in rows(app, Evaluation)
        if row["evaluated_on"].isoformat() == day
    }


def colleague(app: Flask, classroom: Class, competence: int, level: int) -> None:
    """Let a colleague give `mate` a level."""

    def give(session: Session) -> None:
        student = session.get_one(Student, classroom.mate)
        session.add(
            make_evaluation(
                student,
                session.get_one(Competence, competence),
                level=level,
                author_label="Ada COLLÈGUE",
                evaluated_on=date.fromisoformat(DAY),
            )
        )

    set_up(app, give)


class TestShown:
    @pytest.mark.unit
    def test_read_shown_reads_what_write_shown_wrote(self) -> None:
        shown = {(12, 3): "2", (12, 5): "4"}

        assert read_shown(write_shown(shown)) == shown

    @pytest.mark.unit
    def test_read_shown_leaves_out_what_is_no_level(self) -> None:
        assert read_shown("1-2:5 x-2:1 3-4:1") == {(3, 4): "1"}


class TestSaveGrid:
    def test_save_grid_levels_the_whole_form_gives_corrects_and_clears(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, (first, second) = as_("teacher"), classroom.competences
        given = {cell(classroom.own, first): "3", cell(classroom.mate, first): "1", cell(classroom.mate, second): "4"}
        with watching(app) as watch:
            answer = browser.post(grid, {**Page(browser.get(grid)).values(), **given})

        assert answer.status_code == 303 and f"jour={DAY}" in answer.location
        assert levels(app) == {(classroom.own, first, 3), (classroom.mate, first, 1), (classroom.mate, second, 4)}
        assert (watch.line["action"], watch.line["changes"]) == ("evaluation:division", {"given": [None, "3 niveaux"]})

        form = Page(browser.get(grid)).values()
        assert form[cell(classroom.mate, second)] == "4"
        with watching(app) as watch:
            browser.post(grid, {**form, cell(classroom.own, first): "", cell(classroom.mate, first): "2"})

        assert levels(app) == {(classroom.mate, first, 2), (classroom.mate, second, 4)}
        assert watch.line["changes"] == {"corrected": [None, "1 niveau"], "cleared": [None, "1 niveau"]}

    def test_save_grid_levels_the_same_for_all_fills_the_empty_cells(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, (first, _second) = as_("teacher"), classroom.competences
        form = Page(browser.get(grid)).values()

        browser.post(grid, {**form, f"tous-{first}": "3", cell(classroom.mate, first): "1"})

        assert {(who, level) for who, _what, level in levels(app)} >= {(classroom.own, 3), (classroom.mate, 1)}
        assert all(what == first for _who, what, _level in levels(app))

    def test_save_grid_levels_another_day_is_opened_when_nothing_was_typed(
        self, app: Flask, as_: As, grid: str
    ) -> None:
        browser = as_("teacher")
        form = Page(browser.get(grid)).values()

        with nothing_written(app):
            answer = browser.post(grid, {**form, "evaluated_on": "2026-09-30"})

        assert answer.status_code == 303 and "jour=2026-09-30" in answer.location

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"evaluated_on": "2099-01-01"}, "Ce jour n’est pas encore venu"),
            ({"evaluated_on": ""}, "Indiquez le jour"),
            ({"scenario": "999999"}, "Ce scénario n’est plus proposé"),
            ({"{own}-{first}": "5"}, "Tapez un niveau de 1 à 4"),
            ({"{own}-{first}": "é"}, "Tapez un niveau de 1 à 4"),
            ({"{gone}-{first}": "3"}, "n’est plus dans la division"),
            ({"{stranger}-{first}": "3"}, "n’est plus dans la division"),
            ({"{elsewhere}-{first}": "3"}, "n’est plus dans la division"),
            ({"{own}-{foreign}": "3"}, "n’est plus dans la liste du diplôme"),
        ],
    )
    def test_save_grid_levels_all_or_nothing(
        self, app: Flask, as_: As, classroom: Class, grid: str, change: dict[str, str], said: str
    ) -> None:
        browser, (first, second) = as_("teacher"), classroom.competences
        names = {**vars(classroom), "first": first, "foreign": classroom.foreign_competence}
        typed = {(f"niveau-{name.format(**names)}" if "{" in name else name): text for name, text in change.items()}
        good = {cell(classroom.mate, second): "2"}
        form = Page(browser.get(grid)).values()

        with nothing_written(app):
            answer = browser.post(grid, {**form, **good, **typed})
            scripted = browser.post(grid, {**form, **good, **typed}, headers=JSON)

        assert (answer.status_code, scripted.status_code) == (422, 422)
        assert said in Page(answer).text
        assert Page(answer).values()[cell(classroom.mate, second)] == "2", "what was typed is lost"
        assert said in " ".join(scripted.json["errors"].values())


class TestNothingLeft:
    def test_save_grid_levels_says_so_where_all_are_stored_already(self, as_: As, classroom: Class, grid: str) -> None:
        browser, (first, _second) = as_("teacher"), classroom.competences
        form = Page(browser.get(grid)).values()

        said = []
        for _again in range(2):
            browser.post(grid, {**form, cell(classroom.mate, first): "4"})
            form = Page(answer := browser.get(grid)).values()
            said += Page(answer).flashes

        assert ["1 niveau enregistré" in said[0], "sont tous enregistrés" in said[1]] == [True, True]


class TestMeanwhile:
    def test_save_grid_levels_a_colleagues_level_is_told_before_mine_is_saved(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, (first, _second) = as_("teacher"), classroom.competences
        form = Page(browser.get(grid)).values()
        colleague(app, classroom, first, 2)

        with nothing_written(app):
            answer = browser.post(grid, {**form, cell(classroom.mate, first): "4"})

        again = Page(answer)
        assert answer.status_code == 409
        assert "Ada COLLÈGUE vient de donner le niveau 2 : votre « 4 » n’est pas encore enregistré" in again.text
        assert browser.post(grid, again.values()).status_code == 303
        assert levels(app) == {(classroom.mate, first, 2), (classroom.mate, first, 4)}

    def test_save_grid_levels_the_script_hears_of_every_cell(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, (first, second) = as_("teacher"), classroom.competences
        form = Page(browser.get(grid)).values()
        common = {name: form[name] for name in ("evaluated_on", "scenario", "seen")}
        colleague(app, classroom, first, 2)

        saved = browser.post(grid, {**common, cell(classroom.own, second): "3"}, headers=JSON).json
        refused = browser.post(grid, {**common, cell(classroom.mate, first): "3"}, headers=JSON)
        again = browser.post(grid, {**common, "seen": saved["seen"], cell(classroom.mate, first): "3"}, headers=JSON)

        assert saved["stored"] == {cell(classroom.own, second): "3"}
        assert saved["message"].startswith("Enregistré à ")
        assert saved["news"] == {
            cell(classroom.mate, first): {
                "last": "2 · 01/10",
                "sentence": "Ada COLLÈGUE vient de donner le niveau 2.",
            }
        }
        assert refused.status_code == 409 and list(refused.json["errors"]) == [cell(classroom.mate, first)]
        assert again.status_code == 200

    def test_save_grid_levels_two_windows_of_one_teacher(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        """What the second did not touch stays; what both changed is told."""
        browser, (first, second) = as_("teacher"), classroom.competences
        browser.post(grid, {**Page(browser.get(grid)).values(), cell(classroom.own, first): "1"})
        form = Page(browser.get(grid)).values()
        browser.post(grid, {**form, cell(classroom.own, first): "2"})

        browser.post(grid, {**form, cell(classroom.own, second): "4"})
        assert levels(app) == {(classroom.own, first, 2), (classroom.own, second, 4)}

        answer = browser.post(grid, {**form, cell(classroom.own, first): "3"})
        assert answer.status_code == 409
        assert "Vous avez déjà, pour ce jour, le niveau 2" in Page(answer).text


class TestGrid:
    def test_grid_cells_are_labelled_and_show_the_last_level(self, as_: As, classroom: Class, grid: str) -> None:
        page = as_("teacher").get(grid).text

        assert 'aria-label="AGATE Noé, C1"' in page
        assert "2 · 18/09" in page

    def test_grid_of_a_past_school_year_says_so_and_last_levels_of_another_year_have_theirs(
        self, as_: As, grid: str
    ) -> None:
        browser, words = as_("teacher"), "est d’une année scolaire passée"

        assert words not in Page(browser.get(grid.replace(DAY, today().isoformat()))).text
        past = Page(browser.get(grid.replace(DAY, "2025-10-01")))
        assert f"Le 01/10/2025 {words}" in past.text
        assert "2 · 18/09/26" in past.text

    def test_grid_ones_own_level_of_the_day_is_not_repeated_below_its_cell(
        self, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, (first, _second) = as_("teacher"), classroom.competences
        browser.post(grid, {**Page(browser.get(grid)).values(), cell(classroom.own, first): "4"})

        page = browser.get(grid).text

        assert "4 · 01/10" not in page
        assert "2 · 18/09" in page, "what was given another day is still there"
        assert "4 · 01/10" in browser.get(grid.replace(DAY, "2026-10-02")).text

    def test_grid_says_that_there_is_no_list(self, app: Flask, as_: As, classroom: Class, grid: str) -> None:

        set_up(app, lambda session: setattr(session.get_one(Division, classroom.division), "diploma_id", None))

        assert "Aucune liste de compétences" in as_("teacher").get(grid).text

    def test_grid_what_was_typed_before_the_sign_in_ended_comes_back(
        self, app: Flask, as_: As, classroom: Class, grid: str
    ) -> None:
        browser, name = as_("teacher"), cell(classroom.own, classroom.competences[0])
        form = Page(browser.get(grid)).values()

        answer = browser.post(
            grid,
            {**form, name: "3", "csrf_token": "d’une autre session"},
            token=False,
            headers={"Sec-Fetch-Site": "same-origin"},
        )

        assert answer.status_code == 303
        page = Page(browser.get(answer.location))
        assert page.values()[name] == "3"
        assert levels(app) == set()

    def test_grid_of_a_large_division_stays_light(
        self, app: Flask, as_: As, classroom: Class, grid: str, arrange: Arrange, world: World
    ) -> None:
        with arrange() as session:
            diploma = session.scalars(select(Diploma)).first()
            assert diploma is not None
            session.add_all(
                Competence(diploma_id=diploma.id, code=f"C{rank}", label=f"Compétence {rank}", position=rank)
                for rank in range(3, 13)
            )
            pupils: list[Any] = [
                make_student(world.a.id, last_name=f"Nom{rank:02}", division_id=classroom.division)
                for rank in range(33)
            ]
            session.add_all(pupils)
            session.flush()
            competences = session.scalars(select(Competence).where(Competence.diploma_id == diploma.id)).all()
            for pupil in pupils:
                session.add_all(
                    make_evaluation(pupil, each, evaluated_on=date(2026, 9, 1) + timedelta(days=back))
                    for each in competences
                    for back in range(3)
                )
        browser = as_("teacher")
        browser.get(grid)

        with statements_sent(app) as sent:
            answer = browser.get(grid)

        assert answer.text.count('name="niveau-') >= 35 * 12
        assert len(gzip.compress(answer.data)) < 25_000
        assert len(sent) <= 12, sent


class TestRights:
    @pytest.mark.parametrize("role", ["administrator", "head", "student", "support"])
    def test_save_grid_levels_by_nobody_but_the_teacher(
        self, app: Flask, as_: As, classroom: Class, grid: str, role: str
    ) -> None:
        browser = as_(role, enter="a") if role == "support" else as_(role)

        assert browser.get(grid).status_code == 403
        with nothing_written(app):
            typed = {"evaluated_on": DAY, cell(classroom.own, classroom.competences[0]): "3"}
            assert browser.post(grid, typed).status_code == 403

    def test_save_grid_levels_not_of_a_division_one_does_not_teach(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        browser, typed = as_("teacher"), {"evaluated_on": DAY}
        with nothing_written(app):
            for division, expected in ((classroom.other_division, 403), (world.b.division_id, 404)):
                address = f"/eleves/evaluer/{division}/grille"
                assert browser.get(address).status_code == expected
                assert browser.post(address, typed).status_code == expected

    def test_grid_nothing_of_another_school_shows(
        self, app: Flask, as_: As, classroom: Class, grid: str, world: World
    ) -> None:
        """A teacher of the other school with the same number of division sees none of it."""
        assert as_("teacher", "b").get(grid).status_code == 404

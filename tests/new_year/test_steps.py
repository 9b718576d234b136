"""The steps of a new school year: each is judged from the rows, or by who reads it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.labels import known_actions
from cpro.core.permissions import Permission
from cpro.core.tenancy import Scope, enter
from cpro.establishments.models import Establishment
from cpro.imports.models import ChangeAction, ImportChange, RunState
from cpro.new_year.calendar import is_season, prepared_year
from cpro.new_year.declared import STEPS
from cpro.new_year.models import Mark, StepMark
from cpro.new_year.steps import Step, StepState, list_steps
from cpro.students.models import Student
from tests.factories import NOW, World, make_account, make_import, make_mandate, make_mef, make_student

Arrange = Callable[[], AbstractContextManager[Session]]
Prepare = Callable[[Session, World], object]
YEAR = 2026
STAFF_FILE = [{"name": "sts_emp.xml", "kind": "Personnels et services (STS-Web)", "stored": ""}]


@pytest.mark.unit
class TestPreparedYear:
    @pytest.mark.parametrize(
        ("day", "year"),
        [(date(2026, 6, 30), 2025), (date(2026, 7, 1), 2026), (date(2026, 12, 31), 2026), (date(2027, 1, 1), 2026)],
    )
    def test_prepared_year_turns_in_july(self, day: date, year: int) -> None:
        assert prepared_year(day) == year

    def test_is_season_from_july_to_october(self) -> None:
        assert [month for month in range(1, 13) if is_season(date(2026, month, 15))] == [7, 8, 9, 10]


@pytest.fixture
def judge(app: Flask, world: World, arrange: Arrange) -> Iterator[Callable[..., dict[str, Step]]]:
    """Return a way to prepare school "a" and read its steps."""

    def read(*prepared: Prepare) -> dict[str, Step]:
        with arrange() as session:
            for prepare in prepared:
                prepare(session, world)
        with app.app_context():
            enter(Scope(establishment_id=world.a.id))
            return {step.key: step for step in list_steps(YEAR, now=NOW)}

    yield read


def pupils_imported(session: Session, world: World) -> None:
    session.add(make_import(world.a.id))
    # The world's pupil has everything that the steps ask for but a division and an account.
    pupil = session.get_one(Student, world.a.student_id)
    pupil.division_id, pupil.account_id = world.a.division_id, world.a.account_ids["student"]


def marked(key: str, mark: Mark, year: int = YEAR) -> Prepare:
    def prepare(session: Session, world: World) -> None:
        session.add(
            StepMark(
                establishment_id=world.a.id,
                school_year=year,
                step=key,
                mark=mark,
                marked_at=NOW,
                marked_by="Claude Basalte",
            )
        )

    return prepare


def adds(make: Callable[[World], Any]) -> Prepare:
    return lambda session, world: session.add(make(world))


class TestListSteps:
    def test_steps_before_the_pupils_come_what_depends_on_them_waits(self, judge: Any) -> None:
        found = judge()

        assert [step.declared for step in found.values()] == list(STEPS)
        waiting = {key for key, step in found.items() if step.state is StepState.WAITING}
        assert waiting == {"courses", "leavers", "divisions", "codes"}
        assert found["pupils"].state is StepState.TO_DO

    def test_steps_an_import_of_the_year_does_its_step_and_names_who(self, judge: Any) -> None:
        found = judge(pupils_imported, adds(lambda world: make_import(world.a.id, files=STAFF_FILE)))

        for key in ("pupils", "staff"):
            assert (found[key].state, found[key].at) == (StepState.DONE, NOW)
            assert found[key].by
        assert found["leavers"].state is StepState.DONE

    @pytest.mark.parametrize(
        "values",
        [{"school_year": 2025}, {"state": RunState.UNDONE}, {"state": RunState.ANALYSED}, {"files": STAFF_FILE}],
    )
    def test_steps_another_import_does_not(self, judge: Any, values: dict[str, Any]) -> None:
        assert judge(adds(lambda world: make_import(world.a.id, **values)))["pupils"].state is StepState.TO_DO

    def test_steps_the_other_school_does_nothing_for_this_one(self, judge: Any) -> None:
        found = judge(
            adds(lambda world: make_import(world.b.id)),
            pupils_imported,
            adds(lambda world: make_mef(world.b.id)),
            adds(lambda world: make_student(world.b.id)),
        )
        assert found["courses"].state is StepState.DONE
        assert found["leavers"].figures == (
            "0 élève parti depuis juillet",
            "0 départ proposé par l’import et non coché",
            "0 élève présent sans division",
        )

    @pytest.mark.parametrize(
        ("key", "prepare", "figure"),
        [
            ("courses", adds(lambda world: make_mef(world.a.id)), "1 formation sans diplôme"),
            (
                "leavers",
                adds(lambda world: make_student(world.a.id)),
                "1 élève présent sans division",
            ),
            (
                "codes",
                adds(lambda world: make_student(world.a.id, division_id=world.a.division_id)),
                "1 élève sans compte",
            ),
            (
                "consents",
                adds(lambda world: make_account(world.a.id, activated_at=None, consent_needed=True)),
                "1 compte attend l’accord",
            ),
        ],
    )
    def test_steps_what_remains_keeps_a_step_open_and_is_told(
        self, judge: Any, key: str, prepare: Prepare, figure: str
    ) -> None:
        assert judge(pupils_imported)[key].state is StepState.DONE

        step = judge(prepare)[key]

        assert step.state is StepState.TO_DO
        assert figure in step.figures

    def test_steps_nothing_left_is_told_too(self, judge: Any) -> None:
        found = judge(pupils_imported)

        assert "0 formation sans diplôme" in found["courses"].figures
        assert "0 division sans diplôme ni formation" in found["divisions"].figures
        assert found["codes"].figures[:2] == ("1 élève présent", "0 élève sans compte")

    def test_steps_those_who_left_since_july_are_counted(self, judge: Any) -> None:
        def left(day: date) -> Prepare:
            return adds(lambda world: make_student(world.a.id, is_active=False, departed_on=day))

        step = judge(pupils_imported, left(date(2026, 6, 30)), left(date(2026, 7, 1)), left(date(2026, 9, 2)))

        assert step["leavers"].figures == (
            "2 élèves partis depuis juillet",
            "0 départ proposé par l’import et non coché",
            "0 élève présent sans division",
        )

    def test_steps_a_departure_proposed_and_not_ticked_is_left_to_do(self, judge: Any) -> None:
        def propose(session: Session, world: World) -> None:
            run = make_import(world.a.id)
            session.add(run)
            session.flush()
            for is_selected in (False, True):  # one left, one that was ticked and whose pupil came back since
                student = make_student(world.a.id, division_id=world.a.division_id)
                session.add(student)
                session.flush()
                session.add(
                    ImportChange(
                        establishment_id=world.a.id,
                        run_id=run.id,
                        object_type="student",
                        object_id=student.id,
                        object_label="",
                        action=ChangeAction.DEACTIVATE,
                        is_selected=is_selected,
                        changes={},
                    )
                )

        step = judge(pupils_imported, propose)["leavers"]

        assert (step.state, step.figures[1]) == (StepState.TO_DO, "1 départ proposé par l’import et non coché")

        def note(session: Session, world: World) -> None:
            for student in session.scalars(select(Student).where(Student.establishment_id == world.a.id)):
                student.is_active = False

        assert judge(note)["leavers"].figures[1] == "0 départ proposé par l’import et non coché"

    @pytest.mark.parametrize("key", ["masks", "mandates"])
    def test_steps_a_readers_eye_alone_does_some(self, judge: Any, key: str) -> None:
        assert judge(pupils_imported, marked(key, Mark.CHECKED, 2025))[key].state is StepState.TO_DO
        step = judge(marked(key, Mark.CHECKED))[key]
        assert (step.state, step.at, step.by) == (StepState.DONE, NOW, "Claude Basalte")

    def test_steps_reserve_the_figure_of_mandates_which_administrators_do_not_see(self, judge: Any) -> None:
        step = judge(lambda session, world: session.add(make_mandate(world)))["mandates"]

        assert step.figures == ()
        assert step.reserved == ((Permission.MANDATES_VIEW, "1 accès en cours"),)

    def test_steps_without_the_module_no_mandate_is_read(self, judge: Any) -> None:
        def no_inspectors(session: Session, world: World) -> None:
            session.get_one(Establishment, world.a.id).inspectors_enabled = False

        assert judge(no_inspectors)["mandates"].state is StepState.DONE

    def test_steps_who_left_is_read_again_where_no_import_says_it(self, judge: Any) -> None:
        aside = marked("pupils", Mark.SET_ASIDE)
        assert judge(aside)["leavers"].state is StepState.TO_DO
        assert judge(marked("leavers", Mark.CHECKED))["leavers"].state is StepState.DONE

    def test_steps_nobodys_word_does_what_an_import_has_figures_for(self, judge: Any) -> None:
        found = judge(
            pupils_imported,
            adds(lambda world: make_student(world.a.id)),
            marked("leavers", Mark.CHECKED),
        )["leavers"]
        assert (found.state, found.is_marked_by_hand) == (StepState.TO_DO, False)

    def test_steps_one_set_aside_holds_nothing_up(self, judge: Any) -> None:
        found = judge(marked("pupils", Mark.SET_ASIDE))
        assert found["pupils"].state is StepState.SET_ASIDE
        assert StepState.WAITING not in {step.state for step in found.values()}


@pytest.mark.unit
class TestDeclarations:
    def test_declarations_have_keys_that_the_database_holds(self) -> None:
        assert len({step.key for step in STEPS}) == len(STEPS)
        assert all(0 < len(step.key) <= 16 for step in STEPS)

    def test_declarations_say_how_each_step_is_done(self) -> None:
        for step in STEPS:
            is_judged = any(figure.is_left_to_do for figure in step.figures)
            assert step.files or step.is_marked_by_hand or is_judged, step.title


def test_actions_of_steps_are_known_to_the_journal(migrated_app: Flask) -> None:
    known = {action for action, _words in known_actions()}
    assert {action for step in STEPS for action in step.actions} <= known

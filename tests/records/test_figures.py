"""Levels of two periods: the last one of each competence counts, in the year it was given, and no index is missed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core import tenancy
from cpro.dashboard.figures.queries import read_year
from cpro.records.figures import Period, SchoolLevels, count_levels
from cpro.records.models import Evaluation, FicheState
from cpro.students.models import Diploma, Student
from tests.factories import World
from tests.helpers.plans import read_plan
from tests.helpers.records import set_up
from tests.helpers.statements import statements_with_values
from tests.records.conftest import Class, make_evaluation, make_fiche

Look = Callable[[], AbstractContextManager[Session]]
YEAR = Period(date(2026, 9, 1), date(2026, 11, 23))
BEFORE = Period(date(2025, 9, 1), date(2025, 11, 23))
MELEC = "40025520"


def levels(app: Flask, school_id: int) -> SchoolLevels:
    """Return what is counted in a school."""
    with app.app_context():
        tenancy.enter(tenancy.Scope(school_id))
        return count_levels(YEAR, BEFORE)


class TestCountLevels:
    def test_count_levels_keeps_the_last_one_of_each_competence_and_year(
        self, app: Flask, classroom: Class, world: World
    ) -> None:
        def fill(session: Session) -> None:
            first, second = (session.get_one(Competence, each) for each in classroom.competences)
            mate = session.get_one(Student, classroom.mate)
            for day, level, competence in (
                (date(2025, 10, 1), 1, first),
                (date(2026, 9, 20), 2, first),
                (date(2026, 11, 2), 4, first),
                (date(2026, 10, 2), 3, second),
                (date(2025, 12, 1), 4, second),  # later in the year before than the day compared with
                (date(2024, 10, 1), 4, second),
            ):
                session.add(make_evaluation(mate, competence, evaluated_on=day, level=level))

        set_up(app, fill)
        found = levels(app, world.a.id)

        own_and_mate, mate_before = found.by_diploma[MELEC, True], found.by_diploma[MELEC, False]
        assert own_and_mate.by_level == {1: 0, 2: 1, 3: 1, 4: 1}  # one pupil's C1 at 2, the other's C1 at 4, C2 at 3
        assert (own_and_mate.evaluations, own_and_mate.share) == (4, 67)
        assert (mate_before.evaluations, mate_before.by_level[1], mate_before.share) == (1, 1, 0)
        assert found.by_division[classroom.division] == own_and_mate

    def test_count_levels_counts_the_departed_in_the_diploma_alone(
        self, app: Flask, classroom: Class, world: World
    ) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            session.add(make_evaluation(session.get_one(Student, classroom.gone), competence, level=4))

        set_up(app, fill)
        found = levels(app, world.a.id)

        assert found.by_diploma[MELEC, True].evaluations == 2
        assert found.by_division[classroom.division].evaluations == 1

    def test_count_levels_leaves_out_copies_and_other_schools(self, app: Flask, classroom: Class, world: World) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            elsewhere = session.get_one(Student, classroom.elsewhere)
            session.add(make_evaluation(elsewhere, competence, level=4))
            session.get_one(Evaluation, classroom.evaluation).received_in = 1

        set_up(app, fill)

        assert levels(app, world.a.id).by_diploma == {}
        assert levels(app, world.b.id).by_diploma[MELEC, True].by_level[4] == 1

    def test_count_levels_calls_a_diploma_as_today_and_one_that_is_gone_as_it_was(
        self, app: Flask, classroom: Class, world: World
    ) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            mate = session.get_one(Student, classroom.mate)
            session.add(make_evaluation(mate, competence, diploma_label="Bac pro ELEEC"))
            session.add(make_evaluation(mate, competence, diploma_code="GONE", diploma_label="BEP d’antan"))
            session.add(Diploma(code=MELEC, label="Le nôtre", short_label="MELEC d’ici", establishment_id=world.a.id))

        set_up(app, fill)

        assert levels(app, world.a.id).labels == {MELEC: "MELEC d’ici", "GONE": "BEP d’antan"}
        assert levels(app, world.b.id).labels == {}


class TestPlans:
    @pytest.mark.any_database
    def test_read_year_reads_the_indexes_of_the_days_and_of_the_state(
        self, app: Flask, classroom: Class, world: World
    ) -> None:
        """Neither every évaluation, nor every fiche, nor every passport of the school is read."""
        set_up(
            app,
            lambda session: session.add(
                make_fiche(session.get_one(Student, classroom.mate), state=FicheState.SUBMITTED)
            ),
        )
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with statements_with_values(app) as sent:
                year = read_year(date(2026, 11, 23), "Europe/Paris")
            statements = [each for each in sent if each[0].startswith("SELECT")]
            plans = [read_plan(app, *each) for each in statements]

        assert year.pending is not None and year.pending[classroom.division] == 1
        for index in ("ix_student_is_active", "ix_evaluation_day", "ix_fiche_state", "ix_passport_issue_issued_at"):
            assert index in plans[0], plans[0]
        read = "\n".join(plans[1:])
        assert all(index in read for index in ("ix_evaluation_day", "ix_fiche_state", "ix_passport_issue_issued_at"))
        whole = [f"SCAN {table}" for table in ("evaluation", "fiche", "passport_issue", "student")]
        assert not [line for line in read.splitlines() if line in whole]
        assert len(statements) == 7

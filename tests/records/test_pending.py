"""What waits for a teacher, by division: counted for their own divisions alone, from the indexes of the pupils."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core import tenancy
from cpro.records.models import FicheState
from cpro.records.pending import list_pending
from cpro.records.queries import list_divisions_of
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.plans import read_plan
from tests.helpers.records import set_up
from tests.helpers.statements import statements_with_values
from tests.records.conftest import Class, make_evaluation, make_fiche

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


class TestListPending:
    def test_list_pending_counts_the_present_pupils_of_ones_divisions(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            session.add(make_evaluation(session.get_one(Student, classroom.mate), competence, evaluated_on=day))
            for pupil in (classroom.own, classroom.gone, classroom.stranger, classroom.elsewhere):
                session.add(make_fiche(session.get_one(Student, pupil), state=FicheState.SUBMITTED))

        day = date(2026, 10, 1)
        set_up(app, fill)
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            divisions = list_divisions_of(world.a.account_ids["teacher"])
            october, november = (list_pending(divisions, since) for since in (day, date(2026, 11, 1)))

        assert [(each.division.code, each.to_validate) for each in october] == [("2ALP", 1)]
        assert november[0].not_evaluated - october[0].not_evaluated == 1

    def test_list_pending_leads_to_the_pupils_counted(self, app: Flask, as_: As, classroom: Class) -> None:
        def fill(session: Session) -> None:
            competence = session.get_one(Competence, classroom.competences[0])
            session.add(
                make_evaluation(session.get_one(Student, classroom.mate), competence, evaluated_on=date(2026, 11, 1))
            )

        set_up(app, fill)
        with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
            browser = as_("teacher")
            page = Page(browser.get("/eleves"))
            address = next(each for each in page.links if each.endswith("situation=sans-evaluation"))
            found = Page(browser.get(address)).text

        assert "sans évaluation ce mois-ci en 2ALP" in page.text
        assert "AGATE" in found and "BÉRYL" not in found and "DÉPART" not in found

    @pytest.mark.parametrize("role", ["head", "student"])
    def test_list_pending_is_a_teachers(self, as_: As, classroom: Class, role: str) -> None:
        assert "Ce qui vous attend" not in as_(role).get("/eleves").text

    @pytest.mark.any_database
    def test_list_pending_reads_the_records_pupil_by_pupil(self, app: Flask, classroom: Class, world: World) -> None:
        """Neither every fiche nor every évaluation of the school is read for the pupils of one teacher."""
        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            divisions = list_divisions_of(world.a.account_ids["teacher"])
            with statements_with_values(app) as sent:
                list_pending(divisions, date(2026, 11, 1))
            fiches, pupils = (read_plan(app, *each) for each in sent[-2:])

        assert "SEARCH student USING INDEX" in fiches and "SEARCH student USING INDEX" in pupils
        assert (
            "SEARCH fiche USING COVERING INDEX ix_fiche_state (establishment_id=? AND state=? AND student_id=?)"
            in fiches
        )
        assert "SEARCH evaluation USING INDEX ix_evaluation_student (establishment_id=? AND student_id=?)" in pupils

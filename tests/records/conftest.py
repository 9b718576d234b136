"""Two schools whose pupils have records: every text of theirs bears `MARKER`, which must show nowhere else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.scenarios.models import Scenario
from cpro.students.models import Diploma, Division, Student, TeacherDivision
from tests.factories import NOW, World, make_student

Arrange = Callable[[], AbstractContextManager[Session]]
#: In every title, place, task, scenario and bilan of the fixtures below.
MARKER = "Marqueur-confidentiel"


@dataclass(frozen=True)
class Class:
    """What tests need of school "a": ids."""

    #: the pupil who signs in as "student", in the teacher's division
    own: int
    #: a pupil of the same division
    mate: int
    #: a pupil of a division nobody teaches
    stranger: int
    #: a pupil who has left the teacher's division
    gone: int
    #: a pupil of school "b"
    elsewhere: int
    division: int
    other_division: int
    #: C1 and C2 of the diploma
    competences: tuple[int, int]
    #: a competence of another diploma
    foreign_competence: int
    scenario: int
    #: records of `own`: by the teacher, but the draft, which is the pupil's
    fiche: int
    draft: int
    evaluation: int
    bilan: int


@pytest.fixture
def classroom(world: World, arrange: Arrange) -> Class:
    """Give the world its teacher's division, its pupils, a list of competences, and records to `own`."""
    with arrange() as session:
        diploma = session.scalars(select(Diploma)).one()
        other_diploma = Diploma(code="CAP-X", label="CAP d’essai", short_label="CAP X")
        other = Division(establishment_id=world.a.id, code="1AUTRE", label="", diploma_id=diploma.id)
        session.add_all([other, other_diploma])
        session.flush()
        competences = [
            Competence(diploma_id=diploma.id, code=f"C{rank}", label=f"Compétence {rank}", position=rank)
            for rank in (1, 2)
        ]
        foreign = Competence(diploma_id=other_diploma.id, code="C1", label="D’un autre diplôme", position=1)
        scenario = Scenario(
            establishment_id=world.a.id,
            diploma_id=diploma.id,
            title=f"Scénario {MARKER}",
            author_id=world.a.account_ids["teacher"],
            created_at=NOW,
            changed_at=NOW,
        )
        session.add_all([*competences, foreign, scenario])
        for school in (world.a, world.b):
            session.add(
                TeacherDivision(
                    establishment_id=school.id,
                    account_id=school.account_ids["teacher"],
                    division_id=school.division_id,
                )
            )
        pupils = {
            "own": make_student(
                world.a.id,
                last_name="Agate",
                first_name="Noé",
                division_id=world.a.division_id,
                account_id=world.a.account_ids["student"],
            ),
            "mate": make_student(world.a.id, last_name="Béryl", division_id=world.a.division_id),
            "stranger": make_student(world.a.id, last_name="Corail", division_id=other.id),
            "gone": make_student(
                world.a.id,
                last_name="Départ",
                division_id=world.a.division_id,
                is_active=False,
                departed_on=date(2026, 9, 1),
            ),
        }
        session.add_all(pupils.values())
        session.flush()
        teacher = world.a.account_ids["teacher"]
        own = pupils["own"]
        fiche = make_fiche(own, author_id=teacher, state=FicheState.VALIDATED)
        draft = make_fiche(own, author_id=own.account_id, author_label="Noé AGATE", state=FicheState.DRAFT)
        session.add_all([fiche, draft])
        session.flush()
        evaluation = make_evaluation(own, competences[0], author_id=teacher, fiche_uid=fiche.origin_uid)
        bilan = make_bilan(own, author_id=teacher)
        session.add_all([evaluation, bilan])
        session.flush()
        return Class(
            **{name: pupil.id for name, pupil in pupils.items()},
            elsewhere=world.b.student_id,
            division=world.a.division_id,
            other_division=other.id,
            competences=(competences[0].id, competences[1].id),
            foreign_competence=foreign.id,
            scenario=scenario.id,
            fiche=fiche.id,
            draft=draft.id,
            evaluation=evaluation.id,
            bilan=bilan.id,
        )


def make_fiche(student: Student, **values: Any) -> Fiche:
    """Return a validated fiche of a saved pupil, unsaved."""
    return Fiche(
        **{
            **_birth(student),
            "title": f"Fiche {MARKER}",
            "place": Place.COMPANY,
            "place_name": f"Atelier {MARKER}",
            "starts_on": date(2026, 9, 7),
            "ends_on": date(2026, 9, 18),
            "tasks": f"<p>Tâches {MARKER}</p>",
            "state": FicheState.VALIDATED,
            "validated_at": NOW,
            "validated_by_label": "Inès QUARTZ",
            **values,
        }
    )


def make_evaluation(student: Student, competence: Competence, **values: Any) -> Evaluation:
    """Return an évaluation of a saved pupil, unsaved."""
    return Evaluation(
        **{
            **_birth(student),
            "competence_id": competence.id,
            "competence_code": competence.code,
            "competence_label": f"{competence.label} {MARKER}",
            "diploma_code": "40025520",
            "diploma_label": "Bac pro MELEC",
            "level": 2,
            "evaluated_on": date(2026, 9, 18),
            "scenario_title": f"Scénario {MARKER}",
            **values,
        }
    )


def make_bilan(student: Student, **values: Any) -> Bilan:
    """Return a bilan of a saved pupil, unsaved."""
    return Bilan(
        **{
            **_birth(student),
            "starts_on": date(2026, 9, 1),
            "ends_on": date(2026, 9, 30),
            "body": f"<p>Bilan {MARKER}</p>",
            **values,
        }
    )


def _birth(student: Student) -> dict[str, Any]:
    return {
        "establishment_id": student.establishment_id,
        "student_id": student.id,
        "origin_uid": str(uuid.uuid4()),
        "author_label": "Inès QUARTZ",
        "created_at": NOW,
        "changed_at": NOW,
    }

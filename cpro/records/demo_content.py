"""The records of the demonstration schools: a pupil in the middle of their training, and a departed one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Diploma, Division, Student, TeacherDivision
from cpro.users.models import Account

#: Days between the end of a situation and the day of loading, its length in days, its content.
_FICHES = (
    (
        170, 19, Place.COMPANY, "Ampère et Fils", "Installation d’un pavillon neuf",
        "<p>Première période en entreprise, avec un compagnon.</p>"
        "<ul><li>pose des boîtes et des gaines</li><li>tirage des conducteurs</li><li>repérage des circuits</li></ul>",
        FicheState.VALIDATED,
    ),
    (
        120, 2, Place.SCHOOL, "Atelier domotique", "Câblage d’un tableau communicant",
        "<p>Câblage, puis <strong>mise en service</strong> d’un tableau de répartition communicant.</p>",
        FicheState.VALIDATED,
    ),
    (
        75, 0, Place.SCHOOL, "Atelier énergie", "Recherche de panne sur un départ moteur",
        "<p>Diagnostic hors tension, puis sous tension avec le professeur.</p>"
        "<ol><li>lecture du schéma</li><li>mesures</li><li>remplacement du contacteur</li></ol>",
        FicheState.VALIDATED,
    ),
    (
        32, 12, Place.COMPANY, "Voltaïque du Centre", "Raccordement de panneaux photovoltaïques",
        "<p>Seconde période en entreprise : pose et raccordement de douze panneaux.</p>",
        FicheState.SUBMITTED,
    ),
    (
        6, 1, Place.SCHOOL, "Atelier domotique", "Éclairage piloté d’une salle de classe",
        "<p>À compléter avec les mesures.</p>",
        FicheState.DRAFT,
    ),
)  # fmt: skip
#: Days before the day of loading, index of the competence in its list, level, index of the fiche.
_EVALUATIONS = (
    (168, 0, 1, 0), (165, 2, 2, 0), (160, 3, 1, 0), (120, 0, 2, 1), (119, 1, 2, 1), (118, 3, 2, 1), (117, 4, 2, 1),
    (75, 0, 3, 2), (75, 5, 1, 2), (74, 6, 2, 2), (40, 1, 3, None), (38, 2, 3, None), (30, 5, 2, None),
    (28, 3, 3, None), (10, 0, 4, None), (9, 4, 3, None),
)  # fmt: skip
_BILANS = (
    (
        155, 45,
        "<p>Un premier trimestre sérieux. Les gestes de base sont <strong>acquis</strong> ; la lecture de schémas "
        "demande encore de l’attention.</p><p>La période en entreprise s’est bien passée.</p>",
    ),
    (
        20, 100,
        "<p>De nets progrès en diagnostic. L’autonomie s’installe : continuez à consigner vos mesures.</p>",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Setting:
    """Data needed to write the records of a school's demonstration pupils."""

    session: Session
    school: Establishment
    teacher: Account
    #: by diploma's id, in the order of its list
    competences: Mapping[int, list[Competence]]
    diplomas: Mapping[int, Diploma]
    now: datetime


def load(session: Session, schools: tuple[Establishment, Establishment], now: datetime) -> None:
    """Give the teachers of the two demonstration schools their divisions, and two pupils of the first their records.

    `session` is a platform session with a unit of work open; divisions, pupils, accounts and lists of competences must
    exist.
    """
    for school in schools:
        _give_divisions(session, school)
    first = schools[0]
    competences: dict[int, list[Competence]] = {}
    for each in session.scalars(
        select(Competence).where(Competence.establishment_id.is_(None)).order_by(Competence.position, Competence.id)
    ):
        competences.setdefault(each.diploma_id, []).append(each)
    setting = _Setting(
        session,
        first,
        _account(session, first, Role.TEACHER),
        competences,
        {each.id: each for each in session.scalars(select(Diploma))},
        now,
    )
    pupil = _account(session, first, Role.STUDENT)
    own = session.scalars(
        select(Student).where(Student.establishment_id == first.id, Student.account_id == pupil.id)
    ).one()
    _write(setting, own, author=pupil, today=now.date())
    departed = session.scalars(
        select(Student).where(Student.establishment_id == first.id, Student.last_name == "Topaze")
    ).one()
    _write(setting, departed, author=setting.teacher, today=departed.departed_on or now.date())
    session.flush()


def _give_divisions(session: Session, school: Establishment) -> None:
    """Give the teacher the three years of the first diploma."""
    teacher = _account(session, school, Role.TEACHER)
    for division_id in session.scalars(
        select(Division.id)
        .where(Division.establishment_id == school.id, Division.code.contains("MELEC", autoescape=True))
        .order_by(Division.code)
    ).all():
        session.add(TeacherDivision(establishment_id=school.id, account_id=teacher.id, division_id=division_id))


def _account(session: Session, school: Establishment, role: Role) -> Account:
    return session.scalars(
        select(Account).where(Account.establishment_id == school.id, Account.role == role).order_by(Account.id).limit(1)
    ).one()


def _write(setting: _Setting, student: Student, *, author: Account, today: date) -> None:
    """Write fiches by `author`, évaluations and bilans by the teacher, the latest shortly before `today`."""
    fiches = [
        Fiche(
            title=title,
            place=place,
            place_name=place_name,
            starts_on=today - timedelta(days=ended + lasted),
            ends_on=today - timedelta(days=ended),
            tasks=tasks,
            state=state,
            validated_at=setting.now if state is FicheState.VALIDATED else None,
            validated_by_label=setting.teacher.label if state is FicheState.VALIDATED else "",
            **_birth(setting, student, author, today - timedelta(days=ended)),
        )
        for ended, lasted, place, place_name, title, tasks, stood in _FICHES
        # a teacher's fiches, and those of departed pupils, are validated
        for state in (stood if author.role is Role.STUDENT else FicheState.VALIDATED,)
    ]
    setting.session.add_all(fiches)
    setting.session.flush()
    for before, lasted, body in _BILANS:
        last = today - timedelta(days=before)
        setting.session.add(
            Bilan(
                starts_on=last - timedelta(days=lasted),
                ends_on=last,
                body=body,
                **_birth(setting, student, setting.teacher, last),
            )
        )
    division = setting.session.get(Division, student.division_id) if student.division_id else None
    known = setting.competences.get((division.diploma_id if division else None) or 0, [])
    for before, rank, level, fiche_rank in _EVALUATIONS:
        if rank >= len(known):
            continue
        day = today - timedelta(days=before)
        setting.session.add(_evaluation(setting, student, known[rank], level, day, fiches, fiche_rank))


def _evaluation(
    setting: _Setting,
    student: Student,
    competence: Competence,
    level: int,
    day: date,
    fiches: list[Fiche],
    fiche_rank: int | None,
) -> Evaluation:
    diploma = setting.diplomas[competence.diploma_id]
    return Evaluation(
        competence_id=competence.id,
        competence_code=competence.code,
        competence_label=competence.label,
        diploma_code=diploma.code,
        diploma_label=diploma.short_label,
        level=level,
        evaluated_on=day,
        fiche_uid=fiches[fiche_rank].origin_uid if fiche_rank is not None else None,
        **_birth(setting, student, setting.teacher, day),
    )


def _birth(setting: _Setting, student: Student, author: Account, day: date) -> dict[str, object]:
    at = datetime(day.year, day.month, day.day, 15, tzinfo=setting.now.tzinfo)
    return {
        "establishment_id": setting.school.id,
        "student_id": student.id,
        "origin_uid": str(uuid.uuid4()),
        "author_id": author.id,
        "author_label": author.label,
        "created_at": at,
        "changed_at": at,
    }

"""Texts about pupils: those without an INE, departures, returns, courses."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from markupsafe import Markup

from cpro.core.errors import refusal_of
from cpro.core.formatting import format_count, format_date, plural, spoken_name
from cpro.core.lists import disambiguate
from cpro.establishments.models import Establishment
from cpro.students.models import Student
from cpro.students.operations import is_kept_by_siecle
from cpro.students.queries import count_active_students
from cpro.students.several import check_return
from cpro.students.web.forms import DivisionForm

ALL_GONE = "Cet élève est déjà parti\u202f: rien n’a changé."
NOBODY_THERE = "Cette division n’a aucun élève présent."
NOBODY_PRESENT = "Aucun de ces élèves n’est présent\u202f: rien n’a changé."
COURSE_GIVEN = [
    "Si toutes les formations des élèves d’une division mènent au même diplôme, la division reçoit ce diplôme.",
    "Un tableau importé plus tard remplace cette formation seulement s’il en donne une autre.",
]
DIVISION_CHANGED = [
    "Qui est déjà dans la division choisie y reste\u202f; un élève parti n’est pas changé.",
    "Les enseignants de la nouvelle division voient ces élèves, ceux de l’ancienne ne les voient plus.",
    "Si toutes les formations des élèves d’une division mènent au même diplôme, la division reçoit ce diplôme.",
    "La formation (MEF) de chaque élève ne change pas\u202f: corrigez-la ensuite s’il le faut.",
    "Un tableau importé plus tard remplace cette division seulement s’il en donne une autre.",
]
RETURNED = [
    "L’élève redevient présent, dans la division où il était\u202f: corrigez-la ensuite s’il le faut.",
    "Ses fiches, évaluations et bilans se complètent à nouveau.",
    "S’il a un INE et que ses données étaient parties vers un autre établissement, ce transfert est clos\u202f; les "
    "copies y restent.",
]


_WAY_BACK = "Si l’élève revient, ou en cas d’erreur, sa fiche propose «\u202fNoter son retour\u202f»."
_WAY_BACK_OF_SEVERAL = (
    "En cas d’erreur, le message qui suit propose d’annuler ces départs\u202f; plus tard, cochez les élèves partis "
    "dans leur liste, puis «\u202fNoter le retour\u202f»."
)


def describe_departure(school: Establishment, number: int) -> list[str]:
    """Return the consequences of so many departures, with the school's own settings."""
    years = plural(school.retention_years, "an", "ans")
    return [
        "Les fiches, évaluations et bilans ne se modifient plus\u202f; ils se lisent et s’exportent encore pendant "
        f"{years}, puis sont supprimés.",
        "Le compte de l’élève, s’il en a un, reste ouvert\u202f: il lit et exporte son parcours.",
        "Avec un INE et les transferts activés, son parcours le suit dans l’établissement où il arrive\u202f; une "
        "copie déjà reçue y reste, même si le départ est annulé ensuite.",
        _WAY_BACK if number < 2 else _WAY_BACK_OF_SEVERAL,
        "Un tableau déposé plus tard qui le nomme encore, sans date de sortie, proposera de le réactiver.",
    ]


def describe_departed(student_ids: Sequence[int]) -> str:
    """Return the message after departures, with the link that asks for the return of exactly these students."""
    said = f"{plural(len(student_ids), 'départ est noté', 'départs sont notés')}."
    label = "Annuler ce départ" if len(student_ids) == 1 else "Annuler ces départs"
    url = url_for("students.come_back", ids=",".join(map(str, student_ids)))
    return Markup('{} <a href="{}">{}</a>').format(said, url, label)


def describe_returned(student_ids: Sequence[int]) -> str:
    """Return the message after returns."""
    if len(student_ids) == 1:
        return "Le retour est noté\u202f: vérifiez la division de l’élève."
    return f"{format_count(len(student_ids))} retours sont notés\u202f: vérifiez la division de chaque élève."


def describe_moved(student_ids: Sequence[int], form: DivisionForm) -> str:
    """Return the message after a change of division."""
    said = plural(len(student_ids), "élève changé de division", "élèves changés de division")
    return f"{said}\u202f: {form.division.data}." if student_ids else f"{said}."


def why_not_back(students: Sequence[Student]) -> dict[int, str]:
    """Return the students whose return cannot be recorded, by id, each with the reason."""
    refused = {each.id: refusal_of(check_return, each) for each in students}
    return {student_id: refusal.message for student_id, refusal in refused.items() if refusal is not None}


def label_button(alone: str, several: str, students: Sequence[Student]) -> str:
    """Return the label of the button that acts: for several students, with their number."""
    return alone if len(students) == 1 else f"Noter {format_count(len(students))} {several}"


def name_of(student: Student) -> str:
    """Return a student's name."""
    return spoken_name(student.first_name, student.last_name)


def name_and_birth(student: Student) -> str:
    """Return a student's name and birth date, for lists that may contain namesakes."""
    born = f" ({format_date(student.birth_date)})" if student.birth_date else ""
    return f"{name_of(student)}{born}"


def call_apart(students: Sequence[Student]) -> dict[int, str]:
    """Return the link labels of some students, by their ids: all different."""
    ids = [each.id for each in students]
    return dict(zip(ids, disambiguate([name_and_birth(each) for each in students], ids), strict=True))


def describe_ine_remedy() -> str:
    """Return how to complete a missing INE, depending on whether the school uses SIECLE."""
    how = (
        "complétez-le dans SIECLE, puis importez à nouveau le fichier des élèves."
        if is_kept_by_siecle()
        else "complétez-le dans votre tableau des élèves, puis importez-le à nouveau."
    )
    return f"L’INE ne se saisit pas dans CPro\u202f: {how}"


def describe_no_missing_ine() -> str:
    """Return the text shown when no pupil lacks an INE; it does not mention pupils while there are none."""
    if not count_active_students():
        return "Aucun élève n’est encore présent dans l’établissement."
    return "Tous vos élèves ont un INE : aucun n’est écarté des transferts."

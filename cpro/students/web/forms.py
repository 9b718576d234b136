"""Forms of students and courses that cannot be generated from the model alone."""

from __future__ import annotations

from wtforms import BooleanField
from wtforms.validators import DataRequired

from cpro.core.web.choices import CodeField
from cpro.core.web.forms import BaseForm, DayField, VersionedForm, marked_required
from cpro.core.web.screens import field_of
from cpro.students.models import MEF, Student
from cpro.students.queries import offer_courses, offer_divisions


def _course_field(help: str) -> CodeField:
    return CodeField("Formation (MEF)", offer=offer_courses, nothing="aucune", description=help)


class StudentForm(VersionedForm):
    """A student, created and updated manually."""

    last_name = field_of(Student, "last_name")
    usage_name = field_of(Student, "usage_name")
    first_name = field_of(Student, "first_name")
    birth_date = field_of(Student, "birth_date")
    division = field_of(Student, "division")
    mef_code = _course_field(
        "Une formation de votre liste\u202f; la division prend le diplôme auquel elle mène. «\u202faucune\u202f» si "
        "vous ne vous en servez pas."
    )


class DepartureForm(BaseForm):
    """The day on which students left."""

    departed_on = DayField(
        "Jour du départ",
        [DataRequired("Indiquez le jour du départ.")],
        description="Le dernier jour dans votre établissement, aujourd’hui au plus tard.",
    )


class CourseForm(BaseForm):
    """The course that students follow."""

    mef_code = _course_field("Une formation de votre liste. «\u202faucune\u202f» retire la formation de ces élèves.")


class DivisionForm(BaseForm):
    """The division that students go to."""

    division = CodeField("Division", [marked_required], offer=offer_divisions, nothing="Choisissez une division")


class MEFForm(VersionedForm):
    """A course of the ministry's list, on update: its code is read-only."""

    label = field_of(MEF, "label", help="Le fichier Nomenclature le donne aussi.")
    diploma = field_of(MEF, "diploma")
    other_years = BooleanField("Rattacher aussi les autres années de cette formation", default=True)

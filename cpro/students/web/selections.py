"""The pupils that a page concerns, parsed from and written to its URL or its form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpro.core.ticked_rows import NoRowTicked, check_not_too_many, read_ticked_ids
from cpro.students.accounts.queries import Selection
from cpro.students.models import Student
from cpro.students.several import list_students, list_students_of_division


def read_selection(values: Any) -> Selection | None:
    """Parse a selection from `ids` (repeated, or separated by commas), `division` or `tous`; None without any.

    Raises as `read_ticked_ids` does.
    """
    ids = read_ticked_ids(values.getlist("ids"))
    division = values.get("division", "").strip()
    if ids or division:
        return Selection(student_ids=tuple(ids), division=division)
    return Selection(is_everyone=True) if values.get("tous") == "oui" else None


def read_students(values: Any) -> Sequence[Student]:
    """Return the students named by `ids`, or those of `division` who are present, by name.

    Raises as `core.ticked_rows` does, and `NotFound` for a division that the school does not have.
    """
    selection = read_selection(values)
    if selection and selection.student_ids:
        return list_students(selection.student_ids)
    if selection is None:
        raise NoRowTicked
    students = list_students_of_division(selection.division)
    check_not_too_many(students)
    return students


def get_fields(selection: Selection) -> dict[str, Any]:
    """Return a selection as the fields of a URL or of a form."""
    if selection.student_ids:
        return {"ids": ",".join(map(str, selection.student_ids))}
    return {"division": selection.division} if selection.division else {"tous": "oui"}

"""The pupils that a page concerns, parsed from and written to its URL or its form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpro.core.errors import DomainError, NotFound
from cpro.core.parsing import read_id
from cpro.students.accounts.queries import Selection
from cpro.students.models import Student
from cpro.students.several import list_students, list_students_of_division

#: Enough for every pupil of a school; a longer list cannot come from a person.
_MOST_IDS = 10_000


def read_selection(values: Any) -> Selection | None:
    """Parse a selection from `ids` (repeated, or separated by commas), `division` or `tous`; None without any.

    Raises `NotFound` for an invalid id, `DomainError` for more ids than a school has pupils.
    """
    ids = read_ids(values.getlist("ids"))
    division = values.get("division", "").strip()
    if ids or division:
        return Selection(student_ids=tuple(ids), division=division)
    return Selection(is_everyone=True) if values.get("tous") == "oui" else None


def read_ids(given: Sequence[str]) -> list[int]:
    """Return the distinct ids of repeated values, each of which may contain several separated by commas."""
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    if len(words) > _MOST_IDS:
        raise DomainError("Cela fait trop d’élèves à la fois : procédez division par division.")
    ids = dict.fromkeys(read_id(word) for word in words)
    if None in ids:
        raise NotFound("Un de ces élèves n’existe pas dans votre établissement.")
    return [each for each in ids if each is not None]


def read_students(values: Any) -> Sequence[Student]:
    """Return the students named by `ids`, or those of `division` who are present, by name.

    Raises the errors of `read_selection`, and `NotFound` for an empty selection, or a student or a division that the
    school does not have.
    """
    selection = read_selection(values)
    if selection and selection.student_ids:
        return list_students(selection.student_ids)
    if selection is None:
        raise NotFound("Aucun élève n’est choisi : cochez-en dans la liste.")
    return list_students_of_division(selection.division)


def get_fields(selection: Selection) -> dict[str, Any]:
    """Return a selection as the fields of a URL or of a form."""
    if selection.student_ids:
        return {"ids": ",".join(map(str, selection.student_ids))}
    return {"division": selection.division} if selection.division else {"tous": "oui"}

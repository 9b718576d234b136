"""Which pupils a page is about, as its address or its form names them: read, and written again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpro.core.errors import DomainError, NotFound
from cpro.core.parsing import read_id
from cpro.students.accounts.queries import Selection
from cpro.students.models import Student
from cpro.students.several import list_students, list_students_of_division

#: Enough for every pupil of a school; more is no person's choice.
_MOST_IDS = 10_000


def read_selection(values: Any) -> Selection | None:
    """Return which pupils are meant by `ids` (repeated, or separated by commas), `division` or `tous`, or None.

    Raises `NotFound` for what is no id, `DomainError` for more ids than a school has pupils.
    """
    ids = read_ids(values.getlist("ids"))
    division = values.get("division", "").strip()
    if ids or division:
        return Selection(student_ids=tuple(ids), division=division)
    return Selection(is_everyone=True) if values.get("tous") == "oui" else None


def read_ids(given: Sequence[str]) -> list[int]:
    """Return the ids of repeated values, each of which may hold several separated by commas, each once."""
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    if len(words) > _MOST_IDS:
        raise DomainError("Cela fait trop d’élèves à la fois : procédez division par division.")
    ids = dict.fromkeys(read_id(word) for word in words)
    if None in ids:
        raise NotFound("Un de ces élèves n’existe pas dans votre établissement.")
    return [each for each in ids if each is not None]


def read_students(values: Any) -> Sequence[Student]:
    """Return the students named by `ids`, or those of `division` who are present, by name.

    Raises as `read_selection`, and `NotFound` for nobody, a student or a division of no such school.
    """
    selection = read_selection(values)
    if selection and selection.student_ids:
        return list_students(selection.student_ids)
    return list_students_of_division(selection.division if selection else "")


def get_fields(selection: Selection) -> dict[str, Any]:
    """Return a selection as the fields of an address or of a form."""
    if selection.student_ids:
        return {"ids": ",".join(map(str, selection.student_ids))}
    return {"division": selection.division} if selection.division else {"tous": "oui"}

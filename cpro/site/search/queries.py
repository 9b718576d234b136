"""Queries of the search: the first rows of each kind and their number, matched as the lists of that kind do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from cpro.core import tenancy
from cpro.core.lists import ListState
from cpro.core.search import Search
from cpro.core.validators import fold
from cpro.core.web.screens.queries import read_page
from cpro.establishments.models import Establishment
from cpro.establishments.queries import find_establishments
from cpro.extensions import db
from cpro.records import queries as records
from cpro.students.models import Division, Student
from cpro.users.models import Account
from cpro.users.queries import has_email

#: How many rows are shown when there are more, up to how many are counted, and how many are read: « Tout voir » is not
#: offered for a single extra row.
SHOWN, COUNTED = 5, 100
READ = SHOWN + 1


def find_students(text: str, *, by_ine: bool) -> tuple[int, Sequence[Student]]:
    """Return how many pupils of the school match a text, and the first ones."""
    search = Search(Student, text, Student.ine if by_ine else None)
    return _find_first(search, joinedload(Student.division))


def find_pupils_of(teacher_id: int, text: str) -> tuple[int, Sequence[Student]]:
    """Return how many pupils of a teacher's divisions match a text, present or not, and the first ones."""
    divisions = frozenset(each.id for each in records.list_divisions_of(teacher_id))
    wanted = records.PupilFilter(division_ids=divisions, words=text, situation=records.ALL)
    page = records.find_pupils(ListState(size=READ), wanted)
    return (records.count_pupils(wanted) if page.next_url else len(page.rows)), page.rows


def find_accounts(text: str) -> tuple[int, Sequence[Account]]:
    """Return how many accounts of the school match a text by name or login, or by a full address; the first ones."""
    if (whole := has_email(text)) is not None:
        found = select(Account).where(whole).order_by(Account.email, Account.id)
        return read_page(found.limit(READ), found, most=COUNTED)
    return _find_first(Search(Account, text))


def find_divisions(words: Sequence[str], *, teacher_id: int | None = None) -> tuple[int, Sequence[Division]]:
    """Return how many divisions hold folded words in code or label, and the first ones: a teacher's, or all visible.

    A school has few, so they are folded here: none of their columns is stored folded.
    """
    listed = select(Division).order_by(Division.code, Division.id)
    divisions = db.session.scalars(listed) if teacher_id is None else records.list_divisions_of(teacher_id)
    found = [each for each in divisions if all(word in fold(f"{each.code} {each.label}") for word in words)]
    return len(found), found[:READ]


def find_schools(text: str) -> Sequence[Establishment]:
    """Return the first schools whose name, UAI, code or city contains every word of a text."""
    with tenancy.platform_session("search among schools") as lookup:
        return find_establishments(lookup, text)


def _find_first(search: Search, *options: Any) -> tuple[int, list[Any]]:
    found, order = search.rank(select(search.model))
    listed = found.order_by(*order)
    return read_page(listed.options(*options).limit(READ), listed, most=COUNTED)

"""Whether two schools describe the same pupil under one INE.

Accents, case, hyphens, usage names and compound first names are not disagreements: spelling varies between schools.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from cpro.core.validators import fold
from cpro.students.models import Origin
from cpro.transfers.models import Disagreement

_WORD = re.compile(r"\w+")
_MOST_LEFT_OUT = 2


class Pupil(NamedTuple):
    """What is compared of a pupil of either school."""

    id: int
    establishment_id: int
    ine: str | None
    is_active: bool
    departed_on: date | None
    came_by: Origin
    last_name: str
    usage_name: str
    first_name: str
    birth_date: date | None


def find_disagreements(one: Pupil, other: Pupil) -> list[Disagreement]:
    """Return how two schools disagree about a pupil, ignoring an unknown birth date; an empty list when they agree."""
    found = []
    if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
        found.append(Disagreement.BIRTH_DATE)
    if not any(_agree(mine, theirs) for mine in _family_names(one) for theirs in _family_names(other)):
        found.append(Disagreement.LAST_NAME)
    if not _agree(one.first_name, other.first_name):
        found.append(Disagreement.FIRST_NAME)
    return found


def differ(one: Pupil, other: Pupil) -> bool:
    """Return whether an INE is not enough to identify two pupils; a missing birth date is not a way around it."""
    return one.birth_date != other.birth_date or bool(find_disagreements(one, other))


def _family_names(person: Pupil) -> list[str]:
    return [name for name in (person.last_name, person.usage_name) if name]


def _agree(one: str, other: str) -> bool:
    """Return whether two names match: the same letters, or the words of one are among those of the other.

    A school may leave out a word or two; in a name of many words, where any one would match, it would be a guess.
    """
    if one == other:
        return True
    mine, theirs = _words(one), _words(other)
    if "".join(mine) == "".join(theirs):
        return True
    fewer, more = sorted((set(mine), set(theirs)), key=len)
    return bool(fewer) and fewer <= more and len(more) <= len(fewer) + _MOST_LEFT_OUT


def _words(name: str) -> list[str]:
    return _WORD.findall(fold(name))

"""The levels given to a pupil, arranged as whoever shows them does: by diploma, by competence, along the time.

The page of a pupil's records draws them (`web/level_chart.py`), so does the passport (`passport.level_charts`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from cpro.core.formatting import join_french
from cpro.core.parsing import read_integer
from cpro.records.models import Evaluation, Level
from cpro.records.queries import LevelPoint

Given = TypeVar("Given", Evaluation, LevelPoint)


def group_by_diploma(levels: Sequence[Given]) -> list[list[Given]]:
    """Return levels (oldest first) by diploma, in the order in which these were met."""
    found: dict[str, list[Given]] = defaultdict(list)
    for each in levels:
        found[each.diploma_code].append(each)
    return list(found.values())


def group_by_competence(levels: Sequence[Given]) -> list[list[Given]]:
    """Return the levels of each competence, in the order of a list: C2 before C10."""
    found: dict[str, list[Given]] = defaultdict(list)
    for each in levels:
        found[each.competence_code].append(each)
    return [found[code] for code in sorted(found, key=_rank_of_code)]


def get_share_of_time(day: date, first: date, last: date) -> float:
    """Return where a day stands between two others, from 0 to 1; in the middle when these are one."""
    span = (last - first).days
    return (day - first).days / span if span else 0.5


def describe_level(level: int) -> str:
    """Return a level in figures and words: « 3, maîtrise satisfaisante »."""
    return f"{level}, {Level(level).label}"


def describe_scale() -> str:
    """Return what each level means, in a sentence."""
    return f"Niveaux\u202f: {join_french([f'{level.value} ({level.label})' for level in Level])}."


def _rank_of_code(code: str) -> list[tuple[int, str]]:
    parts = [(read_integer(part), part) for part in re.split(r"([0-9]+)", code)]
    return [(-1, part) if number is None else (number, "") for number, part in parts]

"""The levels of a pupil over time: one line per competence, in a chart and as the same figures in a table.

Pure. A level is a height in the chart and a text in the table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from cpro.core.charts import SVG, Line, render_lines
from cpro.core.formatting import format_date, join_french, plural
from cpro.core.parsing import read_integer
from cpro.records.models import Evaluation, Level
from cpro.records.queries import LevelPoint

#: Source of a level: the évaluation itself, or the columns read for a chart.
T = TypeVar("T", LevelPoint, Evaluation)


@dataclass(frozen=True)
class CompetenceLevels(Generic[T]):
    """The levels given to one competence, oldest first."""

    code: str
    label: str
    points: Sequence[T]

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Return each level for a table: day, and level in figures and text."""
        return [(format_date(each.evaluated_on), describe_level(each.level)) for each in self.points]


@dataclass(frozen=True)
class LevelChart(Generic[T]):
    """The competences of one diploma, in the order of their codes, and the days between which they were evaluated."""

    key: str
    title: str
    competences: Sequence[CompetenceLevels[T]]
    first: date
    last: date

    @property
    def days(self) -> list[str]:
        """Return the first and the last day, or the only one."""
        return [format_date(day) for day in dict.fromkeys((self.first, self.last))]

    @property
    def summary(self) -> str:
        """Return a sentence that summarises the chart."""
        count = sum(len(competence.points) for competence in self.competences)
        days = f"du {self.days[0]} au {self.days[1]}" if self.last > self.first else f"le {self.days[0]}"
        return (
            f"{plural(count, 'évaluation', 'évaluations')} de "
            f"{plural(len(self.competences), 'compétence', 'compétences')}, {days}."
        )

    @property
    def lines(self) -> list[Line]:
        """Return one line per competence, all over the same days."""
        span = (self.last - self.first).days
        return [
            Line(
                each.code,
                [((at.evaluated_on - self.first).days / span if span else 0.5, at.level) for at in each.points],
            )
            for each in self.competences
        ]

    @property
    def svg(self) -> SVG:
        """Return the lines as an SVG element."""
        title = f"Niveaux par compétence\u202f: {self.title}"
        return render_lines(self.key, title, self.summary, self.lines, self.days, len(Level))


def list_charts(levels: Sequence[T]) -> list[LevelChart[T]]:
    """Return a chart for each diploma among levels (oldest first), each competence with its most recent name."""
    by_diploma: dict[str, list[T]] = defaultdict(list)
    for each in levels:
        by_diploma[each.diploma_code].append(each)
    return [
        LevelChart(
            f"niveaux-{rank}",
            group[-1].diploma_label,
            _by_competence(group),
            min(each.evaluated_on for each in group),
            max(each.evaluated_on for each in group),
        )
        for rank, group in enumerate(by_diploma.values(), start=1)
    ]


def describe_level(level: int) -> str:
    """Return a level in figures and text: « 3, maîtrise satisfaisante »."""
    return f"{level}, {Level(level).label}"


def describe_scale() -> str:
    """Return what each level means, in a sentence."""
    return f"Niveaux\u202f: {join_french([f'{level.value} ({level.label})' for level in Level])}."


def _by_competence(levels: Sequence[T]) -> list[CompetenceLevels[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for each in levels:
        found[each.competence_code].append(each)
    return [
        CompetenceLevels(code, found[code][-1].competence_label, found[code])
        for code in sorted(found, key=_rank_of_code)
    ]


def _rank_of_code(code: str) -> list[tuple[int, str]]:
    parts = [(read_integer(part), part) for part in re.split(r"([0-9]+)", code)]
    return [(-1, part) if number is None else (number, "") for number, part in parts]

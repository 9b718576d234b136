"""The levels of a pupil over time: one line for each competence, as an SVG and as the same figures in a table.

Pure: levels in, markup out. Colours are classes of static/css/charts.css; a level shows by its height, and in the
table by its words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cpro.core.formatting import format_date, plural
from cpro.records.levels import describe_level, get_share_of_time, group_by_competence, group_by_diploma
from cpro.records.models import Level
from cpro.records.queries import LevelPoint

#: In units of the SVG, which a page shows at about one pixel each: it stays readable on a phone.
_WIDTH, _PLOT_LEFT, _PLOT_RIGHT, _ROW, _STEP, _TOP, _BOTTOM = 300, 86, 268, 46, 9, 8, 24
_MAX_CODE = 10


@dataclass(frozen=True)
class CompetenceLevels:
    """The levels given to one competence, oldest first."""

    code: str
    label: str
    points: Sequence[LevelPoint]

    @property
    def latest(self) -> Level:
        """Return the last level."""
        return Level(self.points[-1].level)

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Return each level as a table shows it: day, and level in figures and words."""
        return [(format_date(each.evaluated_on), describe_level(each.level)) for each in self.points]


@dataclass(frozen=True)
class LevelChart:
    """The competences of one diploma, in the order of their codes."""

    key: str
    title: str
    competences: Sequence[CompetenceLevels]

    @property
    def summary(self) -> str:
        """Return what there is to see, in a sentence."""
        points = [each for competence in self.competences for each in competence.points]
        first, last = _span(points)
        days = f"du {format_date(first)} au {format_date(last)}" if last > first else f"le {format_date(first)}"
        return (
            f"{plural(len(points), 'évaluation', 'évaluations')} de "
            f"{plural(len(self.competences), 'compétence', 'compétences')}, {days}."
        )

    @property
    def svg(self) -> Markup:
        """Return the lines as an SVG element with a title and a description; whatever it holds is escaped."""
        return _render_chart(self)


def charts_of(levels: Sequence[LevelPoint]) -> list[LevelChart]:
    """Return a chart for each diploma among levels (oldest first), each competence named as it was the last time."""
    return [
        LevelChart(f"niveaux-{rank}", group[-1].diploma_label, _by_competence(group))
        for rank, group in enumerate(group_by_diploma(levels), start=1)
    ]


def _by_competence(levels: Sequence[LevelPoint]) -> list[CompetenceLevels]:
    return [
        CompetenceLevels(own[-1].competence_code, own[-1].competence_label, own) for own in group_by_competence(levels)
    ]


def _span(points: Sequence[LevelPoint]) -> tuple[dt.date, dt.date]:
    days = [each.evaluated_on for each in points]
    return min(days), max(days)


def _render_chart(chart: LevelChart) -> Markup:
    first, last = _span([each for competence in chart.competences for each in competence.points])
    height = _TOP + _ROW * len(chart.competences) + _BOTTOM
    rows = Markup().join(
        _row(competence, first, last, top=_TOP + _ROW * rank) for rank, competence in enumerate(chart.competences)
    )
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' aria-labelledby="{key}-titre" aria-describedby="{key}-resume" focusable="false">'
        '<title id="{key}-titre">{title}</title><desc id="{key}-resume">{summary}</desc>{rows}{axis}</svg>'
    ).format(
        width=_WIDTH,
        height=height,
        key=chart.key,
        title=f"Niveaux par compétence\u202f: {chart.title}",
        summary=chart.summary,
        rows=rows,
        axis=_axis(first, last, y=height - 6),
    )


def _row(competence: CompetenceLevels, first: dt.date, last: dt.date, *, top: int) -> Markup:
    code = competence.code if len(competence.code) <= _MAX_CODE else f"{competence.code[: _MAX_CODE - 1]}…"
    places = [(_x(each, first, last), _y(each.level, top)) for each in competence.points]
    grid = Markup().join(
        Markup('<line class="chart-level-grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>').format(
            left=_PLOT_LEFT, right=_PLOT_RIGHT, y=_y(level.value, top)
        )
        for level in Level
    )
    line = Markup('<polyline class="chart-level-line" points="{points}"/>').format(
        points=" ".join(f"{x},{y}" for x, y in places)
    )
    dots = Markup().join(
        Markup('<circle class="chart-level-dot" cx="{x}" cy="{y}" r="3.5"/>').format(x=x, y=y) for x, y in places
    )
    words = Markup(
        '<text class="chart-label" x="{x}" y="{y}" text-anchor="end">{code}</text>'
        '<text class="chart-figure" x="{figure_x}" y="{figure_y}">{level}</text>'
    ).format(
        x=_PLOT_LEFT - 10,
        y=_y(2, top),
        code=code,
        figure_x=_PLOT_RIGHT + 10,
        figure_y=places[-1][1] + 4,
        level=competence.latest.value,
    )
    return grid + line + dots + words


def _axis(first: dt.date, last: dt.date, *, y: int) -> Markup:
    text = Markup('<text class="chart-label" x="{x}" y="{y}" text-anchor="{anchor}">{day}</text>')
    if first == last:
        middle = (_PLOT_LEFT + _PLOT_RIGHT) // 2
        return text.format(x=middle, y=y, anchor="middle", day=format_date(first))
    return text.format(x=_PLOT_LEFT, y=y, anchor="start", day=format_date(first)) + text.format(
        x=_PLOT_RIGHT, y=y, anchor="end", day=format_date(last)
    )


def _x(point: LevelPoint, first: dt.date, last: dt.date) -> float:
    share = get_share_of_time(point.evaluated_on, first, last)
    return round(_PLOT_LEFT + 4 + share * (_PLOT_RIGHT - _PLOT_LEFT - 8), 1)


def _y(level: int, top: int) -> int:
    return top + (len(Level) - level) * _STEP + 4

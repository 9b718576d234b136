"""The levels of a pupil as charts over time and as the same figures in a table: plain data for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cpro.core.charts import Plot, print_plot
from cpro.core.formatting import format_date, plural
from cpro.records.levels import CompetenceLevels, LevelChart, describe_level, list_charts
from cpro.records.models import Evaluation, Level

#: Competences per chart: what fits on a page.
_LINES = 14
#: Size of a chart in millimetres, as the template draws it.
_WIDTH, _HEIGHT = 97.282, 10.922
_STEP = _HEIGHT / len(Level)
_PLOT = Plot(0, _WIDTH, inset=0.02 * _WIDTH, top=_STEP / 2, step=_STEP, scale=len(Level), radius=0.9)
_COLOURS = (
    ".chart-level-grid{stroke:#b8c0cc;stroke-width:.12}"
    ".chart-level-line{fill:none;stroke:#1d4e89;stroke-width:.32}"
    ".chart-level-dot{fill:#1d4e89}"
)


def build_level_charts(evaluations: Sequence[Evaluation], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the évaluations (oldest first) by diploma, each with its charts and the rows of its table.

    `titles` maps origins to the titles of the validated fiches.
    """
    return [
        {
            "diploma": chart.title,
            "charts": [_part(chart, start) for start in range(0, len(chart.competences), _LINES)],
            "rows": [_table_part(own, titles) for own in chart.competences],
        }
        for chart in list_charts(evaluations)
    ]


def _part(chart: LevelChart[Evaluation], start: int) -> dict[str, Any]:
    """Return one page's part of a chart: its lines from `start` on."""
    shown = chart.competences[start : start + _LINES]
    return {
        "first": chart.days[0],
        "last": chart.days[1] if len(chart.days) > 1 else "",
        "lines": [
            {
                "code": own.code,
                "label": own.label,
                "level": own.points[-1].level,
                "svg": print_plot(line, _PLOT, width=_WIDTH, height=_HEIGHT, style=_COLOURS),
            }
            for own, line in zip(shown, chart.lines[start:], strict=False)
        ],
        "alt": _alternative(chart, shown),
    }


def _alternative(chart: LevelChart[Evaluation], shown: Sequence[CompetenceLevels[Evaluation]]) -> str:
    """Return the text alternative of a chart."""
    days = f"{'du ' if len(chart.days) > 1 else 'au '}{' au '.join(chart.days)}"
    latest = ", ".join(f"{own.code} niveau {own.points[-1].level}" for own in shown)
    return (
        f"Graphique des niveaux de {plural(len(shown), 'compétence', 'compétences')} du diplôme {chart.title}, {days}. "
        f"Derniers niveaux\u202f: {latest}. Toutes les valeurs sont dans le tableau qui suit."
    )


def _table_part(own: CompetenceLevels[Evaluation], titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": own.code,
        "label": own.label,
        "figures": [
            [
                format_date(each.evaluated_on),
                describe_level(each.level),
                " – ".join(part for part in (each.author_label, each.origin_school) if part),
                " – ".join(
                    dict.fromkeys(part for part in (each.scenario_title, titles.get(each.fiche_uid or "")) if part)
                ),
            ]
            for each in own.points
        ],
    }

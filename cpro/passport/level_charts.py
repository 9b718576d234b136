"""The levels of a pupil as a chart over time and as the same figures in a table: plain data for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cpro.core.formatting import format_date, plural
from cpro.records.levels import describe_level, get_share_of_time, group_by_competence, group_by_diploma
from cpro.records.models import Evaluation

#: Competences on one chart: what fits on a page.
_LINES = 14


def build_level_charts(evaluations: Sequence[Evaluation], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the évaluations (oldest first) by diploma, each with its charts and the rows of its table.

    A point of a chart is `[share of the time, level]`. `titles` names the validated fiches by origin.
    """
    return [
        {
            "diploma": group[-1].diploma_label,
            "charts": _charts(group),
            "rows": [_table_part(own, titles) for own in group_by_competence(group)],
        }
        for group in group_by_diploma(evaluations)
    ]


def _charts(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    first, last = evaluations[0].evaluated_on, evaluations[-1].evaluated_on
    competences = group_by_competence(evaluations)
    return [
        {
            "first": format_date(first),
            "last": format_date(last) if last > first else "",
            "lines": [_line(own, first, last) for own in shown],
            "alt": _alternative(shown, first, last, evaluations[-1].diploma_label),
        }
        for shown in (competences[start : start + _LINES] for start in range(0, len(competences), _LINES))
    ]


def _line(own: Sequence[Evaluation], first: date, last: date) -> dict[str, Any]:
    return {
        "code": own[-1].competence_code,
        "label": own[-1].competence_label,
        "level": own[-1].level,
        "points": [[round(get_share_of_time(each.evaluated_on, first, last), 4), each.level] for each in own],
    }


def _alternative(shown: Sequence[Sequence[Evaluation]], first: date, last: date, diploma: str) -> str:
    """Return the text alternative of a chart."""
    days = f"du {format_date(first)} au {format_date(last)}" if last > first else f"au {format_date(first)}"
    latest = ", ".join(f"{own[-1].competence_code} niveau {own[-1].level}" for own in shown)
    return (
        f"Graphique des niveaux de {plural(len(shown), 'compétence', 'compétences')} du diplôme {diploma}, {days}. "
        f"Derniers niveaux\u202f: {latest}. Toutes les valeurs sont dans le tableau qui suit."
    )


def _table_part(own: Sequence[Evaluation], titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": own[-1].competence_code,
        "label": own[-1].competence_label,
        "figures": [
            [
                format_date(each.evaluated_on),
                describe_level(each.level),
                " – ".join(part for part in (each.author_label, each.origin_school) if part),
                " – ".join(
                    dict.fromkeys(part for part in (each.scenario_title, titles.get(each.fiche_uid or "")) if part)
                ),
            ]
            for each in own
        ],
    }

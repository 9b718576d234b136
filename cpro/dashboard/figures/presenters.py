"""Present the figures of a year as tables: figures as text, « – » where there is no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from cpro.core import clock
from cpro.core.clock import today_in
from cpro.core.formatting import format_count, format_date, format_school_year
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.registry import registry
from cpro.dashboard.figures.queries import YearFigures, read_year
from cpro.records.figures import LevelFigures, Period
from cpro.records.models import Level
from cpro.records.queries import TO_VALIDATE
from cpro.students.models import Division

NONE = "–"
#: Titles of the level columns, and what they contain.
LEVEL_TITLES = [f"Niveau {level.value}" for level in Level]


@dataclass(frozen=True)
class Row:
    """One row of a table: its subject, a detail about it, and its formatted figures."""

    name: str
    detail: str
    figures: Sequence[str]
    #: by the position of a figure, the address of the list it counts, for those who may read it
    links: Mapping[int, str] = field(default_factory=dict)


def describe_page() -> dict[str, Any]:
    """Return what the page shows."""
    timezone = registry().timezone()
    year = read_year(today_in(timezone, clock.utcnow()), timezone)
    compares = year.levels is not None and any(not later for _code, later in year.levels.by_diploma)
    return {
        "since": format_date(year.period.first),
        "today": format_date(year.period.last),
        "year": _name_year(year.period),
        "year_before": _name_year(year.before),
        "same_day_before": format_date(year.before.last),
        "levels": [f"{level.value}\u202f: {level.label}" for level in Level],
        "level_titles": LEVEL_TITLES,
        "divisions": list_division_rows(year),
        "diplomas": list_diploma_rows(year),
        "school": list_school_rows(year),
        "compares": compares,
        "too_many_pupils": year.present is None,
        "too_many_levels": year.levels is None,
    }


def list_lines() -> list[list[str]]:
    """Return the figures by division and by diploma as lines of one file: titles first, numbers without spaces."""
    timezone = registry().timezone()
    year = read_year(today_in(timezone, clock.utcnow()), timezone)
    given = ["Évaluations", *LEVEL_TITLES, "Niveaux 3 et 4"]
    lines = [["Année", "Division", "Diplôme", "Apprenants", *given, "Fiches à valider", "Passeports"]]
    lines += [[_name_year(year.period), row.name, row.detail, *row.figures] for row in list_division_rows(year)]
    lines += [[row.detail, "", row.name, "", *row.figures, "", ""] for row in list_diploma_rows(year)]
    return [["" if cell == NONE else cell.replace("\u202f", "") for cell in line] for line in lines]


def list_division_rows(year: YearFigures) -> list[Row]:
    """Return the rows of the divisions that have pupils: the pupils present, and this year's work on their records.

    The last is that of the pupils without division, if any.
    """
    present = year.present or {}
    rows = [_describe_division(each, present[each.id], year) for each in year.divisions if each.id in present]
    if None in present:
        rows.append(Row("sans division", "", _list_figures(None, present[None], year)))
    return rows


def _describe_division(division: Division, present: int, year: YearFigures) -> Row:
    figures = _list_figures(division.id, present, year)
    waits = bool(year.pending and year.pending.get(division.id)) and may(Permission.PUPILS_VIEW)
    address = url_for("records.pupils", division=division.code, situation=TO_VALIDATE)
    return Row(
        division.code,
        division.diploma.short_label if division.diploma else "sans diplôme",
        figures,
        {len(figures) - 2: address} if waits else {},
    )


def _list_figures(division_id: int | None, present: int, year: YearFigures) -> list[str]:
    levels = year.levels.by_division.get(division_id, LevelFigures()) if year.levels is not None else None
    pending, issued = _count_of(year.pending, division_id), _count_of(year.issued, division_id)
    return [format_count(present), *_describe_levels(levels), pending, issued]


def list_diploma_rows(year: YearFigures) -> list[Row]:
    """Return a row per diploma and year (of the two) in which évaluations were given, the later year first."""
    if year.levels is None:
        return []
    labels = year.levels.labels
    rows = []
    for code in sorted(labels, key=lambda each: (labels[each], each)):
        for is_later, period in ((True, year.period), (False, year.before)):
            found = year.levels.by_diploma.get((code, is_later))
            if found is not None:
                rows.append(Row(labels[code], _name_year(period), _describe_levels(found)))
    return rows


def list_school_rows(year: YearFigures) -> list[Row]:
    """Return the totals of the whole school for both years, and the change."""
    totals: list[tuple[str, int, int]] = []
    if year.levels is not None:
        given = [
            sum(found.evaluations for (_code, later), found in year.levels.by_diploma.items() if later is which)
            for which in (True, False)
        ]
        totals.append(("Évaluations données", given[0], given[1]))
    totals.append(("Passeports exportés", *year.passports))
    return [
        Row(name, "", [format_count(now), format_count(before) if before else NONE, describe_evolution(now, before)])
        for name, now, before in totals
    ]


def describe_evolution(now: int, before: int) -> str:
    """Return the change from one figure to another, « – » where there is nothing to compare with."""
    if not before:
        return NONE
    difference = now - before
    if not difference:
        return "sans changement"
    percent = round(100 * abs(difference) / before)
    sign = "+" if difference > 0 else "−"
    return f"{sign}{format_count(abs(difference))} ({sign}{format_count(percent)}\u202f%)"


def _describe_levels(found: LevelFigures | None) -> list[str]:
    """Return the number of évaluations, of competences at each level, and the share of the two higher levels."""
    if found is None or found.share is None:
        return [NONE] * (len(LEVEL_TITLES) + 2)
    return [
        format_count(found.evaluations),
        *(format_count(found.by_level[level]) for level in Level),
        f"{found.share}\u202f%",
    ]


def _count_of(counts: Mapping[int | None, int] | None, division_id: int | None) -> str:
    return NONE if counts is None else format_count(counts.get(division_id, 0))


def _name_year(period: Period) -> str:
    """Return the label of the school year that a period begins: « 2026-2027 »."""
    return format_school_year(period.first.year)

"""Present the steps of a new school year on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_instant, format_school_year, join_french, plural, upper_first
from cpro.core.parsing import read_instant
from cpro.core.rights import list_doers
from cpro.core.web.checklist import NextStep, describe_others
from cpro.core.web.current_user import may
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.new_year import calendar, queries
from cpro.new_year.declared import BY_KEY, StepDeclaration
from cpro.new_year.models import Mark, NewYearReport
from cpro.new_year.steps import Step, StepState, list_steps

_LEVELS = {
    StepState.TO_DO: "warning",
    StepState.WAITING: "info",
    StepState.STARTED: "info",
    StepState.DONE: "ok",
    StepState.SET_ASIDE: "info",
}


@dataclass(frozen=True)
class ShownStep:
    """One step, for the reader of the page."""

    key: str
    title: str
    detail: str
    state: str
    level: str
    figures: str
    last: str
    #: who does it, when it is not the reader
    doer: str
    #: label and address of where it is done
    links: list[tuple[str, str]]
    #: marks the reader may set: label and value, "" to remove one
    marks: list[tuple[str, str]]


def current_year() -> int:
    """Return the school year that the school is preparing now."""
    return calendar.prepared_year(get_school_today(clock.utcnow()))


def is_season() -> bool:
    """Return whether the dashboard links to the steps: from July to October."""
    return calendar.is_season(get_school_today(clock.utcnow()))


def describe_page() -> Mapping[str, Any]:
    """Return the data of the steps' page."""
    year = current_year()
    steps = list_steps(year, now=clock.utcnow())
    return {
        "year": format_school_year(year),
        "steps": [_show(step) for step in steps],
        "progress": _describe_progress(steps),
        "next_step": _find_next(steps),
        "remaining": [_describe_remaining(step) for step in steps if not step.state.is_over],
        "reports": [(report.school_year, _report_label(report)) for report in queries.list_reports()],
        "report": queries.find_report(year),
    }


def describe_report(report: NewYearReport) -> Mapping[str, Any]:
    """Return the data of a report's page."""
    timezone = get_current_establishment().timezone
    return {
        "year": format_school_year(report.school_year),
        "finished": f"Terminée le {format_instant(report.finished_at, timezone)} par {report.finished_by}.",
        "lines": [
            {
                "title": BY_KEY[line["step"]].title if line["step"] in BY_KEY else line["step"],
                "state": line["state"],
                "figures": _join(line["figures"]),
                "last": _describe_last(read_instant(line["at"]), line["by"], timezone),
            }
            for line in report.lines
        ],
    }


def describe_set_aside(steps: Sequence[Step]) -> list[str]:
    """Return the steps set aside, with what remains of them: the report will include it."""
    aside = [step for step in steps if step.state is StepState.SET_ASIDE]
    figures = [f" ({join_french(step.figures)})" if step.figures else "" for step in aside]
    return [
        f"Laissée de côté\u202f: «\u202f{step.title}\u202f»{counted}."
        for step, counted in zip(aside, figures, strict=True)
    ]


def _describe_progress(steps: Sequence[Step]) -> str:
    done = sum(step.state is StepState.DONE for step in steps)
    aside = sum(step.state is StepState.SET_ASIDE for step in steps)
    left = f" et {plural(aside, 'laissée de côté', 'laissées de côté')}" if aside else ""
    return f"{plural(done, 'étape faite', 'étapes faites')}{left}, sur {len(steps)}"


def _find_next(steps: Sequence[Step]) -> NextStep | None:
    """Return the reader's next action among these steps, None when none of theirs remains."""
    remaining = [step for step in steps if not step.state.is_over]
    theirs = [step for step in remaining if may(step.right)]
    if not theirs:
        return None
    by_others = len(remaining) - len(theirs)
    others = describe_others(by_others, len(remaining))
    left = f"{plural(len(remaining), 'étape reste', 'étapes restent')} à faire{others}."
    first = next((step for step in theirs if step.state is not StepState.WAITING), theirs[0])
    return NextStep(left, first.title, f"#{first.key}")


def _describe_remaining(step: Step) -> dict[str, str]:
    """Return why the year cannot be declared prepared yet, as a reason of a gated button."""
    by = "" if may(step.right) else f", à faire par {join_french(list_doers(step.right))}"
    return {"text": f"Reste «\u202f{step.title}\u202f»{by}."}


def _report_label(report: NewYearReport) -> str:
    return f"Bilan de la rentrée {format_school_year(report.school_year)}"


def _show(step: Step) -> ShownStep:
    does_it = may(step.right)
    return ShownStep(
        key=step.key,
        title=step.title,
        detail=step.declared.help,
        state=step.state.label,
        level=_LEVELS[step.state],
        figures=_join([*step.figures, *(words for right, words in step.reserved if may(right))]),
        last=_describe_last(step.at, step.by, get_current_establishment().timezone),
        doer="" if does_it else f"À faire par {join_french(list_doers(step.right))}.",
        links=_links(step.declared, does_it=does_it),
        marks=_marks(step) if does_it else [],
    )


def _marks(step: Step) -> list[tuple[str, str]]:
    """Return the marks that a step accepts in its state, the likeliest first."""
    if step.state is StepState.SET_ASIDE:
        return [("Reprendre", "")]
    checks = [("C’est relu", Mark.CHECKED.value)] if step.is_marked_by_hand else []
    if step.state is StepState.DONE:
        return [("Relire à nouveau", "")] if step.is_marked_by_hand and step.at else []
    if step.state is StepState.WAITING:
        checks = []
    return [*checks, ("Laisser de côté", Mark.SET_ASIDE.value)]


def _links(step: StepDeclaration, *, does_it: bool) -> list[tuple[str, str]]:
    """Return where a step is done, or seen by those who do not do it."""
    return [
        (link.label, url_for(link.endpoint, **dict[str, Any](link.arguments)))
        for link in step.links
        if (link.to_doers if does_it else link.to_others)
        and (link.right is None or may(link.right))
        and link.is_open(get_current_establishment())
    ]


def _join(figures: list[str]) -> str:
    return f"{upper_first(join_french(figures))}." if figures else ""


def _describe_last(at: datetime | None, by: str, timezone: str) -> str:
    return f"Le {format_instant(at, timezone)}, par {by}." if at else ""

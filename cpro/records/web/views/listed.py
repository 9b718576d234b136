"""The list of the pupils that a person follows: its query parameters, and the previous and next pupils."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import person_name
from cpro.core.lists import ListState
from cpro.core.permissions import Permission
from cpro.core.web.current_user import current_actor
from cpro.core.web.screens import above
from cpro.establishments.queries import get_school_today
from cpro.records import queries
from cpro.records.queries import ALL, GONE, NOT_EVALUATED, PRESENT, TO_VALIDATE, PupilFilter
from cpro.records.web.views import LIST
from cpro.students.models import Division

_PER_PAGE = 50
SITUATIONS = {
    PRESENT: "présents",
    TO_VALIDATE: "présents, avec une fiche à valider",
    NOT_EVALUATED: "présents, sans évaluation ce mois-ci",
    GONE: "partis",
    ALL: "présents et partis",
}


def read_asked(args: Mapping[str, str]) -> ListState:
    """Return the list's state that a URL asks for."""
    filters: Mapping[str, Collection[str] | int] = {"division": 8, "situation": SITUATIONS}
    return ListState.read(args, url_for("records.pupils"), filters=filters, sizes=(_PER_PAGE,))


def read_wanted(asked: ListState, divisions: Sequence[Division] | None, month: date) -> PupilFilter:
    """Return the filter of the list: a teacher's divisions, None for all of the school."""
    return PupilFilter(
        division_ids=frozenset(each.id for each in divisions) if divisions is not None else None,
        division=asked.chosen.get("division", ""),
        words=asked.search,
        situation=asked.chosen.get("situation", PRESENT),
        since=month,
    )


def list_taught() -> Sequence[Division] | None:
    """Return the divisions whose pupils the person follows, None for all of the school."""
    actor = current_actor()
    return None if actor.can(Permission.SCHOOL_RECORDS_READ) else queries.list_divisions_of(actor.id or 0)


def list_beside(student_id: int, tab: str) -> list[tuple[str, str, str]]:
    """Return the previous and next pupils in the list the person came from: relation, name, address of the same tab.

    Anyone who follows these pupils may read each tab of all of them: `rules.check_may_read` has the same rule for each.
    """
    if not current_actor().can(Permission.PUPILS_VIEW):
        return []
    asked = read_asked(above.recall_list(LIST))
    month = get_school_today(clock.utcnow()).replace(day=1)
    found = queries.find_pupils_beside(asked, read_wanted(asked, list_taught(), month), student_id)
    above.show_list(LIST, found.listed)
    return [
        (rel, person_name(each.shown_name, each.first_name), url_for(f"records.{tab}", student_id=each.id))
        for rel, each in (("prev", found.before), ("next", found.after))
        if each is not None
    ]

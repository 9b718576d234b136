"""Definition of a kind of journal news: its lines, its recipients, its text and its link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, or_

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Permission
from cpro.core.reader import READER_ID, READER_KIND


@dataclass(frozen=True)
class Kind:
    """One kind of news."""

    actions: Sequence[str]
    #: the permission of the recipients; it must also allow the page that `link` leads to
    permission: Permission
    #: returns the address of a line's subject
    link: Callable[[AuditEntry], str]
    label: str
    #: narrows the lines to those that concern the reader (`core.reader`); None for every line of the school
    concerns: Callable[[], ColumnElement[bool]] | None = None
    #: whether the person's own actions are included: for work that ended later, while they were elsewhere
    includes_own: bool = False
    #: text of a line, instead of the journal's label
    sentence: Callable[[AuditEntry], str] | None = None
    #: whether the bell counts it; work that is counted beside its menu entry is not counted again
    is_counted: bool = True

    def condition(self) -> ColumnElement[bool]:
        """Return the condition of the lines that are news for the reader."""
        conditions: list[ColumnElement[bool]] = [AuditEntry.action.in_(self.actions)]
        if self.concerns is not None:
            conditions.append(self.concerns())
        if not self.includes_own:
            conditions.append(_is_by_another())
        return and_(*conditions)


def list_conditions(kinds: Sequence[Kind]) -> list[ColumnElement[bool]]:
    """Return the conditions of the lines that the bell counts: one for all the kinds that differ by action only."""
    counted = [each for each in kinds if each.is_counted]
    plain = [each for each in counted if each.concerns is None]
    alike = [
        replace(group[0], actions=[action for each in group for action in each.actions])
        for group in (
            [each for each in plain if each.includes_own],
            [each for each in plain if not each.includes_own],
        )
        if group
    ]
    return [each.condition() for each in [*alike, *(each for each in counted if each not in plain)]]


def _is_by_another() -> ColumnElement[bool]:
    return or_(AuditEntry.actor_kind != READER_KIND, AuditEntry.actor_id.is_distinct_from(READER_ID))

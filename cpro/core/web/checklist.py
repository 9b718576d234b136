"""What features show on the dashboard: their counts, and the lines of « Les incontournables »."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cpro.core.counts import Counted
from cpro.core.permissions import Permission

#: What the dashboard counts for a feature, by the names under which `Figures` store the numbers. Features that need
#: the same number use the same name.
Asked = Mapping[str, Counted]
Figures = Mapping[str, int]


@dataclass(frozen=True)
class ChecklistItem:
    """One line of « Les incontournables »: what is missing, what it blocks, the figure and the link."""

    title: str
    detail: str
    link_url: str
    link_label: str
    figure: str | None = None
    done: bool = False
    #: whether the reader has to check it by eye: no figure of the application will ever show that it is done
    is_to_check: bool = False
    #: the permission that the action requires: a reader without it sees who has it; None for an action of their own
    act: Permission | None = None
    #: whether others perform the action, for the reader whose lines these are
    is_others: bool = False
    #: the blueprints after whose pages this item is the next step, whatever else is missing
    after: Collection[str] = ()

    @property
    def is_missing(self) -> bool:
        """Return whether the item still has to be done."""
        return not (self.done or self.is_to_check)

    @property
    def rank(self) -> int:
        """Return its sort rank: the reader's own items, missing then to check, then those of others, then the done."""
        if self.done:
            return 4
        return (2 if self.is_others else 0) + self.is_to_check

    @property
    def state(self) -> str:
        """Return its state in words."""
        if self.done:
            return "fait"
        state = "à faire" if self.is_missing else "à vérifier"
        return f"{state} par d’autres que vous" if self.is_others else state


def describe_others(number: int, total: int) -> str:
    """Return how many of the remaining items others do, to end a sentence; "" for none."""
    if not number:
        return ""
    return ", par d’autres que vous" if number == total else f", dont {number} par d’autres que vous"


@dataclass(frozen=True)
class NextStep:
    """The next step once something is done: a sentence with how many are left, and the first one to act on."""

    left: str
    title: str
    url: str

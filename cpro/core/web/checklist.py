"""What features show on the dashboard: what they count, and the lines of « Les incontournables »."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cpro.core.counts import Counted
from cpro.core.permissions import Permission

#: What the dashboard counts for a feature, by the names under which `Figures` hold the numbers. Features that tell the
#: same number ask for it under the same name.
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
    #: whether it is to be looked at, by whoever reads it: nothing that the application counts will ever settle it
    is_to_check: bool = False
    #: the right that the act asks for: a reader without it is shown who has it; None for an act of theirs
    act: Permission | None = None
    #: the blueprints after whose pages it is what comes next, whatever else is missing
    after: Collection[str] = ()

    @property
    def is_missing(self) -> bool:
        """Return whether it is among what is left to settle."""
        return not (self.done or self.is_to_check)

    @property
    def rank(self) -> int:
        """Return its place: what is missing comes first, then what is to be checked."""
        return 0 if self.is_missing else 1 if self.is_to_check else 2


@dataclass(frozen=True)
class NextStep:
    """What comes next, once something is done: how many are left in a sentence, and the first to act on."""

    left: str
    title: str
    url: str

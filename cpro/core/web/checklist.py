"""One line of « Les incontournables », as a feature describes it."""

from __future__ import annotations

from dataclasses import dataclass

from cpro.core.permissions import Permission


@dataclass(frozen=True)
class ChecklistItem:
    """One line of « Les incontournables »: what is missing, what it blocks, the figure and the link."""

    title: str
    detail: str
    link_url: str
    link_label: str
    figure: str | None = None
    done: bool = False
    #: the right that the act asks for: a reader without it is shown who has it; None for an act of theirs
    act: Permission | None = None

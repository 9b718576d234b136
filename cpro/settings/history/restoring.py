"""How each restorable part of the history describes and performs a restoration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cpro.core.drafts.operations import DraftKey


@dataclass(frozen=True)
class RestorePlan:
    """Effect of restoring one line of the settings' history: `items` are label, current value, restored value.

    `version` is the fingerprint of what is stored now, as a form would carry it; `warnings` report later changes.
    """

    title: str
    items: Sequence[tuple[str, str, str]]
    version: str = ""
    warnings: Sequence[str] = ()
    #: whether the signed-in person must type their password again
    asks_password: bool = False


@dataclass(frozen=True)
class Restoring:
    """How the value replaced by a line of the settings' history is restored."""

    #: which lines of a page can be restored, computed for all of them at once
    restorable: Callable[[Sequence[Any]], set[int]]
    #: what restoring a line would do, or None when nothing is left to restore; writes nothing
    plan: Callable[[Any], RestorePlan | None]
    #: calls the feature's operation inside the page's unit of work, with the line, then `opened_on`, `by` and `now`;
    #: raises that operation's `DomainError` and returns the confirmation sentence
    restore: Callable[..., str]
    #: whether `restore` also takes `password_given`, since a plan may require it
    may_ask_password: bool = False
    #: the drafts of the form that edits what a line restores, because they would put the replaced value back; None
    #: where the form keeps none
    draft: Callable[[Any], DraftKey | None] = lambda entry: None

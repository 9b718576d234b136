"""What each part of the history that can be restored says and does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cpro.core.drafts.operations import DraftKey


@dataclass(frozen=True)
class RestorePlan:
    """What restoring one line of the settings' history would do: `items` are label, present value, value restored.

    `version` is the fingerprint of what is stored now, as a form would carry it; `warnings` say what happened since.
    """

    title: str
    items: Sequence[tuple[str, str, str]]
    version: str = ""
    warnings: Sequence[str] = ()
    #: whether the person signed in must type their password again
    asks_password: bool = False


@dataclass(frozen=True)
class Restoring:
    """How what a line of the settings' history replaced is restored."""

    #: which of the lines of a page can be restored, at once for all of them
    restorable: Callable[[Sequence[Any]], set[int]]
    #: what restoring a line would do, or None when nothing is left to restore; writes nothing
    plan: Callable[[Any], RestorePlan | None]
    #: calls the feature's operation inside the page's unit of work, with the line, then `opened_on`, `by` and `now`;
    #: raises that operation's `DomainError` and returns the sentence that says what was done
    restore: Callable[..., str]
    #: whether `restore` takes `password_given` too, since a plan may ask for it
    may_ask_password: bool = False
    #: the drafts of the form that edits what a line restores, which would put back what it replaces; None where the
    #: form keeps none
    draft: Callable[[Any], DraftKey | None] = lambda entry: None

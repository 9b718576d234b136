"""Record in the journal the deposits refused at once: they leave no import to find them by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cpro.audit.operations import About, record
from cpro.audit.queries import count_lines_of
from cpro.core.errors import DomainError
from cpro.core.formatting import mask_ines
from cpro.core.permissions import Actor
from cpro.imports.models import REFUSED_DEPOSIT

#: Lines per account and hour: a flood of refused deposits cannot flood the journal.
MOST_AN_HOUR = 10
_HOUR, _SECOND = timedelta(hours=1), timedelta(seconds=1)


def record_refused_deposit(names: Sequence[str], refusal: DomainError, *, by: Actor, now: datetime) -> None:
    """Record the names of the files and the sentence of the refusal, each INE masked; never any content.

    Beyond `MOST_AN_HOUR` for the actor, nothing more is recorded.
    """
    assert by.id is not None, "deposits are made by accounts"
    if count_lines_of(by.kind, by.id, REFUSED_DEPOSIT, since=now - _HOUR, until=now + _SECOND) >= MOST_AN_HOUR:
        return
    about = About("import_deposit", "", mask_ines(", ".join(names)))
    record(REFUSED_DEPOSIT, about, by=by, now=now, changes={"refusal": (None, mask_ines(refusal.message))})

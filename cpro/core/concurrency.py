"""Merge two people's edits of one form: keep what each changed, and ask only about what both changed.

A form contains the fingerprint, field by field, of the values it was rendered from. Compared with the posted values,
it shows what this user changed; compared with the stored values, what another user changed meanwhile. The operation
compares again, under the write lock.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from cpro.core.errors import Conflict

_DIGEST = re.compile("[0-9a-f]{16}")


class StaleForm(Conflict):
    """Values were saved by another user since the form was opened; `theirs` contains the current values."""

    def __init__(self, theirs: Mapping[str, Any]) -> None:
        super().__init__(
            "Quelqu’un a enregistré cette page entre-temps. Rien n’a été écrasé : "
            "relisez ce qui est enregistré, puis validez à nouveau."
        )
        self.theirs = dict(theirs)


class Verdict(Enum):
    """Which value a field takes."""

    MINE = "mine"
    THEIRS = "theirs"
    #: both changed it, to different values
    CLASH = "clash"


def fingerprint(values: Mapping[str, Any]) -> str:
    """Return a text that shows, field by field, whether a value has changed, without revealing any of them."""
    return ",".join(f"{name}.{_digest(name, value)}" for name, value in sorted(values.items()))


def check_fresh(stored: Mapping[str, Any], opened_on: str | None, touching: Collection[str] | None = None) -> None:
    """Raise `StaleForm` unless the stored values are those the form was opened on.

    `touching` limits the comparison to the fields about to be written: concurrent changes of the others do no harm.
    Without a fingerprint (a script that posts only the documented fields) nothing is compared.
    """
    if not opened_on:
        return
    base = _read(opened_on)
    names = stored.keys() if touching is None else stored.keys() & set(touching)
    if any(base.get(name) != _digest(name, stored[name]) for name in names):
        raise StaleForm(stored)


def compare(opened_on: str, name: str, *, mine: Any, theirs: Any) -> Verdict:
    """Return whose value a field takes, given the fingerprint its form was opened on.

    An unreadable fingerprint gives no base value.
    """
    if same(mine, theirs):
        return Verdict.MINE
    base = _read(opened_on).get(name)
    if base == _digest(name, theirs):
        return Verdict.MINE
    return Verdict.THEIRS if base == _digest(name, mine) else Verdict.CLASH


def knows(opened_on: str, name: str) -> bool:
    """Return whether a fingerprint includes a field: not if it was forged, or rendered by an older version."""
    return name in _read(opened_on)


def same(one: Any, other: Any) -> bool:
    """Return whether two values of a field read the same."""
    return bool(_plain(one) == _plain(other))


def _read(opened_on: str) -> dict[str, str]:
    pairs = (part.partition(".") for part in opened_on.split(","))
    return {name: digest for name, _dot, digest in pairs if _DIGEST.fullmatch(digest)}


def _digest(name: str, value: Any) -> str:
    canonical = json.dumps([name, _plain(value)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Return a value in a canonical form, the same for the database's value and for a posted one.

    A switch is posted as a word, a list of boxes in the page's order, line ends as the browser chooses.
    """
    if value is None or value is False or value is True:
        return {None: "", False: "non", True: "oui"}[value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        plain = [_plain(each) for each in value]
        return sorted(plain) if all(isinstance(each, str) for each in plain) else plain
    return "\n".join(str(value).splitlines()).strip()

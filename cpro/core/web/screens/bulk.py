"""The rows that an action on several leaves out, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from cpro.core.formatting import format_count, join_french

#: Rows named for each reason of being left out; the others are counted.
_NAMED = 5


#: Rows named where an action on them is confirmed; the others are counted.
MOST_NAMED = 10


def describe_left_out(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Return the sentences about rows left out, grouped by reason; each row is its name and the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out:
        by_reason.setdefault(reason, []).append(name)
    return [
        f"Rien ne change pour {name_some(names, _NAMED)}. {reason if len(names) == 1 else _say_of_each(reason)}"
        for reason, names in by_reason.items()
    ]


def _say_of_each(reason: str) -> str:
    """Return a reason, written about one row, as that of several."""
    begins_with_initials = reason[1:2].isupper()
    return f"Pour chacun\u202f: {reason if begins_with_initials else reason[:1].lower() + reason[1:]}"


def name_some(names: Sequence[str], most: int) -> str:
    """Return names as a list in a sentence; beyond `most`, the number of the others."""
    more = len(names) - most
    if more < 2:
        return join_french(names)
    return join_french([*names[:most], f"{format_count(more)} autres"])

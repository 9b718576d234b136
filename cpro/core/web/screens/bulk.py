"""Actions on several rows of a list: the maximum number of rows, and which rows are left out."""

from __future__ import annotations

from collections.abc import Sequence

from cpro.core.formatting import format_count, join_french

#: Maximum rows of one action: as many ids as a URL can contain, and as people can read on the confirmation page.
MOST_AT_ONCE = 400
#: Rows named for each reason of being left out; the others are counted.
_NAMED = 5

TOO_MANY = (
    f"Une action porte sur {format_count(MOST_AT_ONCE)} lignes au plus\u202f: réduisez d’abord la liste par une "
    "recherche ou un filtre. Rien n’a été fait."
)


def describe_left_out(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Return the sentences about rows left out, grouped by reason; each row is its name and the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out:
        by_reason.setdefault(reason, []).append(name)
    return [f"Rien ne change pour {name_some(names, _NAMED)}. {reason}" for reason, names in by_reason.items()]


def name_some(names: Sequence[str], most: int) -> str:
    """Return names as a list in a sentence; beyond `most`, the number of the others."""
    more = len(names) - most
    if more < 2:
        return join_french(names)
    return join_french([*names[:most], f"{format_count(more)} autres"])

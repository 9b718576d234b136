"""Actions on several rows of a list: how many at once, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence

from cpro.core.formatting import format_count, join_french

#: Rows of one action: as many ids as an address holds, and as people read on the page that asks.
MOST_AT_ONCE = 400
#: Rows left out for one reason that are named; the others are counted.
_NAMED = 5

TOO_MANY = (
    f"Une action porte sur {format_count(MOST_AT_ONCE)} lignes au plus\u202f: réduisez d’abord la liste par une "
    "recherche ou un filtre. Rien n’a été fait."
)


def describe_left_out(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Return what is said of rows left out, each its name and the sentence that says why, reason by reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out:
        by_reason.setdefault(reason, []).append(name)
    return [f"Rien ne change pour {name_some(names, _NAMED)}. {reason}" for reason, names in by_reason.items()]


def name_some(names: Sequence[str], most: int) -> str:
    """Return names as a sentence lists them; beyond `most`, how many others there are."""
    more = len(names) - most
    if more < 2:
        return join_french(names)
    return join_french([*names[:most], f"{format_count(more)} autres"])

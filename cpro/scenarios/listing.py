"""Say what the list of scenarios may be asked: filters, orders, how many a page holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cpro.core.lists import ListState

PAGE_SIZE = 20

#: The order by title; without it, the latest changed first.
BY_TITLE = "titre"
#: Which scenarios: in use, archived, both.
IN_USE, ARCHIVED, BOTH = "en-cours", "archives", "tous"
STATE_LABELS = {IN_USE: "en cours", ARCHIVED: "archivés", BOTH: "en cours et archivés"}
MINE = "moi"


def read_list(args: Mapping[str, str], base: str, competence_ids: Collection[int]) -> ListState:
    """Return what an address asks of the list; a competence only among those of the diploma that it names."""
    return ListState.read(
        args,
        base,
        filters={
            "diplome": 20,
            "auteur": (MINE,),
            "etat": (ARCHIVED, BOTH),
            "competence": [str(each) for each in competence_ids],
        },
        sorts=(BY_TITLE,),
        sizes=(PAGE_SIZE,),
    )


def is_narrowed(asked: ListState) -> bool:
    """Return whether a search or a filter hides scenarios that the plain list shows."""
    return bool(asked.search) or any(choice != ("etat", BOTH) for choice in asked.chosen.items())

"""The query parameters of the list of scenarios: filters, orders, page size."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cpro.core.lists import ListState

PAGE_SIZE = 20

#: The order by title; the default is the latest changed first.
BY_TITLE = "titre"
#: Which scenarios: in use, archived, both.
IN_USE, ARCHIVED, BOTH = "en-cours", "archives", "tous"
STATE_LABELS = {IN_USE: "en cours", ARCHIVED: "archivés", BOTH: "en cours et archivés"}
MINE = "moi"


def read_list(args: Mapping[str, str], base: str, competence_ids: Collection[int]) -> ListState:
    """Return the state of the list that a URL asks for; a competence is accepted only among those of its diploma."""
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
    """Return whether a search or a filter hides scenarios that the unfiltered list shows."""
    return bool(asked.search) or any(choice != ("etat", BOTH) for choice in asked.chosen.items())

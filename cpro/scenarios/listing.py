"""Read the state of the list of scenarios from its address: search, filters, order, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cpro.core.parsing import read_id
from cpro.core.validators import fold

PAGE_SIZE = 20
_LONGEST_SEARCH = 100

#: Orders: the latest changed first, or by title.
BY_CHANGE, BY_TITLE = "modification", "titre"
#: Which scenarios: in use, archived, both.
IN_USE, ARCHIVED, BOTH = "en-cours", "archives", "tous"
STATE_LABELS = {IN_USE: "en cours", ARCHIVED: "archivés", BOTH: "en cours et archivés"}
MINE = "moi"


@dataclass(frozen=True)
class Listing:
    """The state of the list; whatever an address holds, every field has a sound value."""

    search: str = ""
    diploma: str = ""
    author: str = ""
    state: str = IN_USE
    #: id of a competence; 0 for any
    competence: int = 0
    order: str = BY_CHANGE
    #: the scenario after or before which the page stands; 0 for the first page
    after: int = 0
    before: int = 0

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Listing:
        """Read the parameters of an address; those that make no sense are left out."""
        state, order = args.get("etat", ""), args.get("tri", "")
        return cls(
            search=args.get("recherche", "").strip()[:_LONGEST_SEARCH],
            diploma=args.get("diplome", "")[:20],
            author=MINE if args.get("auteur") == MINE else "",
            state=state if state in (ARCHIVED, BOTH) else IN_USE,
            competence=_row_number(args.get("competence")),
            order=BY_TITLE if order == BY_TITLE else BY_CHANGE,
            after=_row_number(args.get("apres")),
            before=_row_number(args.get("avant")),
        )

    @property
    def words(self) -> list[str]:
        """Return the words sought, folded as titles are."""
        return fold(self.search).split()

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter hides scenarios that the plain list shows."""
        return bool(self.search or self.diploma or self.author or self.competence or self.state == ARCHIVED)

    def query(self, **changes: Any) -> str:
        """Return the parameters of the list with some changed, from « ? » on; without `apres`, its first page."""
        asked: dict[str, Any] = {
            "recherche": self.search,
            "diplome": self.diploma,
            "auteur": self.author,
            "etat": self.state if self.state != IN_USE else "",
            "competence": self.competence,
            "tri": self.order if self.order != BY_CHANGE else "",
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"?{query}" if query else ""


def _row_number(text: str | None) -> int:
    return read_id(text) or 0

"""Show a list by pages: what its address asks for, the rows of one page, the addresses of its neighbours.

A page is found by its number, or from a row: after the one that ends the page before, before the one that begins the
page after. From a row, it stays right and quick however long the list is, and while it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.sql.operators import desc_op

from cpro.core.parsing import read_id, read_page
from cpro.core.validators import fold, trim
from cpro.extensions import db

Row = TypeVar("Row")
Shown = TypeVar("Shown")

_LONGEST_SEARCH = 100
#: No list whose rows are not counted is paged further by number.
_LAST_PAGE = 500
#: The parameters that say where a page stands.
_PLACES = ("page", "apres", "avant")


@dataclass(frozen=True)
class ListState:
    """What is asked of a list; whatever an address holds, every field has a sound value."""

    base: str = ""
    search: str = ""
    #: the filters in use, by the names of their parameters
    chosen: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    size: int = 20
    sizes: Sequence[int] = ()
    page: int = 1
    #: the row after which the page stands, or the one before which it does; 0 for the first page
    after: int = 0
    before: int = 0
    #: the parameter of `after`: a list that shows the latest first may call it « avant », and then has no `before`
    forward: str = "apres"

    @classmethod
    def read(
        cls,
        args: Mapping[str, str],
        base: str,
        *,
        filters: Mapping[str, Collection[str] | int] | None = None,
        sorts: Collection[str] = (),
        sizes: Sequence[int] = (20,),
        forward: str = "apres",
    ) -> Self:
        """Read the parameters of an address; those that make no sense are left out.

        `filters` gives the values that each one takes, or the length of a free text; the first of `sizes` is the usual.
        """
        chosen = {}
        for name, accepted in (filters or {}).items():
            text = args.get(name, "").strip()
            value = text[:accepted] if isinstance(accepted, int) else text if text in accepted else ""
            if value:
                chosen[name] = value
        return cls(
            base,
            search=args.get("recherche", "").strip()[:_LONGEST_SEARCH],
            chosen=chosen,
            sort=args["tri"] if args.get("tri") in sorts else "",
            descending=args.get("ordre") == "desc",
            size={str(size): size for size in sizes}.get(args.get("lignes", ""), sizes[0]),
            sizes=sizes,
            page=read_page(args.get("page"), last=1_000_000),
            after=read_id(args.get(forward)) or 0,
            before=(read_id(args.get("avant")) or 0) if forward == "apres" else 0,
            forward=forward,
        )

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter hides rows."""
        return bool(self.search or self.chosen)

    @property
    def offset(self) -> int:
        """Return how many rows stand before the page."""
        return (self.page - 1) * self.size

    def url(self, **changes: Any) -> str:
        """Return the address of the list with some parameters changed; an empty one is left out."""
        asked: dict[str, Any] = {
            "recherche": self.search,
            **self.chosen,
            "tri": self.sort,
            "ordre": "desc" if self.descending else "",
            "lignes": self.size if self.sizes and self.size != self.sizes[0] else "",
            "page": self.page if self.page > 1 else "",
            "avant": self.before,
            self.forward: self.after,
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.base}?{query}" if query else self.base

    def page_url(self, **changes: Any) -> str:
        """Return the address of the page at another place of the same list; its first page without any."""
        return self.url(**{**dict.fromkeys(_PLACES), **changes})


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list; an address leads nowhere (None) where there is nothing."""

    rows: Sequence[Row]
    #: French: which page it is; empty for one found from a row
    title: str = ""
    first_url: str | None = None
    previous_url: str | None = None
    next_url: str | None = None

    def show(self, present: Callable[[Row], Shown]) -> Page[Shown]:
        """Return the page with each row as it is shown."""
        return Page([present(each) for each in self.rows], self.title, self.first_url, self.previous_url, self.next_url)


def find_page(asked: ListState, list_rows: Callable[..., Sequence[Row]], total: int | None = None) -> Page[Row]:
    """Return the page of a number, read by `list_rows(limit=…, offset=…)`: one too far is the last of `total` rows.

    Where nothing counts the rows, one more than the page holds tells whether there is another page.
    """
    last = _LAST_PAGE if total is None else max(1, -(-total // asked.size))
    number = min(asked.page, last)
    asked = replace(asked, page=number)
    found = list_rows(limit=asked.size + 1, offset=asked.offset)
    return Page(
        found[: asked.size],
        f"Page {number}" if total is None else f"Page {number} sur {last}",
        first_url=asked.page_url() if number > 1 else None,
        previous_url=asked.page_url(page=number - 1) if number > 1 else None,
        next_url=asked.page_url(page=number + 1) if len(found) > asked.size else None,
    )


def find_page_from(asked: ListState, statement: Select[Row], *order: Any) -> Page[Row]:
    """Return the page of a statement from the row asked for, in an order whose last column is the id of the rows."""
    place = _find_place(asked.after or asked.before, order)
    is_backwards = place is not None and not asked.after
    columns = [(unordered(each), is_descending(each) is not is_backwards) for each in order]
    if place is not None:
        statement = statement.where(_beyond(columns, place))
    ordered = statement.order_by(*(column.desc() if is_down else column for column, is_down in columns))
    found: list[Any] = list(db.session.scalars(ordered.limit(asked.size + 1)))
    more, rows = len(found) > asked.size, found[: asked.size]
    if is_backwards:
        rows.reverse()
    has_previous, has_next = (more, True) if is_backwards else (place is not None, more)
    return Page(
        rows,
        first_url=asked.page_url() if place is not None else None,
        previous_url=asked.page_url(avant=rows[0].id) if rows and has_previous and asked.forward == "apres" else None,
        next_url=asked.page_url(**{asked.forward: rows[-1].id}) if rows and has_next else None,
    )


def count_rows(found: Select[Any], *, most: int) -> int:
    """Return how many rows a statement finds, counting no further than one beyond `most`."""
    return db.session.scalar(counting(found, most=most)) or 0


def counting(found: Select[Any], *, most: int) -> Select[int]:
    """Return the statement that counts the rows of another one, no further than one beyond `most`."""
    return select(func.count()).select_from(found.limit(most + 1).subquery())


def hold_words(text: str, *columns: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that each word of a text stands in one of some folded columns."""
    return [or_(*(column.contains(word, autoescape=True) for column in columns)) for word in fold(text).split()]


def find_coded(model: Any, text: str) -> list[int]:
    """Return the ids of the rows whose code reads as a text, as a search would: case, accents and blanks do not count.

    For tables of few rows: their codes are folded here.
    """
    wanted = fold_code(text)
    codes = db.session.execute(select(model.id, model.code))
    return [row_id for row_id, code in codes if fold_code(code) == wanted]


def fold_code(code: str) -> str:
    """Return what a code has in common with those that read the same: no case, accents nor needless blanks."""
    return " ".join(fold(trim(code)).split())


def _find_place(row_id: int, order: Sequence[Any]) -> Sequence[Any] | None:
    """Return the values by which a row is ordered; None when no row was asked for, or when there is none."""
    *columns, id_column = (unordered(each) for each in order)
    if not row_id or not columns:
        return (row_id,) if row_id else None
    return db.session.execute(select(*columns, id_column).where(id_column == row_id)).one_or_none()


def _beyond(columns: Sequence[tuple[Any, bool]], place: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of the rows that stand after a place; a column is given with whether it goes down."""
    cases: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (column, is_down), value in zip(columns, place, strict=True):
        cases.append(and_(*equal, column < value if is_down else column > value))
        equal.append(column == value)
    return or_(*cases)


def is_descending(ordered: Any) -> bool:
    """Return whether a part of an order goes down."""
    return getattr(ordered, "modifier", None) is desc_op


def unordered(ordered: Any) -> Any:
    """Return the column that a part of an order is about."""
    return ordered.element if is_descending(ordered) else ordered

"""Paginate lists: parse the URL's parameters, read one page of rows, build the URLs of its neighbours.

A page is found by its number, or by keyset: after the last row of the previous page, before the first of the next.
By keyset, it stays right and fast however long the list is, and while it grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.sql.operators import desc_op

from cpro.core.parsing import read_id, read_page
from cpro.core.validators import fold
from cpro.extensions import db

Row = TypeVar("Row")
Shown = TypeVar("Shown")
Name = TypeVar("Name", bound=Hashable)
#: The columns of an order, each with whether it is descending.
_Columns = Sequence[tuple[Any, bool]]

_LONGEST_SEARCH = 100
_LONGEST_LETTER = 20
#: Sorts after any text with the same beginning.
_LAST = "\U0010ffff"
#: A list whose rows are not counted has no page number beyond this.
_LAST_PAGE = 500
#: The parameters that give a page's position.
_PLACES = ("page", "apres", "avant", "fin", "lettre")


@dataclass(frozen=True)
class ListState:
    """The list parameters of a URL; every field has a valid value whatever the URL contains."""

    base: str = ""
    search: str = ""
    #: the active filters, by parameter name
    chosen: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    size: int = 20
    sizes: Sequence[int] = ()
    page: int = 1
    #: the id of the row that precedes the page, or of the one that follows it; 0 for the first page
    after: int = 0
    before: int = 0
    #: whether the page is the last one
    is_last: bool = False
    #: the first letters of the page's first name, in a list sorted by name
    letter: str = ""
    #: the parameter of `after`: a list with the latest first may call it « avant », and then has no `before`
    forward: str = "apres"
    #: parameters of the URL that concern something else than this list, and are kept
    beside: Mapping[str, str] = field(default_factory=dict)

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
        beside: Mapping[str, str] | None = None,
    ) -> Self:
        """Parse the parameters of a URL, ignoring invalid ones.

        `filters` gives each filter's accepted values, or the maximum length of a free text; the first of `sizes` is
        the default.
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
            is_last=args.get("fin") == "oui",
            letter=args.get("lettre", "").strip()[:_LONGEST_LETTER],
            forward=forward,
            beside=beside or {},
        )

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter hides rows."""
        return bool(self.search or self.chosen)

    def narrowed_by(self, shown: Mapping[str, Mapping[str, str]] | None = None) -> list[tuple[str, str]]:
        """Return what narrows the list, each with the URL of the list without it; `shown` labels filters' values."""
        known = {name: (shown or {}).get(name, {}) for name in self.chosen}
        words = [(known[key].get(each, each), self.page_url(**{key: None})) for key, each in self.chosen.items()]
        return [*words, (self.sought, self.page_url(recherche=None))] if self.search else words

    @property
    def sought(self) -> str:
        """Return a description of the search."""
        return f"recherche «\u202f{self.search}\u202f»"

    @property
    def offset(self) -> int:
        """Return how many rows precede the page."""
        return (self.page - 1) * self.size

    def first_page(self) -> Self:
        """Return the same list at its first page."""
        return replace(self, page=1, after=0, before=0, is_last=False, letter="")

    def url(self, **changes: Any) -> str:
        """Return the URL of the list with some parameters changed; empty ones are left out."""
        query = urlencode(self.parameters(**changes))
        return f"{self.base}?{query}" if query else self.base

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Return the URL's parameters, some of them changed; empty ones are left out."""
        asked: dict[str, Any] = {
            "recherche": self.search,
            **self.chosen,
            "tri": self.sort,
            "ordre": "desc" if self.descending else "",
            "lignes": self.size if self.sizes and self.size != self.sizes[0] else "",
            "page": self.page if self.page > 1 else "",
            "avant": self.before,
            self.forward: self.after,
            "fin": "oui" if self.is_last else "",
            "lettre": self.letter,
            **self.beside,
            **changes,
        }
        return {name: value for name, value in asked.items() if value}

    def page_url(self, **changes: Any) -> str:
        """Return the URL of another page of the same list, or of the first one without any change."""
        return self.url(**{**dict.fromkeys(_PLACES), **changes})

    def kept(self) -> dict[str, Any]:
        """Return the parameters that a form sends along when it asks for another position in the list."""
        return self.parameters(**dict.fromkeys(_PLACES))


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list; the URL of a page that does not exist is None."""

    rows: Sequence[Row]
    #: French: the page's number; empty for a page found by keyset
    title: str = ""
    first_url: str | None = None
    previous_url: str | None = None
    next_url: str | None = None
    last_url: str | None = None
    #: the list, when it can be jumped to a letter
    by_name: ListState | None = None
    #: French: which part of the list it is, for the window title; empty for its beginning
    place: str = ""

    def show(self, present: Callable[[Row], Shown]) -> Page[Shown]:
        """Return the page with each row converted for display."""
        shown: Any = replace(self, rows=[])
        return replace(shown, rows=[present(each) for each in self.rows])


def find_page(asked: ListState, list_rows: Callable[..., Sequence[Row]], total: int | None = None) -> Page[Row]:
    """Return the page of a number, read by `list_rows(limit=…, offset=…)`; a number too high gives the last page.

    For lists that stay short, such as one student's: each page also reads the rows before it. When `total` is None,
    one row more than the page has shows whether there is a next page.
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
        last_url=asked.page_url(page=last) if total is not None and number < last else None,
        place="" if number == 1 else f"page {number}" if total is None else f"page {number} sur {last}",
    )


def find_page_from(
    asked: ListState,
    statement: Select[Row],
    *order: Any,
    place_of: Callable[[int], Sequence[Any] | None] | None = None,
    read: Callable[[Select[Any]], list[Any]] | None = None,
    by_name: bool = False,
) -> Page[Row]:
    """Return the page of a statement that the URL asks for, in an order whose last column is the rows' id.

    The page starts after a row, ends before one or at the end, or, `by_name`, starts where names begin with some
    letters. No column of the order may be NULL. `place_of` gives a row's sort values, when they are not its own
    columns, or when the list hides rows that the session may read: it returns None for a row that this reader may
    not see. `read` reads the rows. An unknown position gives the first page, or the last.
    """
    if not by_name:
        asked = replace(asked, letter="")
    columns = [(unordered(each), is_descending(each)) for each in order]
    place = _place_asked(asked, place_of or partial(_find_place, [column for column, _is_down in columns]))
    seek = partial(_seek, statement, columns, asked.size, read or _read)
    rows, has_previous, has_next = _find_rows(asked, columns, place, seek, by_name=by_name)
    both_ways = asked.forward == "apres"
    is_first = not (place or asked.is_last or asked.letter)
    return Page(
        rows,
        first_url=None if is_first else asked.page_url(),
        previous_url=asked.page_url(avant=rows[0].id) if has_previous and both_ways else None,
        next_url=asked.page_url(**{asked.forward: rows[-1].id}) if has_next else None,
        last_url=asked.page_url(fin="oui") if has_next and both_ways else None,
        by_name=asked if by_name and (has_previous or has_next) else None,
        place=_describe_place(asked, is_first=is_first or not has_previous, is_last=not has_next),
    )


def _describe_place(asked: ListState, *, is_first: bool, is_last: bool) -> str:
    """Return in French which part of a list a page found by keyset is; empty for its beginning."""
    if asked.letter:
        return f"à partir de «\u202f{asked.letter}\u202f»"
    return "" if is_first else "fin de la liste" if is_last else "suite de la liste"


@dataclass(frozen=True)
class Beside:
    """The rows before and after one in a list (None if there is none), and the list at a page that shows it."""

    before: Any | None
    after: Any | None
    listed: ListState
    #: whether the list has the row at all
    has_row: bool


def find_beside(
    asked: ListState,
    statement: Select[Any],
    *order: Any,
    row_id: int,
    place_of: Callable[[int], Sequence[Any] | None] | None = None,
    by_name: bool = False,
) -> Beside:
    """Return the rows beside one in the order of a list. See `find_page_from`.

    The list stays at its page when that page shows the row, or when the list does not contain it; else it starts
    with it. The page usually contains all three rows: its ids are read, then the two rows.
    """
    columns = [(unordered(each), is_descending(each)) for each in order]
    place_of, row = place_of or partial(_find_place, [column for column, _is_down in columns]), columns[-1][0]
    ids = statement.with_only_columns(row.label("id"), maintain_column_froms=True)
    page = find_page_from(asked, ids, *order, place_of=place_of, read=_read_ids, by_name=by_name)
    shown = [each.id for each in page.rows]
    at = shown.index(row_id) if row_id in shown else -1
    sides = {  # for each side, the id beside the row if the page has it, and whether the list may go on if not
        True: (shown[at - 1] if at > 0 else None, at < 0 or page.first_url is not None),
        False: (shown[at + 1] if 0 <= at < len(shown) - 1 else None, at < 0 or page.next_url is not None),
    }
    goes_on = any(found is None and may_be for found, may_be in sides.values())
    place = place_of(row_id) if goes_on else None
    beside = [
        _find_id_beyond(ids, columns, place, is_backwards) if found is None and may_be and place else found
        for is_backwards, (found, may_be) in sides.items()
    ]
    wanted = [each for each in beside if each is not None]
    read = {each.id: each for each in _read(statement.where(row.in_(wanted)))} if wanted else {}
    before, after = (read.get(each) for each in beside)
    is_elsewhere = at < 0 and place is not None and bool(_read_ids(ids.where(row == row_id)))
    if is_elsewhere:
        asked = replace(asked.first_page(), after=before.id if before else 0)
    return Beside(before, after, asked, has_row=at >= 0 or is_elsewhere)


def _find_id_beyond(ids: Select[Any], columns: _Columns, place: Sequence[Any], is_backwards: bool) -> int | None:
    """Return the id of the row next to a position, or None at the end of the list."""
    found, _more = _seek(ids, columns, 1, _read_ids, _beyond(columns, place, is_backwards), is_backwards)
    return found[0].id if found else None


def _find_rows(
    asked: ListState, columns: _Columns, place: Sequence[Any] | None, seek: Callable[..., Any], *, by_name: bool
) -> tuple[list[Any], bool, bool]:
    """Return the rows of the page, whether some precede them, and whether some follow."""
    is_last = asked.is_last
    if place is not None:
        is_backwards = not asked.after
        rows, more = seek(_beyond(columns, place, is_backwards), is_backwards=is_backwards)
        if is_backwards and len(rows) == asked.size:
            return rows, more, True
        if rows and not is_backwards:
            return rows, True, more
        is_last = not is_backwards
    elif by_name and asked.letter:
        name, is_down = columns[0]
        letter = fold(asked.letter)
        rows, more = seek(name < letter + _LAST if is_down else name >= letter)
        if rows:
            return rows, True, more
        is_last = True
    rows, more = seek(None, is_backwards=is_last)
    return (rows, more, False) if is_last else (rows, False, more)


def _seek(
    statement: Select[Any],
    columns: _Columns,
    size: int,
    read: Callable[[Select[Any]], list[Any]],
    condition: ColumnElement[bool] | None,
    is_backwards: bool = False,
) -> tuple[list[Any], bool]:
    """Return the first rows under a condition, or the last ones, and whether there are more."""
    if condition is not None:
        statement = statement.where(condition)
    order = (column.desc() if is_down is not is_backwards else column for column, is_down in columns)
    found = read(statement.order_by(*order).limit(size + 1))
    rows = found[:size]
    return (rows[::-1] if is_backwards else rows), len(found) > size


def _read(statement: Select[Any]) -> list[Any]:
    return list(db.session.scalars(statement))


def _read_ids(statement: Select[Any]) -> list[Any]:
    return list(db.session.execute(statement))


def _place_asked(asked: ListState, place_of: Callable[[int], Sequence[Any] | None]) -> Sequence[Any] | None:
    row_id = asked.after or asked.before
    return place_of(row_id) if row_id else None


def contains_words(text: str, *columns: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that each word of a text is in at least one of the folded columns."""
    return [or_(*(column.contains(word, autoescape=True) for column in columns)) for word in fold(text).split()]


def disambiguate(labels: Sequence[str], ids: Sequence[int]) -> list[str]:
    """Return labels that identify rows outside their list: rows with the same label have their number added."""
    called = Counter(labels)
    return [
        label if called[label] == 1 else f"{label}, n°\u202f{row_id}" for label, row_id in zip(labels, ids, strict=True)
    ]


def _find_place(columns: Sequence[Any], row_id: int) -> Sequence[Any] | None:
    """Return a row's sort values, or None when there is no such row."""
    if len(columns) == 1:
        return (row_id,)
    return db.session.execute(select(*columns).where(columns[-1] == row_id)).one_or_none()


def _beyond(columns: _Columns, place: Sequence[Any], is_backwards: bool) -> ColumnElement[bool]:
    """Return the condition of the rows that follow a position, or precede it.

    When all columns have the same direction, they are compared as one tuple, which lets an index seek to the
    position.
    """
    ways = {is_down is not is_backwards for _column, is_down in columns}
    if len(ways) == 1:
        row = tuple_(*(column for column, _is_down in columns))
        return row < tuple(place) if ways == {True} else row > tuple(place)
    cases: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (column, is_down), value in zip(columns, place, strict=True):
        cases.append(and_(*equal, column < value if is_down is not is_backwards else column > value))
        equal.append(column == value)
    return or_(*cases)


def is_descending(ordered: Any) -> bool:
    """Return whether a column of an order is descending."""
    return getattr(ordered, "modifier", None) is desc_op


def unordered(ordered: Any) -> Any:
    """Return the column of a part of an order, without its direction."""
    return ordered.element if is_descending(ordered) else ordered

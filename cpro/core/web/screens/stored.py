"""Read the rows of a list for an export: values of columns, without creating an object for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import JSON, Select, TypeDecorator, type_coerce
from sqlalchemy.orm import aliased
from sqlalchemy.sql.base import ExecutableOption

from cpro.core.batches import Reader, Values, read_in_batches
from cpro.core.spreadsheets import Block
from cpro.core.web.screens.parts import Column, Stored
from cpro.extensions import db

#: Rows of a block, enough to amortise a statement; the first block is small, to be sent at once.
_BLOCK, _FIRST = 2000, 200
#: Values of a column whose cells are cached.
_REMEMBERED = 5000


def read_blocks(
    found: Select[Any],
    order: Sequence[Any],
    columns: Sequence[Column],
    *,
    as_text: bool,
    options: Sequence[ExecutableOption] = (),
) -> Iterator[Block]:
    """Return the cells of every row of a list, column by column, in an order whose last column is their id.

    `found` selects the rows; cells are texts, or workbook values. Rows are loaded as objects, with `options`, only if a
    column does not declare the attributes it needs.
    """
    model = found.column_descriptions[0]["entity"]
    if all(column.stored or column.needs for column in columns):
        statement, read = _select_values(found, model, columns, as_text=as_text)
    else:
        statement, read = found.options(*options), _rows_reader(columns, as_text=as_text)
    return read_in_batches(statement, order, read, first=_FIRST, size=_BLOCK)


def _rows_reader(columns: Sequence[Column], *, as_text: bool) -> Reader[Block]:
    readers = [each.open_texts() if as_text or each.stored is None else each.stored.open_cells() for each in columns]
    return lambda rows: [[read(row[0]) for row in rows] for read in readers]


def _select_values(
    found: Select[Any], model: type[Any], columns: Sequence[Column], *, as_text: bool
) -> tuple[Select[Any], Reader[Block]]:
    """Return the statement that reads the attributes columns need, and the function that makes cells of its rows."""
    statement = found
    places: dict[Any, int] = {}  # index of each selected expression; one needed by several columns is selected once
    readers: list[tuple[list[int], Callable[..., Values]]] = []
    for column in columns:
        needed: list[Any] = [getattr(model, name) for name in column.needs]
        read: Callable[..., Values]
        if column.stored is None:
            read = partial(_read_together, _made_of(model, column, needed))
        else:
            attribute = getattr(model, column.stored.name)
            if column.stored.of:
                related = aliased(attribute.property.mapper.class_)
                statement = statement.outerjoin(attribute.of_type(related))
                attribute = getattr(related, column.stored.of)
            selected, read = _read_stored(column.stored, attribute, as_text=as_text)
            needed = [selected]
        readers.append(([places.setdefault(each, len(places)) for each in needed], read))

    def read_block(rows: Sequence[Values]) -> Block:
        values = list(zip(*rows, strict=True))
        return [read(*(values[place] for place in needed)) for needed, read in readers]

    return statement.with_only_columns(*places, maintain_column_froms=True), read_block


def _read_stored(stored: Stored, attribute: Any, *, as_text: bool) -> tuple[Any, Callable[[Values], Values]]:
    """Return the expression to select for an attribute, and the function that makes cells of its values."""
    show, kind, blank = (stored.text if as_text else stored.cell)(), attribute.type, stored.blank
    if kind.python_type is str and not isinstance(kind, TypeDecorator):
        if attribute.nullable or stored.of:
            return attribute, lambda values: [blank if each is None else show(each) for each in values]
        return attribute, lambda values: values if show is str else list(map(show, values))
    dialect = db.engine.dialect
    decode = partial(kind.process_result_value, dialect=dialect) if isinstance(kind, TypeDecorator) else None

    def make(value: Any) -> Any:
        return blank if value is None else show(decode(value) if decode else value)

    if decode is not None:  # decode each distinct stored value once
        attribute = type_coerce(attribute, kind.impl_instance).label(f"{stored.name}_as_stored")
    remembered = _Remembered(make).__getitem__
    return attribute, lambda values: list(map(remembered, values))


def _read_together(make: Callable[[Values], Any], *values: Values) -> Values:
    return list(map(make, zip(*values, strict=True)))


def _made_of(model: type[Any], column: Column, needed: Sequence[Any]) -> Callable[[Values], Any]:
    """Return a function that makes a cell from the values that a column needs, as if from a row with its properties."""
    properties = {name: each for name, each in vars(model).items() if isinstance(each, property)}
    row_of = type(f"{model.__name__}Values", (), properties)

    def make(values: Values) -> Any:
        row = row_of()
        row.__dict__.update(zip(column.needs, values, strict=True))
        return column.value(row)

    is_hashable = not any(isinstance(each.type, JSON) for each in needed)
    return _Remembered(make).__getitem__ if is_hashable else make


class _Remembered(dict[Any, Any]):
    """A cache of cells by value: a division, a day or a state is repeated in many rows."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[value] = self._make(value)
        return made

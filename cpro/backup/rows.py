"""The rows of every table, read from one snapshot of the database and written into an empty one, of either engine.

Values are encoded as JSON: instants and days as ISO 8601, bytes as base64, JSON columns as the exact text they contain.
Tables are read as they are in the database, not as this program maps them: a database that is not upgraded yet can be
backed up too. Search words are left out: the triggers of the database write them again with the rows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    NullPool,
    String,
    column,
    create_engine,
    delete,
    exists,
    func,
    insert,
    inspect,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import JSON, TypeEngine, UserDefinedType

from cpro.backup.archive import DATABASE, TABLES, Damaged, Member, Writer
from cpro.core.database_revision import TABLE as REVISION
from cpro.core.database_revision import find_revision
from cpro.core.errors import DomainError
from cpro.core.types import UTCDateTime
from cpro.extensions import application, db

#: Written by triggers of the database, along with the rows they index.
_DERIVED = frozenset({"search_word"})
#: What a server started on an empty database may have written there.
_OF_A_START = ("worker_beat", "server_key")
_ROWS = 1000
_MEMBER_BYTES = 4 << 20

#: {table: [[column, kind]…]}
Tables = dict[str, list[list[str]]]


class NotEmpty(DomainError):
    """Refuse to restore into a database that already has rows."""

    def __init__(self, tables: Sequence[str]) -> None:
        super().__init__(
            f"Cette instance n’est pas vide ({', '.join(tables[:5])}{'…' if len(tables) > 5 else ''})\u202f: "
            "une sauvegarde se restaure dans une base neuve, et des dossiers vides. Rien n’a été restauré."
        )


class _JSONText(UserDefinedType[str]):
    """The text of a JSON column, as stored in the database."""

    cache_ok = True

    def get_col_spec(self, **kwargs: Any) -> str:
        """Return the name of the type."""
        return "JSON"


#: {kind: (SQLAlchemy type of its column, conversion to JSON, conversion from JSON)}
_KINDS: dict[str, tuple[TypeEngine[Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "boolean": (Boolean(), bool, bool),
    "instant": (UTCDateTime(), datetime.isoformat, datetime.fromisoformat),
    "date": (Date(), date.isoformat, date.fromisoformat),
    "json": (_JSONText(), str, str),
    "bytes": (LargeBinary(), lambda value: base64.b64encode(value).decode(), base64.b64decode),
    "float": (Float(), float, float),
    "integer": (Integer(), int, int),
    "text": (String(), str, str),
}
_CLASSES = {
    Boolean: "boolean",
    DateTime: "instant",
    Date: "date",
    JSON: "json",
    LargeBinary: "bytes",
    Float: "float",
    Integer: "integer",
    String: "text",
}


def owner_engine() -> Engine:
    """Return the engine of the role that owns the tables: the migrations' if it differs from the application's."""
    return create_engine(application.migration_url, poolclass=NullPool) if application.migration_url else db.engine


# --- Reading ----------------------------------------------------------------------------------------------------------


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Yield a read-only connection that sees the database as it is at this instant, whatever others write."""
    engine = owner_engine()
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            see_all_schools(connection)
        connection.execute(select(func.count()).select_from(table(REVISION)))  # the snapshot is taken at the first read
        yield connection


def describe(connection: Connection) -> dict[str, Any]:
    """Return the content of `database.json`: the revision, the tables with their columns, the last id given by each."""
    return {"revision": find_revision(connection), "tables": _tables(connection), "last_ids": _last_ids(connection)}


def write_rows(connection: Connection, writer: Writer) -> int:
    """Write the rows of the database into a backup; return how many there are."""
    described = describe(connection)
    writer.add_json(DATABASE, described)
    count = 0
    for name, columns in described["tables"].items():
        for number, (lines, rows) in enumerate(_packed(_read(connection, name, columns)), 1):
            writer.add(f"{TABLES}{name}/{number:08}.jsonl", lines)
            count += rows
    return count


def _tables(connection: Connection) -> Tables:
    found = inspect(connection)
    return {
        name: [[each["name"], _kind(each["type"])] for each in found.get_columns(name) if "computed" not in each]
        for name in sorted(found.get_table_names())
        if name != REVISION and name not in _DERIVED
    }


def _kind(found: TypeEngine[Any]) -> str:
    return next(kind for known, kind in _CLASSES.items() if isinstance(found, known))


def _read(connection: Connection, name: str, columns: list[list[str]]) -> Iterator[list[Any]]:
    """Yield the rows of a table in the order of its key, each with JSON-compatible values."""
    source = _table(name, columns)
    key = inspect(connection).get_pk_constraint(name)["constrained_columns"]
    wanted = [_as_text(connection, each) if kind == "json" else source.c[each] for each, kind in columns]
    statement = select(*wanted).select_from(source).order_by(*(source.c[each] for each in key))
    writes = [_KINDS[kind][1] for _name, kind in columns]
    for row in connection.execution_options(yield_per=_ROWS).execute(statement):
        yield [None if value is None else write(value) for write, value in zip(writes, row, strict=True)]


def _as_text(connection: Connection, name: str) -> Any:
    quoted = connection.dialect.identifier_preparer.quote(name)
    return literal_column(f"{quoted}::text" if connection.dialect.name == "postgresql" else quoted, String())


def _packed(rows: Iterable[list[Any]]) -> Iterator[tuple[bytes, int]]:
    """Yield rows as lines, in blocks of some megabytes, with the number of rows in each."""
    lines: list[bytes] = []
    size = 0
    for row in rows:
        lines.append(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        size += len(lines[-1])
        if size >= _MEMBER_BYTES:
            yield b"".join(lines), len(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines), len(lines)


def _table(name: str, columns: list[list[str]]) -> TableClause:
    return table(name, *(column(each, _KINDS[kind][0]) for each, kind in columns))


# --- Writing ----------------------------------------------------------------------------------------------------------


@contextmanager
def filling(engine: Engine) -> Iterator[Connection]:
    """Yield an exclusive connection to an empty database; commit if the block succeeds, roll back otherwise.

    Raises `NotEmpty`, and `Damaged` if the rows break a constraint.
    """
    with engine.connect() as connection:
        on_postgresql = engine.dialect.name == "postgresql"
        if not on_postgresql:
            connection.execution_options(cpro_begin_immediate=True)
        try:
            with connection.begin():
                if on_postgresql:
                    see_all_schools(connection)
                _take_alone(connection)
                check_empty(connection)
                for name in _OF_A_START:
                    if inspect(connection).has_table(name):
                        connection.execute(delete(table(name)))
                yield connection
                _check_references(connection)
        except (IntegrityError, DataError) as error:
            raise Damaged from error
        except OperationalError as error:
            raise DomainError(
                "La base de données a refusé d’être remplie (disque plein, ou utilisée par un autre processus)\u202f: "
                "rien n’a été restauré."
            ) from error


def check_empty(connection: Connection) -> None:
    """Check that no table has rows except those that a start writes. Raises `NotEmpty`."""
    names = [name for name in inspect(connection).get_table_names() if name not in (REVISION, *_OF_A_START)]
    if full := [
        name for name in sorted(names) if connection.scalar(select(exists(select(1).select_from(table(name)))))
    ]:
        raise NotEmpty(full)


def check_described(tables: dict[str, Any], last_ids: dict[str, Any]) -> None:
    """Check that the description of tables in a backup has the shape that `describe` gives it. Raises `Damaged`."""
    columns_are_pairs = all(
        isinstance(columns, list)
        and all(isinstance(each, list) and [type(part) for part in each] == [str, str] for each in columns)
        for columns in tables.values()
    )
    ids_are_numbers = all(type(last) is int and 0 <= last < 1 << 63 for last in last_ids.values())
    if not columns_are_pairs or not ids_are_numbers:
        raise Damaged


def check_same_tables(connection: Connection, tables: Tables) -> None:
    """Check that the database has the tables of a backup, column by column. Raises `Damaged`."""
    if {name: sorted(columns) for name, columns in tables.items()} != {
        name: sorted(columns) for name, columns in _tables(connection).items()
    }:
        raise Damaged


def load_rows(connection: Connection, member: Member, tables: Tables) -> int:
    """Insert the rows of a member `tables/…`; return how many. Raises `Damaged`."""
    name = member.name.split("/")[1]
    columns = tables.get(name)
    if columns is None:
        raise Damaged
    statement, count, rows = insert(_table(name, columns)), 0, _rows(member, columns)
    try:
        while batch := list(islice(rows, _ROWS)):
            connection.execute(statement, batch)
            count += len(batch)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # not a row, or one that a database refuses
        raise Damaged from error
    return count


def _rows(member: Member, columns: list[list[str]]) -> Iterator[dict[str, Any]]:
    reads = [(name, _KINDS[kind][2]) for name, kind in columns]
    for line in member.lines():
        values = zip(reads, json.loads(line), strict=True)
        yield {name: None if value is None else read(value) for (name, read), value in values}


def give_ids_after(connection: Connection, last_ids: dict[str, int]) -> None:
    """Make each table continue after the last id that it ever gave."""
    names = inspect(connection).get_table_names()
    if connection.dialect.name != "postgresql":
        for name in set(last_ids).intersection(names) if _counts_ids(connection) else ():
            row = {"name": name, "seq": last_ids[name]}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), row)
        return
    for name, sequence in _sequences(connection):
        largest = connection.scalar(select(func.max(column("id"))).select_from(table(name))) or 0
        last = max(largest, last_ids.get(name, 0))
        connection.execute(select(func.setval(sequence, max(last, 1), last > 0)))


def _counts_ids(connection: Connection) -> bool:
    """Return whether any table of SQLite records the last id that it gave."""
    return bool(connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'")))


def _last_ids(connection: Connection) -> dict[str, int]:
    """Return the last id that each table gave, even to a deleted row, as far as the database knows it."""
    if connection.dialect.name != "postgresql":
        found = connection.execute(text("SELECT name, seq FROM sqlite_sequence")) if _counts_ids(connection) else ()
        return {name: last for name, last in found}
    last_ids = {}
    for name, sequence in _sequences(connection):
        last = connection.scalar(text(f"SELECT last_value FROM {sequence} WHERE is_called"))
        if last is not None:
            last_ids[name] = last
    return last_ids


def _sequences(connection: Connection) -> list[tuple[str, str]]:
    """Return the sequence of each table that has one, [(table, its quoted name)]."""
    found = []
    for name in sorted(inspect(connection).get_table_names()):
        if any(each["name"] == "id" for each in inspect(connection).get_columns(name)):
            sequence = connection.scalar(select(func.pg_get_serial_sequence(name, "id")))
            if sequence:
                found.append((name, sequence))
    return found


# --- Both -------------------------------------------------------------------------------------------------------------


def see_all_schools(connection: Connection) -> None:
    """Make row-level security show every row until the transaction ends."""
    connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))


_REFERENCES = text(
    "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
    "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
)


def _take_alone(connection: Connection) -> None:
    """Lock the tables and defer foreign key checks: tables are loaded in the order of their names."""
    if connection.dialect.name != "postgresql":
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        return
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in inspect(connection).get_table_names())
    connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    for name, constraint in connection.execute(_REFERENCES).all():
        connection.execute(text(f"ALTER TABLE {name} ALTER CONSTRAINT {constraint} DEFERRABLE INITIALLY DEFERRED"))


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return  # checked at the commit
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for name, constraint in connection.execute(_REFERENCES).all():
        connection.execute(text(f"ALTER TABLE {name} ALTER CONSTRAINT {constraint} NOT DEFERRABLE"))

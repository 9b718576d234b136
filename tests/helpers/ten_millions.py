"""A database of few rows whose planner believes that each long list has ten million, of 2 500 schools.

On PostgreSQL, some ten thousand rows are drawn as a sample of those of a nation: one school in it holds a tenth. They
are no more than ANALYZE reads, which hence tells the same of them each time; then `pg_class` says that there are more
of the kind, all vacuumed. SQLite knows averages only (`sqlite_stat1`), which are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from math import prod
from random import Random
from typing import Any

from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import Connection

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Role
from cpro.core.search import SearchWord
from cpro.students.models import Division, Student
from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.users.models import Account
from tests.factories import NOW

ROWS, SCHOOLS, SAMPLE = 10_000_000, 2_500, 15_000
#: What a school has of each, in the average; columns left out tell nearly all rows from one another.
WITHIN_A_SCHOOL = {
    "action": 60, "actor_id": 100, "actor_kind": 3, "birth_sort": 1_500, "direction": 2, "division_id": 120,
    "division_sort": 120, "is_active": 2, "kind": 4, "mef_code": 60, "merged_into_id": 1, "object_type": 15,
    "other_uai": 500, "role": 4, "state": 9, "word": 2_000,
}  # fmt: skip
#: What a nation has of each, where a sample is too small to tell.
OF_A_NATION = {
    "account": {"establishment_id": SCHOOLS},
    "audit_entry": {"establishment_id": SCHOOLS, "actor_id": 100 * SCHOOLS},
    "division": {"establishment_id": SCHOOLS, "id": -1},
    "search_word": {"establishment_id": SCHOOLS, "word": 20_000},
    "student": {"establishment_id": SCHOOLS, "division_id": 120 * SCHOOLS},
    "transfer_side": {"establishment_id": SCHOOLS, "other_uai": SCHOOLS},
}
#: Conditions of indexes that few rows meet.
RARE = (
    "merged_into_id",
    "ine IS NULL",
    "consent_needed",
    "unseen_by_head",
    "is_active = 0",
    "password_hash",
    "activated_at IS NULL",
)
_TENTH = 10
_NAMES = ("zoe", "noe", "lea", "hugo", "ines", "theo", "manon", "lucas", "chloe", "nathan", "camille", "enzo", "sarah")


def believe(address: str, large: int, small: int) -> None:
    """Fill a database that has two schools, and nothing else, with a sample; have its planner take it for a nation.

    `address` is that of a role that may write the statistics and pass by row-level security.
    """
    engine = create_engine(address)
    is_postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if is_postgresql:
            connection.execute(text("SET session_replication_role = replica"))  # neither triggers nor foreign keys
            for table in OF_A_NATION:
                connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = false)"))
        _fill(connection, [large, small], SAMPLE if is_postgresql else SAMPLE // 10)
        (_set_statistics_of_postgresql if is_postgresql else set_statistics_of_sqlite)(connection)
    engine.dispose()


def _fill(connection: Connection, schools: list[int], count: int) -> None:
    """Insert as many rows of each kind: a tenth of the first school, the others of schools of some twelve."""
    chance, (large, small) = Random(20261128), schools
    others = [small, *range(10_000, 10_000 + count // 12)]
    owners = [large if n % _TENTH == 0 else others[n % len(others)] for n in range(1, count + 1)]
    divisions = {school: [school * 200 + n for n in range(120)] for school in {*others, large}}
    kept = [*divisions[large], *divisions[small], *(divisions[each][0] for each in others[1:600])]
    connection.execute(
        insert(Division),
        [{"id": key, "establishment_id": key // 200, "code": _code(key)} for key in kept],
    )
    made: tuple[tuple[Any, Callable[..., dict[str, Any]]], ...] = (
        (Account, _account), (AuditEntry, _line), (TransferSide, _side),
    )  # fmt: skip
    for model, make in made:
        connection.execute(insert(model), [make(chance, n, owner) for n, owner in enumerate(owners, 100)])
    pupils = [_pupil(chance, n, owner, divisions[owner]) for n, owner in enumerate(owners, 100)]
    connection.execute(insert(Student), pupils)
    if connection.dialect.name == "postgresql":  # SQLite's triggers have done it
        connection.execute(insert(SearchWord), list(_words(chance, owners)))


def _code(division: int) -> str:
    """Return the code of a division; each school has one that tests ask for."""
    return f"D{division % 200:03}" if division % 200 else "2ALP"


def _person(chance: Random) -> tuple[str, str]:
    return f"nom{chance.randrange(5_000)}", chance.choice(_NAMES)


def _account(chance: Random, number: int, school: int) -> dict[str, Any]:
    (last, first), draw = _person(chance), chance.random()
    return {
        "id": number,
        "establishment_id": school,
        "login": f"{first}.{last}{number}",
        "role": Role.STUDENT if draw > 0.1 else Role.TEACHER if draw > 0.002 else Role.HEAD,
        "last_name": last,
        "first_name": first,
        "search_key": f"{last} {first} {first}.{last}{number}",
        "is_active": chance.random() > 0.05,
        "consent_needed": draw < 0.005,
        "unseen_by_head": 0.005 < draw < 0.01,
        "activated_at": NOW if draw > 0.3 else None,
        "password_hash": "hash" if draw > 0.3 else None,
        "last_sign_in_at": NOW - timedelta(minutes=number) if draw > 0.3 else None,
        "created_at": NOW,
    }


def _pupil(chance: Random, number: int, school: int, divisions: list[int]) -> dict[str, Any]:
    (last, first), draw, division = _person(chance), chance.random(), chance.choice(divisions)
    return {
        "id": number,
        "establishment_id": school,
        "last_name": last,
        "first_name": first,
        "birth_date": date(2008, 1, 1) + timedelta(days=chance.randrange(1_500)),
        "ine": f"{chance.randrange(10**9):09}AP" if chance.random() > 0.02 else None,
        "mef_code": f"247255{10_300 + chance.randrange(300)}",
        "division_id": division,
        "division_sort": f"0{_code(division)}",
        "account_id": number,
        "is_active": draw > 0.2,
        "merged_into_id": number - 1 if draw < 0.001 else None,
        "search_key": f"{last} {first}",
        "created_at": NOW,
    }


def _line(chance: Random, number: int, school: int) -> dict[str, Any]:
    kind = f"kind{chance.randrange(14)}" if chance.random() > 0.2 else "account"
    return {
        "id": number,
        "establishment_id": school,
        "at": NOW - timedelta(minutes=SAMPLE - number),
        "actor_kind": "account" if chance.random() > 0.1 else "system",
        "actor_id": 1 if chance.random() < 0.1 else chance.randrange(100 * SCHOOLS),
        "actor_label": "Alix Granite",
        "actor_role": chance.choice(("head", "administrator", "teacher", "student", "system", "support", "inspector")),
        "origin": "127.0.0.1",
        "action": f"{kind}:{chance.choice(('changed', 'created', 'signed-in', 'deleted'))}",
        "object_type": kind,
        "object_id": str(number),
        "object_label": " ".join(_person(chance)),
        "search_key": f"alix granite {' '.join(_person(chance))}",
        "changes": {},
        "number": number,
    }


def _side(chance: Random, number: int, school: int) -> dict[str, Any]:
    is_done, changed_at = chance.random() > 0.05, NOW - timedelta(minutes=chance.randrange(500_000))
    return {
        "id": number,
        "establishment_id": school,
        "transfer_id": number,
        "direction": chance.choice(list(Direction)),
        "student_id": number,
        "student_label": "TOPAZE Lou",
        "other_name": "Lycée d’ailleurs",
        "other_uai": f"0999{chance.randrange(1_000):03}W",
        "search_key": " ".join(_person(chance)),
        "state": TransferState.DONE if is_done else chance.choice(list(TransferState)),
        "created_at": changed_at,
        "changed_at": changed_at,
        "done_at": changed_at if is_done else None,
    }


def _words(chance: Random, owners: list[int]) -> Iterator[dict[str, Any]]:
    kinds = ("account", "audit_entry", "student", "transfer_side")
    for number, owner in enumerate(owners, 100):
        last, first = _person(chance)
        yield {
            "establishment_id": owner,
            "kind": kinds[number // 3 % 4],
            "word": chance.choice((last, first)),
            "sort_key": f"{last} {first} {number}",
            "row_id": number,
            "shared": 0,
        }


def _set_statistics_of_postgresql(connection: Connection) -> None:
    """Have ANALYZE read the sample, then say that tables and their indexes hold so many times as much."""
    for table, distinct in OF_A_NATION.items():
        for column, number in distinct.items():
            connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN {column} SET (n_distinct = {number})"))
        connection.execute(text(f"ANALYZE {table}"))
        rows = 120 * SCHOOLS if table == "division" else ROWS
        connection.execute(
            text(
                "UPDATE pg_class SET relallvisible = relpages, reltuples = reltuples * :rows / (SELECT count(*) FROM "
                f"{table}) WHERE oid = '{table}'::regclass "
                f"OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass)"
            ),
            {"rows": rows},
        )


def set_statistics_of_sqlite(connection: Connection, schools: int = SCHOOLS) -> None:
    """Write how many rows an index has in all, then for each further column of it."""
    connection.execute(text("ANALYZE"))
    connection.execute(text("DELETE FROM sqlite_stat1"))
    for table in OF_A_NATION:
        rows = 120 * schools if table == "division" else ROWS
        for _seq, name, is_unique, _origin, _partial in connection.execute(text(f"PRAGMA index_list({table})")).all():
            sql = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}) or ""
            columns = [row[2] for row in connection.execute(text(f"PRAGMA index_info({name})"))]
            held = rows // 100 if any(each in sql.partition("WHERE")[2] for each in RARE) else rows
            stat = [held, *_averages(columns, held, schools)]
            if is_unique:
                stat[-1] = 1
            connection.execute(
                text("INSERT INTO sqlite_stat1 VALUES (:table, :name, :stat)"),
                {
                    "table": table,
                    "name": table if table == "search_word" else name,
                    "stat": " ".join(map(str, stat)),
                },
            )


def _averages(columns: list[str], rows: int, schools: int) -> Iterator[int]:
    """Yield how many rows share the first column, the first two, and so on."""
    told = [schools if each == "establishment_id" else WITHIN_A_SCHOOL.get(each, rows) for each in columns]
    for end in range(1, len(told) + 1):
        yield max(1, rows // prod(told[:end]))

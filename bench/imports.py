"""Time an import against its floor: `python -m bench.imports [pupils] [--schools number]`.

The floor is a bare lxml iterparse of the same file (`bench.bare_parse`) and one bulk insert of the same rows into the
same kind of database. Each action runs in a process of its own, whose peak memory is shown, on databases created for
it: SQLite files, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, databases on that server, whose
role needs CREATEDB. `--schools` first fills the database of the import with that many others (`bench.nation`): its
query plans differ from those of an empty one.

The same file again is measured against the parse alone, alternately, medians of five: the parse in a process like ours,
with the application loaded (Python's garbage collector traverses all of it meanwhile; an import makes it run less
often), and in a bare one. PostgreSQL is vacuumed first (VACUUM ANALYZE, which its autovacuum does within minutes):
schools do not deposit a file twice in a row.

Ratios are of elapsed time, and of CPU time, PostgreSQL's own included, which a busy machine affects least. « Lock
held » is the duration of the application's transaction: on SQLite, nothing else can write meanwhile. Its figures are
for pupils who all arrive, come again, all change division, all change name, and all receive an account.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, make_url, text

from bench import nation
from bench.bare_parse import parse_bare
from bench.figures import Figure, tell
from bench.siecle_files import UAI, write_students
from cpro import create_app
from cpro.core import tenancy
from cpro.core.bulk_writes import bulk_insert
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import Establishment
from cpro.imports.apply.application import apply_now
from cpro.imports.runs.deposits import analyse, receive
from cpro.students.models import Origin, Student

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
BENCH = Actor("system", None, "Bench", "system", "bench")
ROUNDS = 5
#: Limits of an import, as a multiple of the floor, and of the same file again, as a multiple of the bare parse.
GOAL, GOAL_OF_AGAIN, GOAL_OF_MEMORY = 2.0, 0.2, 150.0
#: The columns that the floor inserts for each pupil of the file.
IDENTITY = ("siecle_id", "ine", "last_name", "usage_name", "first_name", "birth_date", "mef_code")


@dataclass
class Time:
    """The cost of an action in seconds: elapsed, CPU, and the part of the CPU used by PostgreSQL's server."""

    elapsed: float
    processor: float
    server: float = 0.0

    def seconds(self) -> str:
        """Return the figures as text."""
        return f"{self.elapsed:.2f} s ({self.processor:.2f} s of processor, {self.server:.2f} s of the server's)"

    def over(self, floor: Time) -> str:
        """Return both ratios."""
        return f"{self.elapsed / floor.elapsed:.2f} × elapsed, {self.processor / floor.processor:.2f} × processor"


def time_of(action: Callable[[], object], served: Callable[[], float]) -> Time:
    """Return the cost of the action; `served` returns the server's CPU seconds so far."""
    start, processor, server = time.perf_counter(), time.process_time(), served()
    action()
    elapsed, processor, server = time.perf_counter() - start, time.process_time() - processor, served() - server
    return Time(elapsed, processor + server, server)


def serve_time(database: str) -> float:
    """Return the CPU seconds of PostgreSQL's current processes for a database; 0 on SQLite."""
    address = make_url(database)
    if address.get_backend_name() == "sqlite":
        return 0.0
    asked = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    with psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        tasks = [Path(f"/proc/{process}/schedstat") for (process,) in connection.execute(asked)]
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def median(times: Iterable[Time]) -> Time:
    """Return the medians."""
    return Time(*(statistics.median(figures) for figures in zip(*map(astuple, times), strict=True)))


def import_file(path: Path, *, opens_accounts: bool = False) -> float:
    """Analyse a file and apply it; return the duration of its transaction in seconds."""
    with receive([(path.name, path)], now=NOW) as sources:
        run_id = analyse(sources, opens_student_accounts=opens_accounts, by=BENCH, now=NOW)
    read_at: list[float] = []

    def clock() -> datetime:
        """Return the time; the last call is made when the transaction begins."""
        read_at.append(time.perf_counter())
        return NOW

    apply_now(run_id, confirmations=(), by=BENCH, clock=clock)
    return time.perf_counter() - read_at[-1]


def insert(rows: list[dict[str, Any]]) -> None:
    """Insert the rows in one transaction."""
    with unit_of_work() as work:
        bulk_insert(work.session, Student, rows)


def measure(what: str, path: Path, folder: Path, database: str) -> dict[str, float]:
    """Return seconds and megabytes of one action on a database."""
    app = create_app(
        {
            "CPRO_INSTANCE": folder,
            "CPRO_UPLOADS": folder,
            "SECRET_KEY": "bench",  # pragma: allowlist secret
            "SQLALCHEMY_DATABASE_URI": database,
        }
    )
    with app.app_context():
        if what == "prepare":
            return _prepare()
        if what.startswith("fill"):
            nation.fill(nation.Nation(int(what.split()[1]), fiches=1, evaluations=1, bilans=1, lines=200))
            return {}
        tenancy.enter(tenancy.Scope(_school_id()))
        held: list[float] = []
        served = partial(serve_time, database)
        if what == "parse":
            took = time_of(lambda: parse_bare(path), served)
        elif what == "insert":
            rows = _rows(path)
            took = time_of(lambda: insert(rows), served)
        else:
            took = time_of(lambda: held.append(import_file(path, opens_accounts=what == "accounts")), served)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**asdict(took), "held": sum(held), "megabytes": megabytes}


def _prepare() -> dict[str, float]:
    from flask_migrate import upgrade

    upgrade()
    with platform_unit_of_work("bench") as work:
        work.session.add(Establishment(code="bench", name="Bench", uai=UAI, created_at=NOW))
    return {}


def _school_id() -> int:
    with tenancy.platform_session("bench") as session:
        return int(session.query(Establishment.id).filter_by(code="bench").scalar())


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the pupils of the file as the import stores them."""
    from cpro.imports.parse.siecle.reader import read_students

    with path.open("rb") as stream:
        return [
            {name: getattr(row, name) for name in IDENTITY}
            | {"created_at": NOW, "is_active": True, "came_by": Origin.SIECLE}
            | {"search_key": f"{row.last_name} {row.first_name}".lower()}
            for row in read_students(stream, today=NOW.date())
        ]


class Bench:
    """One size: a file, and the databases it is imported into."""

    def __init__(self, count: int, folder: Path, databases: dict[str, str]) -> None:
        self.path, self.moved, self.renamed = (folder / f"{name}.xml" for name in ("Eleves", "Moved", "Renamed"))
        self._folder, self._databases = folder, databases
        write_students(self.path, count)
        write_students(self.moved, count, divisions="E")
        write_students(self.renamed, count, divisions="E", usage_name="NOUVEAU")

    def run(self, what: str, name: str = "ours", path: Path | None = None) -> tuple[Time, dict[str, float]]:
        """Measure an action in a process of its own."""
        command = [sys.executable, "-m", "bench.imports", "measure", what, str(path or self.path), str(self._folder)]
        output = subprocess.run([*command, self._databases[name]], stdout=subprocess.PIPE, text=True, check=True).stdout
        figures = dict(json.loads(output.splitlines()[-1]))
        return Time(*(figures.get(each.name, 0.0) for each in fields(Time))), figures

    def parse_in_bare_process(self) -> Time:
        """Measure the parse in a process that does nothing else."""
        command = [sys.executable, "-m", "bench.bare_parse", str(self.path)]
        output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        return Time(*map(float, output.split()))


def compare(count: int, schools: int = 0) -> float:
    """Print the figures of one size, and return the peak memory of its import."""
    with tempfile.TemporaryDirectory() as name, fresh_databases(Path(name), ("ours", "floor")) as databases:
        bench = Bench(count, Path(name), databases)
        for each in databases:
            bench.run("prepare", each)
        if schools:
            bench.run(f"fill {schools}")
            vacuum(databases["ours"])
        parse = median(bench.parse_in_bare_process() for _ in range(ROUNDS))
        inserted, _ = bench.run("insert", "floor")
        floor = Time(*(sum(both) for both in zip(astuple(parse), astuple(inserted), strict=True)))
        print(f"{count} pupils: parse {parse.seconds()}, bulk insert {inserted.seconds()}", flush=True)
        first, arriving = bench.run("import")
        told = [Figure(f"import of {count} pupils arriving", "s", first.processor, floor.processor, at_most=GOAL)]
        print(f"  import {first.seconds()}: {first.over(floor)} of the floor", flush=True)
        vacuum(databases["ours"])
        changes: dict[str, dict[str, float]] = {}
        rounds = [(bench.run("parse")[0], bench.parse_in_bare_process(), bench.run("import")) for _ in range(ROUNDS)]
        second, unchanged = median(again for _, _, (again, _) in rounds), rounds[0][2][1]
        print(f"  again {second.elapsed:.2f} s:")
        for where, alone in (
            ("a process like ours", median(ours for ours, _, _ in rounds)),
            ("a bare one", median(bare for _, bare, _ in rounds)),
        ):
            print(f"    {second.over(alone)} of the parse in {where} ({alone.elapsed:.2f} s)", flush=True)
        label = f"the same file of {count} pupils again, floor the bare parse"
        told.append(Figure(label, "s", second.processor, alone.processor, at_most=GOAL_OF_AGAIN))
        for label, path in (("all moving", bench.moved), ("all renamed", bench.renamed)):
            changed, changes[label] = bench.run("import", path=path)
            print(f"  {label} {changed.seconds()}: {changed.over(floor)} of the floor", flush=True)
            figures = changed.processor, floor.processor
            told.append(Figure(f"import of {count} pupils, {label}", "s", *figures, at_most=GOAL))
        _, opening = bench.run("accounts", path=bench.renamed)
    measured = {"all arriving": arriving, "again": unchanged, **changes, "accounts opened": opening}
    print("  peak " + ", ".join(f"{figures['megabytes']:.0f} MB {label}" for label, figures in measured.items()))
    print(
        "  lock held " + ", ".join(f"{figures['held']:.1f} s {label}" for label, figures in measured.items()),
        flush=True,
    )
    peak = max(figures["megabytes"] for figures in measured.values())
    tell(*told, Figure(f"import of {count} pupils, peak memory", "MB", peak, at_most=GOAL_OF_MEMORY))
    return peak


@contextmanager
def fresh_databases(folder: Path, names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the URLs of empty databases, deleted at the end."""
    server = os.environ.get("CPRO_DATABASE_URL", "")
    if not server:
        yield {name: f"sqlite:///{folder / name}.sqlite3" for name in names}
        return
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    made = {name: f"cpro_bench_{os.getpid()}_{name}" for name in names}
    try:
        with engine.connect() as connection:
            for database in made.values():
                connection.execute(text(f"CREATE DATABASE {database}"))
        address = make_url(server)
        yield {
            name: address.set(database=database).render_as_string(hide_password=False)
            for name, database in made.items()
        }
    finally:
        with engine.connect() as connection:
            for database in made.values():
                connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
        engine.dispose()


def vacuum(database: str) -> None:
    """Run immediately what PostgreSQL's autovacuum runs after a large import; do nothing on SQLite."""
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
    engine.dispose()


def main() -> None:
    """Print ratios and peaks for ten thousand and a hundred thousand pupils, or for the given number."""
    if sys.argv[1:2] == ["measure"]:
        what, path, folder, database = sys.argv[2:]
        print(json.dumps(measure(what, Path(path), Path(folder), database)))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pupils", type=int, nargs="?")
    parser.add_argument("--schools", type=int, default=0)
    asked = parser.parse_args()
    if asked.pupils:
        compare(asked.pupils, asked.schools)
        return
    small, large = compare(10_000, asked.schools), compare(100_000, asked.schools)
    print(f"memory × {large / small:.2f} from 10 000 to 100 000 pupils")


if __name__ == "__main__":
    main()

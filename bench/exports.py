"""Time exports of the list of pupils against their floor: `python -m bench.exports [--pupils N]`.

The floor is one SQL statement of the same columns, written by `csv.writer`; both run in this process, alternately.
Reported: CPU seconds (PostgreSQL's own included), their ratio, the seconds until the first bytes, and the peak growth
of the process's memory. The floor of a workbook is the same CSV file. SQLite files are created for it, or, with
`CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, a database on that server, whose role needs CREATEDB.
"""

from __future__ import annotations

import argparse
import csv
import gc
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url, text

from bench.figures import Figure, tell
from bench.imports import NOW, fresh_databases, vacuum
from cpro import create_app
from cpro.core import tenancy
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work
from cpro.students.models import Division
from tests.factories import make_account, make_establishment
from tests.helpers.browser import Browser

ROUNDS, DIVISIONS = 2, 40
#: Limits of a CSV file: multiple of the floor; seconds until its first bytes; MB of memory.
GOAL, GOAL_OF_FIRST_BYTE, GOAL_OF_MEMORY = 2.0, 0.2, 10.0
_FLOOR = (
    "SELECT s.last_name, s.first_name, s.usage_name, s.birth_date, d.code, s.mef_code, s.ine, s.is_active, s.left_on, "
    "s.merged_into_id, s.came_by FROM student s LEFT JOIN division d ON d.id = s.division_id "
    "WHERE s.establishment_id = 1 ORDER BY s.search_key, s.id LIMIT :most"
)
_FILL = """
INSERT INTO student (id, establishment_id, last_name, first_name, usage_name, birth_date, ine, mef_code, division_id,
  is_active, left_on, search_key, created_at, came_by)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :pupils)
SELECT i, 1, 'Dupont-' || (i * 7919 % 90001), 'Zoé ' || (i % 991), CASE WHEN i % 9 = 0 THEN 'Martin' ELSE '' END,
  {day}, {ine}, '247255' || (10000 + i % 60), 1 + i % {divisions}, i % 10 > 0, CASE WHEN i % 10 = 0 THEN {left} END,
  'dupont-' || (i * 7919 % 90001) || ' zoe ' || (i % 991), :now, 'siecle' FROM n
"""
_SQLITE = {
    "day": "date('2007-01-01', (i % 1500) || ' days')",
    "left": "date('2026-07-01', (i % 200) || ' days')",
    "ine": "printf('%09d', i) || 'AP'",
}
_POSTGRESQL = {
    "day": "DATE '2007-01-01' + i % 1500",
    "left": "DATE '2026-07-01' + i % 200",
    "ine": "lpad(CAST(i AS text), 9, '0') || 'AP'",
}


@dataclass
class Taken:
    """The cost of an export."""

    processor: float
    first_byte: float
    size: int
    memory: int


def main() -> None:
    """Print the cost of a CSV file and of a workbook."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pupils", type=int, default=1_000_000)
    pupils = parser.parse_args().pupils
    with tempfile.TemporaryDirectory() as folder, fresh_databases(Path(folder), ("exports",)) as databases:
        app = open_app(Path(folder), databases["exports"], pupils)
        vacuum(databases["exports"])
        gc.freeze()  # as app.py does
        browser = Browser(app).mint_sign_in("bench", "administrateur")
        print("| export | rows | processor, s | ÷ floor | first bytes, ms | MB sent | MB of memory |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        for kind in ("csv", "xlsx"):
            floors, ours = [], []
            for _ in range(ROUNDS):
                floors.append(measure(lambda: floor(databases["exports"], pupils), databases["exports"]))
                address = f"/admin/eleves/export/{kind}/"
                ours.append(measure(lambda address=address: exported(browser, address), databases["exports"]))
            show("floor", pupils, floors, floors)
            show(kind, pupils, ours, floors)
            report(kind, pupils, ours, floors)
        with app.app_context():
            tenancy.db.engine.dispose()


def open_app(folder: Path, database: str, pupils: int) -> Flask:
    """Return the application on a database with a school of so many pupils."""
    app = create_app(
        {
            "CPRO_INSTANCE": folder,
            "CPRO_UPLOADS": folder,
            "SECRET_KEY": "bench",  # pragma: allowlist secret
            "SQLALCHEMY_DATABASE_URI": database,
        }
    )
    assert isinstance(app, Flask)
    is_sqlite = make_url(database).get_backend_name() == "sqlite"
    with app.app_context():
        upgrade()
        with platform_unit_of_work("bench") as work:
            work.session.add(one := make_establishment(code="bench"))
            work.session.flush()
            work.session.add(make_account(one.id, Role.ADMINISTRATOR, login="administrateur"))
            work.session.add_all(Division(establishment_id=one.id, code=f"D{n:02}") for n in range(DIVISIONS))
            work.session.flush()
            words = _SQLITE if is_sqlite else _POSTGRESQL
            work.session.execute(text(_FILL.format(divisions=DIVISIONS, **words)), {"pupils": pupils, "now": NOW})
    return app


def floor(database: str, most: int) -> Iterator[bytes]:
    """Yield the same columns as a driver returns them, written by `csv.writer`."""
    address = make_url(database)
    if address.get_backend_name() == "sqlite":
        connection: Any = sqlite3.connect(str(address.database))
        cursor: Any = connection.execute(_FLOOR.replace(":most", str(most)))
    else:
        where = address.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(where)
        connection.execute("SELECT set_config('cpro.scope', '1', false)")
        cursor = connection.cursor("floor")
        cursor.execute(_FLOOR.replace(":most", str(most)))
    sink = _Sink()
    writer = csv.writer(sink, delimiter=";", lineterminator="\r\n")
    while rows := cursor.fetchmany(2000):
        writer.writerows(rows)
        yield sink.take()
    connection.close()


class _Sink:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        self._lines.append(line)

    def take(self) -> bytes:
        sent = "".join(self._lines).encode()
        self._lines.clear()
        return sent


def exported(browser: Browser, address: str) -> Iterator[bytes]:
    """Yield an export as the server sends it."""
    answer = browser.client.get(address, buffered=False)
    assert answer.status_code == 200, answer.status
    yield from answer.iter_encoded()
    answer.close()


def measure(send: Callable[[], Iterator[bytes]], database: str) -> Taken:
    """Return the cost of sending a file."""
    with highest_memory() as grown, time_of_servers(database) as served:
        began, since = time.perf_counter(), time.process_time()
        chunks = send()
        size, first = len(next(chunks)), time.perf_counter() - began
        for chunk in chunks:
            size += len(chunk)
        spent = time.process_time() - since
    return Taken(spent + served(), first, size, grown())


@contextmanager
def highest_memory() -> Iterator[Callable[[], int]]:
    """Yield a function that returns, at the end, the peak growth of the process's memory in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    yield lambda: _status("VmHWM") - before


def _status(name: str) -> int:
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(name))
    return int(line.split()[1]) * 1024


@contextmanager
def time_of_servers(database: str) -> Iterator[Callable[[], float]]:
    """Yield a function that returns, at the end, the CPU seconds that PostgreSQL's processes used meanwhile."""
    if make_url(database).get_backend_name() == "sqlite":
        yield lambda: 0.0
        return
    before = _served()
    yield lambda: _served() - before


def _served() -> float:
    """Return the CPU seconds of all live PostgreSQL processes: no other user should be active."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().startswith("postgres"):
                total += int((folder / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def show(name: str, rows: int, taken: list[Taken], floors: list[Taken]) -> None:
    """Print a line of the table: medians."""
    spent = statistics.median(each.processor for each in taken)
    ratio = spent / statistics.median(each.processor for each in floors)
    first = statistics.median(each.first_byte for each in taken)
    memory = max(each.memory for each in taken)
    size = taken[0].size / 1e6
    print(f"| {name} | {rows} | {spent:.2f} | {ratio:.2f} | {first * 1000:.0f} | {size:.1f} | {memory / 1e6:.0f} |")


def report(kind: str, rows: int, ours: list[Taken], floors: list[Taken]) -> None:
    """Report the cost of a file to `python -m bench`; goals apply to CSV files."""
    spent, floor_time = (statistics.median(each.processor for each in taken) for taken in (ours, floors))
    first = 1000 * statistics.median(each.first_byte for each in ours)
    label, is_text = f"export of {rows} pupils, {kind}", kind == "csv"
    tell(
        Figure(label, "s", spent, floor=floor_time, at_most=GOAL if is_text else None),
        Figure(f"{label}, first bytes", "ms", first, at_most=1000 * GOAL_OF_FIRST_BYTE if is_text else None),
        Figure(f"{label}, memory", "MB", max(each.memory for each in ours) / 1e6, at_most=GOAL_OF_MEMORY),
    )


if __name__ == "__main__":
    main()

"""Time an import against its floor: `python -m bench.imports [pupils]`.

The floor is a bare lxml iterparse of the same file and one bulk insert of the same rows into the same kind of
database. Each import works on an empty SQLite database of its own, in a process of its own, whose peak memory is told;
`CPRO_DATABASE_URL` names a PostgreSQL one instead, which must be migrated and empty, for one size at a time.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.siecle_files import UAI, write_students
from bench.siecle_reading import parse_bare
from cpro import create_app
from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import Establishment
from cpro.imports.analysing import analyse, receive, school_day
from cpro.imports.analysis.students import Known
from cpro.imports.operations.application import apply_run
from cpro.imports.queries import get_run
from cpro.students.models import Student

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
BENCH = Actor("system", None, "Bench", "system", "bench")


def time_of(gesture: Callable[[], object]) -> float:
    """Return the seconds of processor that the gesture takes: machines that run benches do other things too."""
    start = time.process_time()
    gesture()
    return time.process_time() - start


def bring(path: Path) -> None:
    """Analyse a file and apply it."""
    with receive([(path.name, path)]) as sources:
        run_id = analyse(sources, by=BENCH, now=NOW)
    with unit_of_work():
        apply_run(get_run(run_id), confirmations=(), today=school_day(NOW), by=BENCH, now=NOW)


def insert(rows: list[dict[str, Any]]) -> None:
    """Insert the rows in one transaction."""
    with unit_of_work() as work:
        tenancy.bulk_insert(work.session, Student, rows)


def measure(path: Path, folder: Path, what: str) -> dict[str, float]:
    """Return seconds and megabytes of one gesture, on the database of the folder."""
    settings: dict[str, Any] = {"CPRO_INSTANCE": folder, "CPRO_UPLOADS": folder, "SECRET_KEY": "bench"}
    if "CPRO_DATABASE_URL" not in os.environ:
        settings["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder}/bench.sqlite3"
    app = create_app(settings)
    with app.app_context():
        if what == "prepare":
            return _prepare()
        tenancy.enter(tenancy.Scope(_school_id()))
        if what == "insert":
            rows = _rows(path)
            seconds = time_of(lambda: insert(rows))
        else:
            seconds = time_of(lambda: bring(path))
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


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
    from cpro.imports.siecle.reader import read_students

    with path.open("rb") as stream:
        wanted = set(Known._fields) - {"id", "division_id", "is_active", "left_on"}
        return [
            {**{name: value for name, value in row._asdict().items() if name in wanted}, "created_at": NOW}
            | {"is_active": True, "search_key": f"{row.last_name} {row.first_name}".lower()}
            for row in read_students(stream, today=NOW.date())
        ]


def alone(path: Path, folder: Path, what: str) -> dict[str, float]:
    """Measure a gesture in a process of its own."""
    command = [sys.executable, "-m", "bench.imports", "measure", str(path), str(folder), what]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


def compare(count: int) -> float:
    """Print the figures of one size, and return the peak memory of its import."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, ours, floor = folder / "Eleves.xml", folder / "ours", folder / "floor"
        write_students(path, count)
        for each in (ours, floor):
            each.mkdir()
            alone(path, each, "prepare")
        parse = time_of(lambda: parse_bare(path))
        inserted = alone(path, floor, "insert")["seconds"]
        first, second = alone(path, ours, "import"), alone(path, ours, "import")
    print(f"{count} pupils: parse {parse:.2f} s, bulk insert {inserted:.2f} s")
    print(f"  import {first['seconds']:.2f} s, {first['seconds'] / (parse + inserted):.2f} × the floor")
    print(f"  again {second['seconds']:.2f} s, {second['seconds'] / parse:.2f} × the parse")
    print(f"  peak {first['megabytes']:.0f} MB, again {second['megabytes']:.0f} MB")
    return max(first["megabytes"], second["megabytes"])


def main() -> None:
    """Print ratios and peaks for ten thousand and a hundred thousand pupils, or for the number asked for."""
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])))
        return
    if len(sys.argv) > 1:
        compare(int(sys.argv[1]))
        return
    small, large = compare(10_000), compare(100_000)
    print(f"memory × {large / small:.2f} from 10 000 to 100 000 pupils")


if __name__ == "__main__":
    main()

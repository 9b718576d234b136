"""Run the benches again, and print one table: `python -m bench [MEASURE…] [--pupils N] [--on DATABASE]`.

Each measure is a bench that may also be run alone. They run on SQLite, then, if `CPRO_DATABASE_URL` names a PostgreSQL
server (its role needs CREATEDB) and `CPRO_TEST_ADMIN_URL` a superuser of it, on databases created there. Peers are
installed from `bench/peers/requirements.txt`. The ratio is ours ÷ floor, or that of the faster peer to ours if the
goal is relative to the peers (≥).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import HEAD, VARIABLE, read

ROOT = Path(__file__).resolve().parent.parent
PUPILS = 20_000


@dataclass(frozen=True)
class Measure:
    """What a bench measures, and the arguments after `python -m bench.` for a number of pupils."""

    purpose: str
    command: Callable[[int], str]
    #: whether the database in the settings makes a difference
    of_database: bool = True


MEASURES = {
    "pages": Measure("every page against bare Flask, in a school of a thousand", lambda n: "pages"),
    "lists": Measure("long lists against short ones, Django’s admin and Flask-Admin", lambda n: f"lists --pupils {n}"),
    "exports": Measure("exports against csv.writer, of five times as many", lambda n: f"exports --pupils {5 * n}"),
    "imports": Measure("imports against a bare parse and one bulk insert", lambda n: f"imports {n}"),
    "under-import": Measure("everybody’s pages while an import is applied", lambda n: f"under_import {n}"),
    "crowd": Measure("the pages of 200 people, with and without an import", lambda n: f"crowd --pupils {n}"),
    "locks": Measure("what people wait for locks while an import is applied", lambda n: f"locks {n}"),
    "transfers": Measure("transfers of small schools against INSERT … SELECT", lambda n: f"transfers copy {n // 6}"),
    "no-transfers": Measure("2 500 schools with nothing to transfer", lambda n: f"transfers idle {30 * n}"),
    "passport": Measure("passports against Typst alone", lambda n: f"passport {-(-n // 100)}", of_database=False),
    "start": Measure("a start, a command, what a process weighs", lambda n: f"start {n // 10}", of_database=False),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the requested measures; return 1 if a bench fails."""
    asked = _parse(arguments)
    rows, failed = [HEAD], []
    with tempfile.TemporaryDirectory() as folder:
        for database in (asked.on,) if asked.on else _databases():
            for name in asked.measure or MEASURES:
                if MEASURES[name].of_database or database == "SQLite":
                    path = Path(folder) / f"{database}-{name}"
                    print(f"\n{name}, {database}", flush=True)
                    if _run(name, asked.pupils, database, path) != 0:
                        failed.append(f"{name} ({database})")
                    rows += [figure.row(database) for figure in read(path)]
    print("", *rows, sep="\n")
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(__doc__ or "").split("\n")[0],
        epilog="\n".join(["measures:", *(f"  {name:16} {each.purpose}" for name, each in MEASURES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measure", nargs="*", help="all of them unless named")
    parser.add_argument("--pupils", type=int, default=PUPILS, help=f"{PUPILS} unless told otherwise")
    parser.add_argument("--on", choices=_databases(), help="both unless told otherwise")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.measure if name not in MEASURES]:
        parser.error(f"no such measure: {', '.join(unknown)}")
    return asked


def _databases() -> tuple[str, ...]:
    return ("SQLite", "PostgreSQL") if os.environ.get("CPRO_DATABASE_URL") else ("SQLite",)


def _run(name: str, pupils: int, database: str, path: Path) -> int:
    """Run a bench, which writes its figures to a file; return its exit code."""
    surroundings = {**os.environ, VARIABLE: str(path)}
    if database == "SQLite":
        surroundings.pop("CPRO_DATABASE_URL", None)
    command = [sys.executable, "-m", *f"bench.{MEASURES[name].command(pupils)}".split()]
    return subprocess.run(command, cwd=ROOT, env=surroundings).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Time transfers: `python -m bench.transfers copy [pupils]` and `python -m bench.transfers idle [pupils]`.

`copy` transfers pupils, 30 records each, among 200 schools, against a floor: a bare INSERT … SELECT of the same rows
into the same tables of the same database, just before. `idle` times a run with nothing to do on a national database.
Figures are CPU time, PostgreSQL's own included. SQLite files are created for it, or, with
`CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, a database on that server, whose role needs CREATEDB.

`--profile` after the number prints where the time of the copying run is spent, by function.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.figures import Figure, tell
from bench.imports import fresh_databases, serve_time, time_of
from cpro import create_app
from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.transfers.runs import run

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
BENCH = Actor("system", None, "Bench", "system", "bench")
SCHOOLS, NATIONAL_SCHOOLS = 200, 2500
FICHES, EVALUATIONS, BILANS = 10, 15, 5
#: One pupil in ten of the national database has moved, and was transferred.
MOVED = 10
#: Limits of a copying run, as a multiple of the floor, and of an idle one, in seconds.
GOAL, GOAL_OF_IDLE = 3.0, 0.5


def main() -> None:
    """Run one of the two benches, or both."""
    what = sys.argv[1:2] or ["copy", "idle"]
    for each in what:
        with tempfile.TemporaryDirectory() as folder, fresh_databases(Path(folder), ("transfers",)) as databases:
            app = open_app(Path(folder), databases["transfers"])
            with app.app_context():
                upgrade()
                {"copy": bench_copy, "idle": bench_idle}[each](*map(int, sys.argv[2:3]))
                db.engine.dispose()


def open_app(folder: Path, database: str) -> Flask:
    """Return the application on the bench's database."""
    settings: dict[str, Any] = {"CPRO_INSTANCE": folder, "CPRO_UPLOADS": folder, "SECRET_KEY": "bench"}
    app = create_app({**settings, "SQLALCHEMY_DATABASE_URI": database})
    assert isinstance(app, Flask)
    return app


def bench_copy(pupils: int = 100_000) -> None:
    """Print the cost of copying the records of so many pupils, and the floor."""
    _prepare_schools(SCHOOLS)
    _prepare_pupils(pupils)
    _prepare_records()
    _analyse()
    rows = pupils * (FICHES + EVALUATIONS + BILANS)
    floor = seconds(_bare_insert)
    took = seconds(profiled if "--profile" in sys.argv else run_once)
    again = seconds(run_once)
    with tenancy.platform_session("bench") as session:
        copied = sum(
            session.scalar(text(f"SELECT count(*) FROM {table} WHERE received_in IS NOT NULL")) or 0
            for table in ("fiche", "evaluation", "bilan")
        )
    assert copied == 2 * rows, (copied, rows)  # the floor's and ours
    print(f"{_dialect()}: {pupils} pupils, {rows} records: bare INSERT … SELECT {floor:.2f} s, run {took:.2f} s")
    print(f"  {took / floor:.2f} × the floor; the same run again, with nothing to do: {again:.2f} s")
    tell(Figure(f"transfers of {pupils} pupils of {SCHOOLS} schools", "s", took, floor=floor, at_most=GOAL))


def bench_idle(pupils: int = 600_000) -> None:
    """Print the cost of a run with nothing to do on a national database: the median of five."""
    _prepare_schools(NATIONAL_SCHOOLS)
    _prepare_national(pupils)
    _analyse()
    times = [seconds(run_once) for _ in range(5)]
    print(f"{_dialect()}: {pupils} pupils, {NATIONAL_SCHOOLS} schools, {pupils // MOVED} transferred, nothing to do:")
    print(f"  {statistics.median(times):.2f} s, from {min(times):.2f} to {max(times):.2f}")
    label = f"transfers of {NATIONAL_SCHOOLS} schools with nothing to do"
    tell(Figure(label, "s", statistics.median(times), at_most=GOAL_OF_IDLE))


def run_once() -> None:
    """Run transfers, and print the results."""
    figures = run(by=BENCH, clock=lambda: NOW)
    print(f"  ({figures.transfers} transfers, {figures.records} records, {figures.changed} others)")


def profiled() -> None:
    """Run transfers, and print where their time is spent."""
    with cProfile.Profile(time.process_time) as profiler:
        run_once()
    told = pstats.Stats(profiler)
    told.sort_stats("tottime").print_stats(40)
    told.sort_stats("cumulative").print_stats(70)


def seconds(action: Callable[[], object]) -> float:
    """Return the CPU seconds of an action."""
    address = db.engine.url.render_as_string(hide_password=False)
    return time_of(action, partial(serve_time, address)).processor


def _prepare_schools(count: int) -> None:
    rows = [
        {"id": number, "code": f"bench-{number}", "uai": f"{number:07d}A", "name": f"Lycée {number}", "now": NOW}
        for number in range(1, count + 1)
    ]
    _send(
        "INSERT INTO establishment (id, code, uai, name, email, kind, address_line1, address_line2, postal_code, city, "
        "phone, website, academy, signatory_name, signatory_function, dpd_name, dpd_email, timezone, dreets, mcpfa, "
        "greta_cfa, cnil_kind, cnil_reference, transfers_enabled, uses_siecle, scenarios_enabled, passport_enabled, "
        "inspectors_enabled, search_key, created_at) VALUES (:id, :code, :uai, :name, '', '', '', '', '', '', '', '', "
        "'', '', '', '', '', 'Europe/Paris', '', '', '', 'registre', 'Fiche 12', true, true, true, true, true, '', "
        ":now)",
        rows,
    )


#: Columns of a pupil that do not matter here.
_BLANK = "usage_name, first_name, birth_date, mef_code, search_key, created_at, came_by"
_BLANKS = "'', 'Zoé', DATE '2009-01-31', '', '', :now, 'siecle'"


def _prepare_pupils(count: int) -> None:
    """Insert, for each pupil, the departed row, the present one, and one that only the floor copies to."""
    for offset, active, ine in ((0, "false", "ine"), (1, "true", "ine"), (2, "true", "NULL")):
        school = f"1 + (i * 7 + 31) % {SCHOOLS}" if offset else f"1 + i % {SCHOOLS}"
        _send(
            f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last), "
            f"p AS (SELECT i, {_ine('i')} AS ine, {school} AS school "
            f"FROM n) INSERT INTO student (id, establishment_id, last_name, is_active, ine, {_BLANK}) "
            f"SELECT 1 + i * 3 + {offset}, school + CASE WHEN {offset} > 0 AND school = 1 + i % {SCHOOLS} "
            f"THEN (CASE WHEN school = {SCHOOLS} THEN -1 ELSE 1 END) ELSE 0 END, "
            f"'Élève', {active}, {ine}, {_blanks()} FROM p",
            {"last": count - 1, "now": NOW},
        )


def _prepare_national(count: int) -> None:
    """Insert pupils, one in ten of whom moved: its two rows, its transfer and both sides."""
    moved = count // MOVED
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last) "
    for last, offset, active, shift in ((count - 1 - moved, 0, "true", 0), (moved - 1, count, "false", 1)):
        _send(
            f"{numbers}INSERT INTO student (id, establishment_id, last_name, is_active, ine, {_BLANK}) "
            f"SELECT 1 + i + {offset}, 1 + (i + {shift}) % {NATIONAL_SCHOOLS}, 'Élève', {active}, {_ine('i')}, "
            f"{_blanks()} FROM n",
            {"last": last, "now": NOW},
        )
    _send(
        f"{numbers}INSERT INTO transfer (id, left_id, left_student_id, joined_id, joined_student_id, state, "
        f"is_current, is_offer, created_at, done_at, told_at) SELECT 1 + i, 1 + (i + 1) % {NATIONAL_SCHOOLS}, "
        f"1 + i + {count}, 1 + i % {NATIONAL_SCHOOLS}, 1 + i, 'done', true, false, :now, :now, :now FROM n",
        {"last": moved - 1, "now": NOW},
    )


def _prepare_records() -> None:
    """Write the records of the departed pupils."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
    common = "establishment_id, student_id, origin_uid, author_label, created_at, changed_at, origin_school"
    shared = f"s.establishment_id, s.id, {_uid()}, 'Inès Quartz', :now, :now, ''"
    source = "FROM student s CROSS JOIN n WHERE NOT s.is_active ORDER BY s.id, n.i"
    lorem = "<p>Câbler une armoire de distribution, la mettre sous tension et la vérifier.</p>"
    for count, table, columns, values in (
        (
            FICHES,
            "fiche",
            "title, place, place_name, starts_on, ends_on, tasks, state, validated_at, validated_by_label",
            f"'Armoire', 'company', 'Atelier', {_day(2, 1)}, {_day(2, 5)}, '{lorem}', 'validated', :now, 'Inès Quartz'",
        ),
        (
            EVALUATIONS,
            "evaluation",
            "competence_code, competence_label, diploma_code, diploma_label, level, evaluated_on, scenario_title",
            f"'C1', 'Analyser les conditions de l’opération', '40025520', 'Bac pro MELEC', 3, {_day(3, 1)}, 'Rénover'",
        ),
        (BILANS, "bilan", "starts_on, ends_on, body", f"{_day(1, 1)}, {_day(6, 30)}, '{lorem}'"),
    ):
        _send(
            f"{numbers.format(last=count)}INSERT INTO {table} ({common}, {columns}) SELECT {shared}, {values} {source}",
            {"now": NOW},
        )


def _bare_insert() -> None:
    """Copy the same rows to the floor's pupils, by three bare statements in one transaction."""
    with platform_unit_of_work("bench") as work:
        for table in ("fiche", "evaluation", "bilan"):
            names = [column.name for column in db.metadata.tables[table].columns if column.name != "id"]
            given = {"establishment_id": "p.establishment_id", "student_id": "p.id", "received_in": "-p.id"}
            values = ", ".join(given.get(name, f"r.{name}") for name in names)
            work.session.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} r "
                    "JOIN student s ON s.establishment_id = r.establishment_id AND s.id = r.student_id "
                    "JOIN student p ON p.id = s.id + 2 WHERE NOT s.is_active"
                )
            )


def _analyse() -> None:
    _send("ANALYZE")


def _ine(number: str) -> str:
    padded = f"lpad(CAST({number} AS text), 9, '0')" if _dialect() == "postgresql" else f"printf('%09d', {number})"
    return f"{padded} || 'AA'"


def _blanks() -> str:
    return _BLANKS if _dialect() == "postgresql" else _BLANKS.replace("DATE ", "")


def _day(month: int, day: int) -> str:
    return f"{'DATE ' if _dialect() == 'postgresql' else ''}'2026-{month:02d}-{day:02d}'"


def _uid() -> str:
    if _dialect() == "postgresql":
        return "CAST(gen_random_uuid() AS text)"
    return "lower(hex(randomblob(4)) || '-' || hex(randomblob(6)) || '-' || hex(randomblob(7)))"


def _dialect() -> str:
    return str(db.engine.dialect.name)


def _send(statement: str, values: Any = None) -> None:
    with platform_unit_of_work("bench") as work:
        session: Session = work.session
        session.execute(text(statement), values)


if __name__ == "__main__":
    main()

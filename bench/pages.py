"""Time pages against a floor: `python -m bench.pages [--rounds N] [--profile PATH]`.

The floor is bare Flask over the same rows: one SQL statement and one flat template of twenty pupils. Both run in this
process, alternately, so that a busy machine affects them equally; figures are medians of CPU time, PostgreSQL's own
included. The school has a thousand pupils, and enough of everything else for each list to fill its page. SQLite files
are created for it, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, a database on that server,
whose role needs CREATEDB.

`--profile` prints instead where the time of one page is spent, by function.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from bench.figures import Figure, tell
from bench.imports import NOW, fresh_databases, vacuum
from cpro import create_app
from cpro.audit import operations as audit
from cpro.core import tenancy
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work
from cpro.masks.models import Mask, MaskKey
from cpro.students.models import Division
from tests.factories import (
    TESTER,
    make_account,
    make_diploma,
    make_establishment,
    make_import,
    make_mef,
    make_student,
    make_transfer,
    make_transfer_side,
)
from tests.helpers.browser import Browser
from tests.helpers.screens import screens
from tests.helpers.statements import count_statements

PUPILS, OTHERS = 1000, 60
#: Limit of a list, as a multiple of the floor.
GOAL_OF_LISTS = 15.0
#: Pages other than generated screens.
OTHER_PAGES = {
    "dashboard": "/admin/",
    "form of a pupil": "/admin/eleves/edit/?id=1",
    "particulars": "/admin/parametres/etablissement",
    "pupils without INE": "/admin/eleves-sans-ine",
    "imports": "/admin/imports",
}
_FLOOR = (
    "<!doctype html><table>{% for r in rows %}<tr><td>{{ r[1] }}</td><td>{{ r[2] }}</td><td>{{ r[3] or '' }}</td>"
    "<td>{{ r[4] }}</td><td>{{ r[5] or '' }}</td><td>{{ r[6] }}</td></tr>{% endfor %}</table>"
)
_FLOOR_ROWS = (
    "SELECT s.id, s.last_name, s.first_name, s.birth_date, d.code, s.ine, s.is_active FROM student s "
    "LEFT JOIN division d ON d.id = s.division_id WHERE s.establishment_id = 1 ORDER BY s.search_key, s.id LIMIT 20"
)


def main() -> None:
    """Print the table of every page, or the profile of one."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=40, help="how often each page is asked for")
    parser.add_argument("--profile", metavar="PATH", help="profile the page of this address")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_databases(Path(folder), ("pages",)) as databases:
        app = open_app(Path(folder), databases["pages"])
        vacuum(databases["pages"])
        browser = Browser(app).mint_sign_in("bench", "administrateur")
        if asked.profile:
            profile(lambda: browser.get(asked.profile), asked.rounds)
        else:
            print_table(app, browser, floor_on(databases["pages"]), asked.rounds, databases["pages"])
        with app.app_context():
            tenancy.db.engine.dispose()


def open_app(folder: Path, database: str) -> Flask:
    """Return the application on a database with the bench's school."""
    app = create_app(
        {
            "CPRO_INSTANCE": folder,
            "CPRO_UPLOADS": folder,
            "SECRET_KEY": "bench",  # pragma: allowlist secret
            "SQLALCHEMY_DATABASE_URI": database,
        }
    )
    assert isinstance(app, Flask)
    with app.app_context():
        upgrade()
        with platform_unit_of_work("bench") as work:
            fill(work.session)
    return app


def fill(session: Session, *, pupils: int = PUPILS, others: int = OTHERS) -> None:
    """Create a school of so many pupils, and of so many rows of each other list; and one that it exchanges with."""
    session.add_all([one := make_establishment(code="bench"), other := make_establishment(code="voisin")])
    session.flush()
    leaders = (("administrateur", Role.ADMINISTRATOR), ("chef", Role.HEAD))
    session.add_all(make_account(one.id, role, login=login) for login, role in leaders)
    session.add_all(make_account(one.id) for _ in range(others))
    accounts = [make_account(one.id, Role.STUDENT, last_name=f"Agate{n % 371}") for n in range(pupils)]
    diplomas = [make_diploma(code=f"B{n}", establishment_id=one.id) for n in range(others)]
    session.add_all([*accounts, *diplomas])
    session.flush()
    divisions = [
        Division(establishment_id=one.id, code=f"D{n:03}", label=f"Division {n}", diploma_id=diploma.id)
        for n, diploma in enumerate(diplomas)
    ]
    courses = [make_mef(one.id, code=f"247255{n:05}", diploma_id=diploma.id) for n, diploma in enumerate(diplomas)]
    wordings = [
        Mask(establishment_id=one.id, diploma_id=each.id, key=MaskKey.PROBLEMATIC, wording="Question", changed_at=NOW)
        for each in diplomas
    ]
    session.add_all([*divisions, *courses, *wordings])
    session.add_all(make_import(one.id) for _ in range(others))
    session.flush()
    session.add_all(
        make_student(
            one.id,
            last_name=account.last_name,
            first_name=f"Noé{n}",
            birth_date=date(2008, 1, 1) + timedelta(days=n),
            ine=f"{n:09}AP",
            mef_code=courses[n % others].code,
            division_id=divisions[n % others].id,
            account_id=account.id,
        )
        for n, account in enumerate(accounts)
    )
    for n in range(others):
        session.add(transfer := make_transfer(one.id, other.id))
        session.flush()
        session.add(make_transfer_side(transfer.id, one.id))
        about = audit.About("student", n + 1, f"Noé{n}")
        audit.record("student:changed", about, by=TESTER, now=NOW, establishment_id=one.id, session=session)


def floor_on(database: str) -> Callable[[], bytes]:
    """Return a function that requests bare Flask's page of pupils."""
    address = make_url(database)
    if address.get_backend_name() == "sqlite":
        connection: Any = sqlite3.connect(str(address.database))
    else:
        where = address.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(where, autocommit=True)
        connection.execute("SELECT set_config('cpro.scope', '1', false)")
    app = Flask("floor")
    template = app.jinja_env.from_string(_FLOOR)
    app.add_url_rule("/", view_func=lambda: template.render(rows=connection.execute(_FLOOR_ROWS).fetchall()))
    client = app.test_client()
    assert client.get("/").text.count("<tr>") == 20
    return lambda: client.get("/").data


def served_by(database: str) -> Callable[[], float]:
    """Return a function giving the CPU seconds that PostgreSQL has spent for us; 0 on SQLite."""
    address = make_url(database)
    if address.get_backend_name() == "sqlite":
        return lambda: 0.0
    where = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(where) as connection:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        tasks = [Path(f"/proc/{process}/schedstat") for (process,) in connection.execute(asked)]
    return lambda: sum(int(task.read_text().split()[0]) for task in tasks if task.exists()) / 1e9


def print_table(app: Flask, browser: Browser, floor: Callable[[], object], rounds: int, database: str) -> None:
    """Print the cost of each page: statements, CPU time and ratio to the floor."""
    pages = {f"list « {each.title} »": f"{each.url}/" for each in screens(app)} | OTHER_PAGES
    shown = {name: path for name, path in pages.items() if browser.get(path).status_code == 200}
    actions: dict[str, Callable[[], object]] = {"floor": floor}
    actions |= {name: partial(browser.get, path) for name, path in shown.items()}
    counts = {name: count_statements(app, action) for name, action in actions.items()}
    served = served_by(database)
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            since = time.process_time() + served()
            action()
            taken[name].append(time.process_time() + served() - since)
    floor_time = statistics.median(taken["floor"])
    print("| page | statements | ms | ÷ floor |\n|---|--:|--:|--:|")
    for name, times in taken.items():
        spent = statistics.median(times)
        print(f"| {name} | {counts[name] or 1} | {1000 * spent:.2f} | {spent / floor_time:.1f} |")
        if name != "floor":
            goal = GOAL_OF_LISTS if name.startswith("list") else None
            tell(Figure(f"page: {name}", "ms", 1000 * spent, floor=1000 * floor_time, at_most=goal))


def profile(action: Callable[[], object], rounds: int) -> None:
    """Print where the time of an action is spent."""
    for _ in range(3):
        action()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(rounds):
        action()
    profiler.disable()
    told = pstats.Stats(profiler)
    told.sort_stats("tottime").print_stats(45)
    told.sort_stats("cumulative").print_stats(90)


if __name__ == "__main__":
    main()

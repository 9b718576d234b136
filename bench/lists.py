"""Time the pages of long lists: `python -m bench.lists [--pupils N] [--rounds N] [--without-peers]`.

A school of N pupils, with as many accounts and journal lines, beside one of a thousand: the same pages of both are
requested alternately, and those of Django's admin over the long one (`bench.peers`). Reported: CPU milliseconds,
PostgreSQL's own included, medians; the ratio of the long list to the short one (goal 1.3 ×); the ratio of Django to
ours (goal for a search 30 ×).

SQLite files are created for it, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, databases on
that server, whose role needs CREATEDB; with `CPRO_TEST_ADMIN_URL`, a superuser's URL, pages are served by a role that
owns nothing. Row-level security applies to both roles, and to Django.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url, select, text
from sqlalchemy.orm import Session

from bench.figures import Figure, tell
from bench.imports import NOW, fresh_databases, vacuum
from bench.pages import served_by
from bench.peers import Peer
from cpro import create_app
from cpro.core.permissions import Role
from cpro.core.tenancy import platform_session
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.students.models import Division, Student
from tests.factories import make_account, make_establishment
from tests.helpers.browser import Browser
from tests.helpers.platform import as_serving

SCHOOL, ADMINISTRATOR = "bench", "administrateur"
SHORT, DIVISIONS, SLICE, ROWS_OF_A_PAGE = 1000, 40, 50_000, 20
#: Ids of pupils and their accounts follow those of the existing ones.
FIRST = 1000
ROUNDS_OF_A_PEER = 3
#: Limits: the long list as a multiple of the short one; Django's search as a multiple of ours.
GOAL, GOAL_OF_SEARCH = 1.3, 30.0
#: Two-letter syllables: names are made of them, the same on both databases.
_SYLLABLES = "".join(consonant + vowel for consonant in "bcdfgjlmnprstv" for vowel in "aeiou")
#: Two pupils have a rare name at any size, one in ten a common one, one in 49 another.
_PUPILS = """
WITH RECURSIVE n(i) AS (SELECT CAST(:first AS integer) UNION ALL SELECT i + 1 FROM n WHERE i < :last),
named AS (
  SELECT i,
    CASE WHEN i IN (7, 507) THEN 'quasimodo' WHEN i % 49 = 0 THEN 'martin' ELSE {last} END AS last_name,
    CASE WHEN i % 10 = 0 THEN 'zoe' ELSE {first} END AS first_name
  FROM n
)
"""
_ACCOUNT = """
INSERT INTO account (id, establishment_id, login, role, civility, last_name, first_name, email, discipline, is_active,
  consent_needed, activated_at, search_key, created_at)
{pupils} SELECT i + {FIRST}, :school, first_name || '.' || last_name || i, 'student', '', upper(last_name), first_name,
  '', '', i % 20 > 0, false, CASE WHEN i % 3 = 0 THEN {now} END,
  last_name || ' ' || first_name || ' ' || first_name || '.' || last_name || i, {now} FROM named
"""
_STUDENT = """
INSERT INTO student (id, establishment_id, last_name, usage_name, first_name, birth_date, ine, came_by, mef_code,
  division_id, account_id, is_active, left_on, search_key, created_at)
{pupils} SELECT i + {FIRST}, :school, upper(last_name), '', first_name, {day}, {ine}, 'siecle',
  '247255' || (10000 + i % 60), :division + i % {DIVISIONS}, i + {FIRST}, i % 20 > 0,
  CASE WHEN i % 20 = 0 THEN {day} END, last_name || ' ' || first_name, {now} FROM named
"""
_LINE = """
INSERT INTO audit_entry (establishment_id, at, actor_kind, actor_id, actor_label, actor_role, origin, action,
  object_type, object_id, object_label, search_key, changes, number, digest)
{pupils} SELECT :school, {now}, 'account', i % 50, 'Alix Granite', 'administrator', '127.0.0.1',
  CASE WHEN i % 3 = 0 THEN 'student:changed' ELSE 'account:changed' END,
  CASE WHEN i % 3 = 0 THEN 'student' ELSE 'account' END, CAST(i + {FIRST} AS varchar), first_name || ' ' || last_name,
  'alix granite ' || first_name || ' ' || last_name, '{{}}', i + {FIRST}, '' FROM named
"""
_SQLITE = {"day": "date('2008-01-01', (i % 1500) || ' days')", "ine": "printf('%09d', i) || 'AP'"}
_POSTGRESQL = {"day": "DATE '2008-01-01' + i % 1500", "ine": "lpad(CAST(i AS text), 9, '0') || 'AP'"}


@dataclass
class School:
    """A filled database, the application on it and a signed-in user."""

    browser: Browser
    pupils: int
    #: the pupil in the middle of the list
    middle: int
    database: str

    def ask(self, path: str) -> float:
        """Return the CPU seconds of a page, without PostgreSQL's."""
        since = time.process_time()
        answer = self.browser.get(path.format(middle=self.middle, ine=f"{self.pupils // 2:09}AP"))
        taken = time.process_time() - since
        assert answer.status_code == 200, (path, answer.status)
        return taken


@dataclass(frozen=True)
class Case:
    """A page of ours, and Django's page with the same rows, if there is one."""

    name: str
    ours: str
    django: str = ""


def cases(pupils: int) -> Iterator[Case]:
    """Yield the requests to lists of that length."""
    pupil, user, line = "/admin/eleves/?", "/admin/utilisateurs/?", "/admin/journal/?"
    last = -(-pupils // ROWS_OF_A_PAGE)
    yield Case("pupils, first page", pupil, "/auth/student/")
    yield Case("pupils, last page", f"{pupil}fin=oui", f"/auth/student/?p={last}")
    yield Case("pupils, from the middle", f"{pupil}apres={{middle}}", f"/auth/student/?p={last // 2 + 1}")
    yield Case("pupils, to a letter", f"{pupil}lettre=p")
    yield Case("pupils, sorted downwards", f"{pupil}tri=name&ordre=desc", "/auth/student/?o=-1")
    yield Case("pupils, gone", f"{pupil}situation=partis", "/auth/student/?is_active__exact=0")
    yield Case("pupils, of a division", f"{pupil}division=D07", "/auth/student/?division__id__exact=8")
    yield Case("pupils, filter that finds none", f"{pupil}situation=doublons")
    yield Case("pupils, search of a rare word", f"{pupil}recherche=quasimodo", "/auth/student/?q=quasimodo")
    yield Case("pupils, search of a common word", f"{pupil}recherche=zoe", "/auth/student/?q=zoe")
    yield Case("pupils, search of two words", f"{pupil}recherche=zoe+martin", "/auth/student/?q=zoe+martin")
    yield Case("pupils, search of the beginning of a word", f"{pupil}recherche=qua", "/auth/student/?q=qua")
    yield Case("pupils, search that finds none", f"{pupil}recherche=wxyz", "/auth/student/?q=wxyz")
    yield Case("pupils, search of an INE", f"{pupil}recherche={{ine}}", f"/auth/student/?q={pupils // 2:09}AP")
    yield Case("users, first page", user, "/auth/account/")
    yield Case("users, search of a common word", f"{user}recherche=zoe", "/auth/account/?q=zoe")
    yield Case("users, search of two words", f"{user}recherche=zoe+martin", "/auth/account/?q=zoe+martin")
    yield Case("users, never activated", f"{user}etat=jamais-active")
    yield Case("users, sorted by login", f"{user}tri=login", "/auth/account/?o=4")
    yield Case("journal, first page", line, "/auth/entry/")
    yield Case("journal, by person", f"{line}personne=account:7", "/auth/entry/?actor_id=7")
    yield Case("journal, search of a word", f"{line}recherche=martin", "/auth/entry/?q=martin")


def main() -> None:
    """Fill both schools and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pupils", type=int, default=20_000, help="a million for the figures of docs/performance.md")
    parser.add_argument("--rounds", type=int, default=11, help="how often each page is asked for")
    parser.add_argument("--without-peers", action="store_true", help="install and measure nothing else")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        databases = stack.enter_context(fresh_databases(folder, ("short", "long")))
        short = open_school(folder, databases["short"], SHORT, stack)
        long = open_school(folder, databases["long"], asked.pupils, stack)
        peer = None if asked.without_peers else stack.enter_context(Peer("django_admin.py", databases["long"], folder))
        print_table(short, long, peer, asked.rounds)


def open_school(folder: Path, database: str, pupils: int, stack: ExitStack) -> School:
    """Return a school of so many pupils in an empty database."""
    owned, began = _create_app(folder, database), time.perf_counter()
    with owned.app_context():
        upgrade()
        if db.engine.dialect.name == "postgresql":
            _count_all_processors(make_url(database).database or "")
        middle = make_school(pupils)
        db.engine.dispose()
    vacuum(database)
    print(f"{pupils} pupils in {time.perf_counter() - began:.0f} s", flush=True)
    app = _create_app(folder, as_serving(database) if os.environ.get("CPRO_TEST_ADMIN_URL") else database)
    stack.callback(lambda: _leave(app))
    return School(Browser(app).mint_sign_in(SCHOOL, ADMINISTRATOR), pupils, middle, database)


def _count_all_processors(name: str) -> None:
    """Run each statement in a single PostgreSQL process, whose time is measured: parallel workers are not."""
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0"))


def _create_app(folder: Path, database: str) -> Flask:
    app = create_app(
        {
            "CPRO_INSTANCE": folder,
            "CPRO_UPLOADS": folder,
            "SECRET_KEY": "bench",  # pragma: allowlist secret
            "SQLALCHEMY_DATABASE_URI": database,
        }
    )
    assert isinstance(app, Flask)
    return app


def _leave(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
    time.sleep(1)  # PostgreSQL's processes end a little later, and those of another role cannot be terminated by ours


def make_school(pupils: int) -> int:
    """Create the school in the database of the current application, and return the pupil in the middle of its list."""
    with platform_unit_of_work("bench") as work:
        work.session.add(one := make_establishment(code=SCHOOL))
        work.session.flush()
        work.session.add(make_account(one.id, Role.ADMINISTRATOR, login=ADMINISTRATOR))
        work.session.add_all(
            divisions := [Division(establishment_id=one.id, code=f"D{n:02}") for n in range(DIVISIONS)]
        )
        work.session.flush()
        there = {"school": one.id, "division": divisions[0].id}
    for first in range(1, pupils + 1, SLICE):
        with platform_unit_of_work("bench") as work:
            for statement in (_ACCOUNT, _STUDENT, _LINE):
                _insert(work.session, statement, {**there, "first": first, "last": min(first + SLICE - 1, pupils)})
    with platform_session("bench") as session:
        of_school = select(Student.id).where(Student.establishment_id == there["school"])
        return session.scalars(of_school.order_by(Student.search_key, Student.id).limit(1).offset(pupils // 2)).one()


def _insert(session: Session, statement: str, values: dict[str, int]) -> None:
    words = _SQLITE if db.engine.dialect.name == "sqlite" else _POSTGRESQL
    named = _PUPILS.format(last=_invented(67, 61, 59), first=_invented(53, 47))
    now = f"'{NOW:%Y-%m-%d %H:%M:%S.%f}'" if words is _SQLITE else f"timestamptz '{NOW.isoformat()}'"
    told = statement.format(pupils=named, now=now, FIRST=FIRST, DIVISIONS=DIVISIONS, **words)
    session.execute(text(told), values)


def _invented(*numbers: int) -> str:
    """Return the SQL of a name for each `i`: one syllable per number."""
    parts, rank = [], "i"
    for number in numbers:
        parts.append(f"substr('{_SYLLABLES}', 1 + 2 * (({rank}) % {number}), 2)")
        rank = f"{rank} / {number}"
    return " || ".join(parts)


def print_table(short: School, long: School, peer: Peer | None, rounds: int) -> None:
    """Print the cost of each page, and both ratios."""
    print(f"| page | {short.pupils} rows, ms | {long.pupils} rows, ms | ratio | Django, ms | Django ÷ ours |")
    print("|---|--:|--:|--:|--:|--:|", flush=True)
    for case in cases(long.pupils):
        asks = {"short": partial(short.ask, case.ours), "long": partial(long.ask, case.ours)}
        if peer and case.django:
            asks["peer"] = partial(peer.ask, case.django)
        for ask in asks.values():
            ask()  # warms up: every PostgreSQL process to be measured is started and has filled its caches
        served = {name: served_by((short if name == "short" else long).database) for name in asks}
        times: dict[str, list[float]] = {name: [] for name in asks}
        for number in range(rounds):
            for name, ask in asks.items():
                if name != "peer" or number < ROUNDS_OF_A_PEER:
                    since = served[name]()
                    times[name].append(ask() + served[name]() - since)
        took = {name: 1000 * statistics.median(each) for name, each in times.items()}
        row = f"| {case.name} | {took['short']:.1f} | {took['long']:.1f} | {took['long'] / took['short']:.2f} |"
        print(
            row + (f" {took['peer']:.0f} | {took['peer'] / took['long']:.1f} |" if peer and case.django else " | |"),
            flush=True,
        )
        name, peer_took = f"{case.name}, of {long.pupils}", took.get("peer")
        tell(Figure(name, "ms", took["long"], took["short"], peer_took, at_most=GOAL))
        if peer_took and "search" in case.name:
            tell(Figure(name, "ms", took["long"], peer=peer_took, faster=GOAL_OF_SEARCH))


if __name__ == "__main__":
    main()

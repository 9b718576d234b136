"""Time the pages of long lists: `python -m bench.lists [--pupils N] [--rounds N] [--without-peers]`.

A school of N pupils, with as many accounts and journal lines, beside one of a thousand: the same pages of both are
requested alternately, and those of Django's admin and of stock Flask-Admin over the long one (`bench.peers`).
Reported: CPU milliseconds, PostgreSQL's own included, medians; the ratio of the long list to the short one (goal
1.3 ×); the ratio of each peer to ours (goal for a search 30 ×); bare Flask's first page.

SQLite files are created for it, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, databases on
that server, whose role needs CREATEDB; with `CPRO_TEST_ADMIN_URL`, a superuser's URL, pages are served by a role that
owns nothing. Row-level security applies to both roles, and to the peers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
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
from bench.pages import floor_on, served_by
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
#: The peers, and the scripts that serve their lists.
PEERS = {"Django": "django_admin.py", "Flask-Admin": "stock_flask_admin.py"}
ROUNDS_OF_A_PEER = 3
#: Limits: the long list as a multiple of the short one; a peer's search as a multiple of ours.
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
{pupils} SELECT :school, {later}, 'account', i % 50, 'Alix Granite', 'administrator', '127.0.0.1',
  CASE WHEN i % 3 = 0 THEN 'student:changed' ELSE 'account:changed' END,
  CASE WHEN i % 3 = 0 THEN 'student' ELSE 'account' END, CAST(i + {FIRST} AS varchar), first_name || ' ' || last_name,
  'alix granite ' || first_name || ' ' || last_name, '{{}}', i + {FIRST}, '' FROM named
"""
#: Each line of the journal is a second later than the one before: the news look for the last line before an instant.
_SQLITE = {
    "day": "date('2008-01-01', (i % 1500) || ' days')",
    "ine": "printf('%09d', i) || 'AP'",
    "now": f"'{NOW:%Y-%m-%d %H:%M:%S.%f}'",
    "later": f"strftime('%Y-%m-%d %H:%M:%f000', '{NOW:%Y-%m-%d %H:%M:%S}', i || ' seconds')",
}
_POSTGRESQL = {
    "day": "DATE '2008-01-01' + i % 1500",
    "ine": "lpad(CAST(i AS text), 9, '0') || 'AP'",
    "now": f"timestamptz '{NOW.isoformat()}'",
    "later": f"timestamptz '{NOW.isoformat()}' + i * interval '1 second'",
}


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
        answer = self.browser.get(path.format(middle=self.middle))
        taken = time.process_time() - since
        assert answer.status_code == 200, (path, answer.status)
        return taken


@dataclass(frozen=True)
class Case:
    """A page of ours, and that of each peer with the same rows."""

    name: str
    ours: str
    peers: Mapping[str, str]


@dataclass(frozen=True)
class _List:
    """A list, at its address in each product."""

    name: str
    ours: str
    django: str
    flask_admin: str

    def page(self, name: str, ours: str, django: str | None = None, flask_admin: str | None = None) -> Case:
        """Return the page with these arguments, each peer's if it has one."""
        asked = {"Django": (self.django, django), "Flask-Admin": (self.flask_admin, flask_admin)}
        peers = {peer: f"{address}?{rest}" for peer, (address, rest) in asked.items() if rest is not None}
        return Case(f"{self.name}, {name}", f"{self.ours}?{ours}", peers)

    def search(self, name: str, words: str) -> Case:
        """Return the page of a search."""
        return self.page(f"search {name}", f"recherche={words}", f"q={words}", f"search={words}")


def cases(pupils: int) -> Iterator[Case]:
    """Yield the requests to lists of that length."""
    pupil = _List("pupils", "/admin/eleves/", "/auth/student/", "/admin/student/")
    user = _List("users", "/admin/utilisateurs/", "/auth/account/", "/admin/account/")
    line = _List("journal", "/admin/journal/", "/auth/entry/", "/admin/entry/")
    last = -(-pupils // ROWS_OF_A_PAGE)
    yield pupil.page("first page", "", "", "")
    yield pupil.page("last page", "fin=oui", f"p={last}", f"page={last - 1}")
    yield pupil.page("from the middle", "apres={middle}", f"p={last // 2 + 1}", f"page={last // 2}")
    yield pupil.page("to a letter", "lettre=p")
    yield pupil.page("sorted downwards", "tri=name&ordre=desc", "o=-1", "sort=0&desc=1")
    yield pupil.page("gone", "situation=partis", "is_active__exact=0", "flt0_is_active_equals=0")
    yield pupil.page("of a division", "division=D07", "division__id__exact=8", "flt0_division_id_equals=8")
    yield pupil.page("filter that finds none", "situation=doublons")
    yield pupil.search("of a rare word", "quasimodo")
    yield pupil.search("of a common word", "zoe")
    yield pupil.search("of two words", "zoe+martin")
    yield pupil.search("of the beginning of a word", "qua")
    yield pupil.search("that finds none", "wxyz")
    yield pupil.search("of an INE", f"{pupils // 2:09}AP")
    yield user.page("first page", "", "", "")
    yield user.search("of a common word", "zoe")
    yield user.search("of two words", "zoe+martin")
    yield user.page("never activated", "etat=jamais-active")
    yield user.page("sorted by login", "tri=login", "o=4", "sort=3")
    yield line.page("first page", "", "", "")
    yield line.page("by person", "personne=account:7", "actor_id=7", "flt0_actor_id_equals=7")
    yield line.search("of a word", "martin")


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
        peers = {
            name: stack.enter_context(Peer(script, databases["long"], folder))
            for name, script in ({} if asked.without_peers else PEERS).items()
        }
        print_table(short, long, peers, asked.rounds)


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
    told = statement.format(pupils=named, FIRST=FIRST, DIVISIONS=DIVISIONS, **words)
    session.execute(text(told), values)


def _invented(*numbers: int) -> str:
    """Return the SQL of a name for each `i`: one syllable per number."""
    parts, rank = [], "i"
    for number in numbers:
        parts.append(f"substr('{_SYLLABLES}', 1 + 2 * (({rank}) % {number}), 2)")
        rank = f"{rank} / {number}"
    return " || ".join(parts)


def print_table(short: School, long: School, peers: Mapping[str, Peer], rounds: int) -> None:
    """Print the cost of each page, ours and the peers', and their ratios; then that of bare Flask's first page."""
    named = [f"{name}, ms | {name} ÷ ours" for name in peers]
    print(f"| {' | '.join(['page', f'{short.pupils} rows, ms', f'{long.pupils} rows, ms', 'ratio', *named])} |")
    print(f"|---|--:|--:|--:|{'--:|--:|' * len(peers)}", flush=True)
    for case in cases(long.pupils):
        asks = {"short": partial(short.ask, case.ours), "long": partial(long.ask, case.ours)}
        asks |= {name: partial(peer.ask, case.peers[name]) for name, peer in peers.items() if name in case.peers}
        took = time_of(asks, short, long, rounds)
        cells = [case.name, f"{took['short']:.1f}", f"{took['long']:.1f}", f"{took['long'] / took['short']:.2f}"]
        for name in peers:
            cells += [f"{took[name]:.0f}", f"{took[name] / took['long']:.1f}"] if name in took else ["", ""]
        print(f"| {' | '.join(cells)} |", flush=True)
        name, theirs = f"{case.name}, of {long.pupils}", (took.get("Django"), took.get("Flask-Admin"))
        tell(Figure(name, "ms", took["long"], took["short"], *theirs, at_most=GOAL))
        if took.keys() & peers.keys() and "search" in case.name:
            tell(Figure(name, "ms", took["long"], None, *theirs, faster=GOAL_OF_SEARCH))
    floor = floor_on(long.database)
    bare = time_of({"floor": lambda: _processor_of(floor)}, short, long, rounds)["floor"]
    print(f"bare Flask, the first {ROWS_OF_A_PAGE} pupils of {long.pupils}: {bare:.1f} ms", flush=True)


def _processor_of(action: Callable[[], object]) -> float:
    since = time.process_time()
    action()
    return time.process_time() - since


def time_of(asks: dict[str, Callable[[], float]], short: School, long: School, rounds: int) -> dict[str, float]:
    """Return the milliseconds of each page, PostgreSQL's included, requested alternately: medians."""
    for ask in asks.values():
        ask()  # warms up: every PostgreSQL process to be measured is started and has filled its caches
    served = {name: served_by((short if name == "short" else long).database) for name in asks}
    times: dict[str, list[float]] = {name: [] for name in asks}
    for number in range(rounds):
        for name, ask in asks.items():
            if name not in PEERS or number < ROUNDS_OF_A_PEER:
                since = served[name]()
                times[name].append(ask() + served[name]() - since)
    return {name: 1000 * statistics.median(each) for name, each in times.items()}


if __name__ == "__main__":
    main()

"""Time the pages of a crowd, with and without an import: `python -m bench.crowd [--people N] [--pupils N] …`.

gunicorn serves with `deploy/gunicorn.conf.py`, and a worker applies the import at the low priority of its settings. N
people are signed in, each to an account of their own: administrators, heads and teachers, one in four of them in the
school whose pupils arrive, the others in a school of a thousand, and pupils of the latter. Each opens the pages of
their role one after another, and thinks in between; teachers also save a scenario. They work for some seconds, then
while the import is applied, then for as many seconds again.

Reported, by kind of page: the median and the 95th percentile of the wait for the whole response, without the import
and with it, and their ratio (goal 2 ×); and, per request, the CPU milliseconds of gunicorn's processes, those of
PostgreSQL's that serve them, and the milliseconds that gunicorn's waited for a CPU. The people are threads of this
process, on the same machine; their own CPU time is told too.

SQLite, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, a database on that server, whose role
needs CREATEDB; it is served by a role that owns nothing, created with `CPRO_TEST_ADMIN_URL`, a superuser's URL.
"""

from __future__ import annotations

import argparse
import http.client
import random
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from flask import Flask
from sqlalchemy import make_url, select

from bench.figures import Figure, tell
from bench.imports import fresh_databases, vacuum
from bench.locks import ask_to_apply, is_finished, p95_of, run_worker, school_id
from bench.under_import import GOAL, IMPORTING, OTHER, PAGES_OF, deposit, open_app, processor_of, serve
from cpro.core import tenancy
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.extensions import db
from cpro.students.models import Division, Student, TeacherDivision
from tests.factories import make_account
from tests.helpers.browser import Browser
from tests.helpers.platform import as_serving

#: The roles of ten people.
ROLES = (
    Role.ADMINISTRATOR,
    *(Role.TEACHER, Role.STUDENT, Role.TEACHER, Role.HEAD, Role.TEACHER),
    Role.ADMINISTRATOR,
    *(Role.TEACHER, Role.STUDENT, Role.TEACHER),
)
#: One person in four is of the importing school.
SCHOOLS = (OTHER, IMPORTING, OTHER, OTHER)
SAVE = "saving"
NEW = "/scenarios/nouveau"
#: {role: (kind of page, address)}.
PAGES: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.ADMINISTRATOR: (
        ("dashboard", "/admin/"),
        ("list", "/admin/eleves/"),
        ("search", "/admin/eleves/?recherche=agate"),
        ("form", "/admin/eleves/edit/?id={pupil}"),
        ("list", "/admin/utilisateurs/"),
        ("list", "/admin/journal/"),
    ),
    Role.HEAD: (
        ("dashboard", "/admin/"),
        ("list", "/admin/journal/"),
        ("pupils", "/eleves"),
        ("figures", "/admin/chiffres"),
    ),
    Role.TEACHER: (("pupils", "/eleves"), ("list", "/scenarios"), ("form", NEW), (SAVE, NEW)),
    Role.STUDENT: (
        ("records", "/eleves/{pupil}"),
        ("list", "/eleves/{pupil}/fiches"),
        ("account", "/mon-compte"),
        ("help", "/aide"),
    ),
}
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_PATIENCE = 60  # seconds


@dataclass
class Person:
    """A signed-in person, and the pages that they open."""

    cookie: str
    pages: Sequence[tuple[str, str]]
    token: str = ""


@dataclass
class Load:
    """What pages cost while the people worked, in seconds: each by kind; in all, CPU time and the wait for a CPU."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    processor: float = 0.0
    database: float = 0.0
    waited: float = 0.0
    elapsed: float = 0.0
    refused: int = 0

    def __add__(self, other: Load) -> Load:
        kinds = {*self.pages, *other.pages}
        pages = {kind: self.pages.get(kind, []) + other.pages.get(kind, []) for kind in kinds}
        mine, theirs = vars(self), vars(other)
        return Load(pages, **{name: mine[name] + theirs[name] for name in mine if name != "pages"})

    @property
    def all(self) -> list[float]:
        """Return the waits of all pages."""
        return [wait for waits in self.pages.values() for wait in waits]

    def told(self) -> str:
        """Return the figures as text."""
        count = len(self.all)
        per_page = {"of processor": self.processor, "of PostgreSQL's": self.database, "waiting for one": self.waited}
        spent = ", ".join(f"{1000 * seconds / count:.1f} ms {what}" for what, seconds in per_page.items())
        return f"{count} pages, {count / self.elapsed:.1f} a second, {self.refused} refused; of each {spent}"


class Crowd:
    """People at work on the pages that are served."""

    def __init__(
        self, people: Sequence[Person], think: float, port: int, cost: Callable[[], tuple[float, ...]]
    ) -> None:
        self._people, self._think, self._port, self._cost = people, think, port, cost

    def work(self, until: Callable[[float], bool]) -> Load:
        """Let the people work until `until` is true of the elapsed seconds. Raises what a page fails with."""
        load, stop, failed, since = Load(), threading.Event(), list[Exception](), self._cost()
        threads = [
            threading.Thread(target=self._work, args=(each, random.Random(rank), stop, load, failed))
            for rank, each in enumerate(self._people)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        try:
            while not failed and not until(time.perf_counter() - began):
                time.sleep(0.2)
                self._cost()  # processes of PostgreSQL come and go
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if failed:
            raise failed[0]
        load.elapsed = time.perf_counter() - began
        load.processor, load.waited, load.database = (
            now - before for now, before in zip(self._cost(), since, strict=True)
        )
        return load

    def _work(
        self, person: Person, chance: random.Random, stop: threading.Event, load: Load, failed: list[Exception]
    ) -> None:
        first = chance.randrange(len(person.pages))
        stop.wait(chance.uniform(0, self._think))
        for kind, path in islice(cycle(person.pages), first, None):
            if stop.is_set():
                return
            if kind == SAVE and not person.token:
                continue
            try:
                began = time.perf_counter()
                status = self._ask(person, kind, path)
                load.pages.setdefault(kind, []).append(time.perf_counter() - began)
                load.refused += status == 503
            except Exception as error:
                failed.append(error)
                return
            stop.wait(self._think * chance.uniform(0.5, 1.5))

    def _ask(self, person: Person, kind: str, path: str) -> int:
        """Open a page, or save what its form has, and return the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        headers = {"Cookie": person.cookie}
        if kind == SAVE:
            typed = {"title": "Câbler", "diploma": "40025520", "description": "Un tableau", "csrf_token": person.token}
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{self._port}"}
            connection.request("POST", path, urlencode(typed), headers)
        else:
            connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.status not in ((303, 503) if kind == SAVE else (200, 503)):
            raise AssertionError(f"{kind} {path}: {answer.status}\n{body[:2000]}")
        if path == NEW:
            found = _TOKEN.search(body) if kind != SAVE else None
            person.token = found[1] if found else ""
        return answer.status


def make_people(app: Flask, number: int) -> list[Person]:
    """Create the accounts, and sign them in."""
    with app.app_context(), platform_unit_of_work("bench") as work:
        ids = {code: school_id(code) for code in (OTHER, IMPORTING)}
        pupils = list(work.session.scalars(select(Student).where(Student.establishment_id == ids[OTHER])))
        divisions = list(work.session.scalars(select(Division.id).where(Division.establishment_id == ids[OTHER])))
        drawn = []
        for rank in range(number):
            role, code = ROLES[rank % len(ROLES)], SCHOOLS[rank // len(ROLES) % len(SCHOOLS)]
            code = OTHER if role is Role.STUDENT else code  # the pupils of the other school have not arrived yet
            pupil, login = pupils[rank % len(pupils)], f"foule{rank}"
            work.session.add(account := make_account(ids[code], role, login=login))
            work.session.flush()
            if role is Role.STUDENT:
                pupil.account_id = account.id
            elif role is Role.TEACHER and code == OTHER:
                taught = divisions[rank % len(divisions)]
                work.session.add(TeacherDivision(establishment_id=ids[code], account_id=account.id, division_id=taught))
            pages = [
                (kind, path.format(pupil=pupil.id))
                for kind, path in PAGES[role]
                if code == OTHER or "{pupil}" not in path
            ]
            drawn.append((code, login, pages))
    return [Person(_sign_in(app, code, login), pages) for code, login, pages in drawn]


def _sign_in(app: Flask, code: str, login: str) -> str:
    cookie = Browser(app).mint_sign_in(code, login).client.get_cookie("cpro_session")
    assert cookie is not None
    return f"cpro_session={cookie.value}"


class Backends:
    """Add up the CPU seconds of PostgreSQL's processes that serve gunicorn's; 0 on SQLite.

    A process that has ended counts as when it was last looked at.
    """

    _ASKED = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"

    def __init__(self, database: str) -> None:
        self._address, self._spent = make_url(database), dict[int, float]()
        self._connection: psycopg.Connection[tuple[int]] | None = None

    def seconds(self) -> float:
        """Look at the processes, and return what all have spent so far."""
        if self._address.get_backend_name() == "sqlite":
            return 0.0
        if self._connection is None:
            where = self._address.set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(where, autocommit=True)
        for (process,) in self._connection.execute(self._ASKED, [PAGES_OF]):
            with suppress(FileNotFoundError, ProcessLookupError):
                self._spent[process] = int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
        return sum(self._spent.values())

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


def measure(asked: argparse.Namespace, folder: Path, database: str) -> None:
    """Print the figures of one database."""
    app, name = open_app(folder, database), make_url(database).get_backend_name()
    people, served = make_people(app, asked.people), as_serving(database)
    run_id = deposit(app, folder / "arriving.xml", asked.pupils, "")
    vacuum(database)
    with serve(folder, served) as (port, server), run_worker(folder, served), closing(Backends(database)) as backends:
        crowd = Crowd(people, asked.think, port, lambda: (*processor_of(server), backends.seconds()))
        crowd.work(lambda elapsed: elapsed > asked.think)  # every process has filled its caches
        ours = time.process_time()
        alone = crowd.work(lambda elapsed: elapsed > asked.seconds)
        with app.app_context():
            tenancy.enter(tenancy.Scope(school_id(IMPORTING)))
            with unit_of_work():
                job_id = ask_to_apply(run_id)
        together = crowd.work(lambda elapsed: is_finished(app, job_id))
        alone += crowd.work(lambda elapsed: elapsed > asked.seconds)
        ours = time.process_time() - ours
    print(
        f"{name}: {asked.people} people, a page in {asked.think:g} s; {asked.pupils} pupils in {together.elapsed:.1f} s"
    )
    print(f"  without import: {alone.told()}\n  with: {together.told()}")
    print(f"  the people's own: {1000 * ours / (len(alone.all) + len(together.all)):.1f} ms of processor a page\n")
    print("\n".join(rows_of(alone, together)), flush=True)
    label = f"pages of {asked.people} people while {asked.pupils} pupils arrive, p95"
    tell(Figure(label, "ms", 1000 * p95_of(together.all), floor=1000 * p95_of(alone.all), at_most=GOAL))
    with app.app_context():
        db.engine.dispose()


def rows_of(alone: Load, together: Load) -> Iterator[str]:
    """Yield the lines of the table of kinds, all of them last."""
    yield "| page | pages | p50 | p95 | pages, import | p50 | p95 | ratio of p95 |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    kinds = {kind: (alone.pages[kind], together.pages[kind]) for kind in sorted({*alone.pages} & {*together.pages})}
    for kind, (without, during) in {**kinds, "all": (alone.all, together.all)}.items():
        cells = [f"{len(w)} | {1000 * statistics.median(w):.0f} | {1000 * p95_of(w):.0f}" for w in (without, during)]
        yield f"| {kind} | {' | '.join(cells)} | {p95_of(during) / p95_of(without):.2f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on the given database."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--people", type=int, default=200, help="signed in")
    parser.add_argument("--pupils", type=int, default=20_000, help="imported meanwhile")
    parser.add_argument("--think", type=float, default=10.0, help="seconds between two pages of a person")
    parser.add_argument("--seconds", type=float, default=40.0, help="of work before the import, and after it")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, fresh_databases(Path(name), ("crowd",)) as databases:
        measure(asked, Path(name), databases["crowd"])


if __name__ == "__main__":
    main()

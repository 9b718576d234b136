"""Time other people's pages while an import is applied: `python -m bench.under_import [pupils]`.

gunicorn serves as described in docs/exploitation.md, with `deploy/gunicorn.conf.py`, and a worker applies the import at
the low priority set in the settings. Four people browse the pages of two schools, each a tenth of a second after the
previous page: the importing school, and one of a thousand pupils. Twice (the pupils arrive, then all change name):
while idle, while the import is applied, and after it.

Reported: the 95th percentile of pages in each case, and their ratio (goal 2 ×); per page, the CPU milliseconds of
gunicorn's processes and the milliseconds that they waited for a CPU. These are waits: on a busy machine, only their
ratio is meaningful. SQLite, or, with `CPRO_DATABASE_URL=postgresql+psycopg://role@host/database`, a database on that
server, whose role needs CREATEDB; it is served by a role that owns nothing, created with `CPRO_TEST_ADMIN_URL`, a
superuser's URL.
"""

from __future__ import annotations

import http.client
import itertools
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import make_url

from bench.figures import Figure, tell
from bench.imports import fresh_databases, vacuum
from bench.locks import BENCH, ask_to_apply, is_finished, p95_of, run_worker, school_id
from bench.pages import fill
from bench.siecle_files import UAI, write_students
from cpro import create_app
from cpro.config import PROJECT_ROOT
from cpro.core import clock, tenancy
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.extensions import db
from cpro.imports.runs.deposits import analyse, receive
from tests.factories import make_account, make_establishment
from tests.helpers.browser import Browser
from tests.helpers.platform import as_serving, children_of, environment, free_port

IMPORTING, OTHER, ADMINISTRATOR = "importe", "bench", "administrateur"
PEOPLE, PAUSE, IDLE_SECONDS = 4, 0.1, 12.0
GOAL = 2.0
#: The application name of gunicorn's connections to PostgreSQL.
PAGES_OF = "pages"
KEY = "bench"  # pragma: allowlist secret
PAGES = (
    "/admin/",
    "/admin/eleves/",
    "/admin/utilisateurs/",
    "/admin/eleves/?recherche=agate",
    "/admin/journal/",
    "/admin/divisions/",
    "/admin/parametres/etablissement",
)
_PATIENCE = 60  # seconds


@dataclass
class Served:
    """The cost of pages, in seconds: of each until the whole response; in all, CPU time and the wait for a CPU."""

    pages: list[float]
    processor: float
    waited: float
    refused: int

    def __add__(self, other: Served) -> Served:
        sums = (self.processor + other.processor, self.waited + other.waited, self.refused + other.refused)
        return Served(self.pages + other.pages, *sums)

    @property
    def p95(self) -> float:
        """Return the 95th percentile of pages, in milliseconds."""
        return 1000 * p95_of(self.pages)

    def told(self) -> str:
        """Return the figures as text."""
        count, middle = len(self.pages), 1000 * statistics.median(self.pages)
        return (
            f"{count} pages, {self.refused} refused: p50 {middle:.0f} ms, p95 {self.p95:.0f} ms, worst "
            f"{1000 * max(self.pages):.0f} ms; of each {1000 * self.processor / count:.1f} ms of processor, "
            f"{1000 * self.waited / count:.1f} ms waiting for one"
        )


class Crowd:
    """People signed in to two schools, who browse pages."""

    def __init__(self, app: Flask, port: int, server: int) -> None:
        self._port, self._server = port, server
        self._cookies = []
        for school in (IMPORTING, OTHER):
            cookie = Browser(app).mint_sign_in(school, ADMINISTRATOR).client.get_cookie("cpro_session")
            assert cookie is not None
            self._cookies.append(f"cpro_session={cookie.value}")
        self.read(lambda elapsed: elapsed > 3)  # every gunicorn process has filled its caches

    def read(self, until: Callable[[float], bool]) -> Served:
        """Let the people browse until `until` is true of the elapsed seconds."""
        pages: list[float] = []
        refused: list[int] = []
        stop, since = threading.Event(), processor_of(self._server)
        people = [threading.Thread(target=self._read, args=(n, stop, pages, refused)) for n in range(PEOPLE)]
        began = time.perf_counter()
        for person in people:
            person.start()
        try:
            while not until(time.perf_counter() - began):
                time.sleep(0.2)
        finally:
            stop.set()
            for person in people:
                person.join()
        spent, waited = (now - before for now, before in zip(processor_of(self._server), since, strict=True))
        return Served(pages, spent, waited, len(refused))

    def _read(self, number: int, stop: threading.Event, pages: list[float], refused: list[int]) -> None:
        cookie = self._cookies[number % len(self._cookies)]
        for page in itertools.cycle(PAGES[number:] + PAGES[:number]):
            if stop.is_set():
                return
            began = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
            connection.request("GET", page, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            pages.append(time.perf_counter() - began)
            connection.close()
            assert answer.status in (200, 503), (page, answer.status)
            if answer.status == 503:
                refused.append(1)
            time.sleep(PAUSE)


def processor_of(server: int) -> tuple[float, float]:
    """Return the CPU seconds of gunicorn's processes, and the seconds that they waited for a CPU."""
    tasks = [task for child in children_of(server) for task in Path(f"/proc/{child}/task").iterdir()]
    figures = [(task / "schedstat").read_text().split() for task in tasks]
    return sum(int(each[0]) for each in figures) / 1e9, sum(int(each[1]) for each in figures) / 1e9


def measure(pupils: int, folder: Path, database: str) -> None:
    """Print the figures of one database."""
    app, name = open_app(folder, database), make_url(database).get_backend_name()
    vacuum(database)
    served = as_serving(database)
    with serve(folder, served) as (port, server), run_worker(folder, served):
        crowd = Crowd(app, port, server)
        for what, usage_name in (("arriving", ""), ("renamed", "NOUVEAU")):
            run_id = deposit(app, folder / f"{what}.xml", pupils, usage_name)
            vacuum(database)
            alone = crowd.read(lambda elapsed: elapsed > IDLE_SECONDS)
            with app.app_context():
                tenancy.enter(tenancy.Scope(school_id(IMPORTING)))
                with unit_of_work():
                    job_id = ask_to_apply(run_id)
            began = time.perf_counter()
            together = crowd.read(lambda elapsed, job_id=job_id: is_finished(app, job_id))  # type: ignore[misc]
            took = time.perf_counter() - began
            alone += crowd.read(lambda elapsed: elapsed > IDLE_SECONDS)
            print(f"{name}, {pupils} pupils {what}, applied in {took:.1f} s")
            print(f"  before and after: {alone.told()}\n  meanwhile: {together.told()}")
            print(f"  p95 {together.p95 / alone.p95:.2f} × (goal {GOAL:g} ×)", flush=True)
            label = f"pages while {pupils} pupils are applied ({what}), p95"
            tell(Figure(label, "ms", together.p95, floor=alone.p95, at_most=GOAL))
    with app.app_context():
        db.engine.dispose()


def open_app(folder: Path, database: str) -> Flask:
    """Return the application on a database with both schools."""
    app = create_app(
        {"CPRO_INSTANCE": folder, "CPRO_UPLOADS": folder, "SECRET_KEY": KEY, "SQLALCHEMY_DATABASE_URI": database}
    )
    assert isinstance(app, Flask)
    with app.app_context():
        upgrade()
        with platform_unit_of_work("bench") as work:
            fill(work.session)
            work.session.add(school := make_establishment(code=IMPORTING, uai=UAI))
            work.session.flush()
            work.session.add(make_account(school.id, Role.ADMINISTRATOR, login=ADMINISTRATOR))
    return app


def deposit(app: Flask, path: Path, pupils: int, usage_name: str) -> int:
    """Have a file analysed, and return its run."""
    now = clock.utcnow()
    write_students(path, pupils, usage_name=usage_name, school_year=now.year if now.month >= 8 else now.year - 1)
    with app.app_context():
        tenancy.enter(tenancy.Scope(school_id(IMPORTING)))
        with receive([(path.name, path)], now=now) as sources:
            return analyse(sources, by=BENCH, now=now)


@contextmanager
def serve(folder: Path, database: str) -> Iterator[tuple[int, int]]:
    """Serve the pages until the end of the block; yield the port and the id of gunicorn's process."""
    port = free_port()
    settings = {"CPRO_INSTANCE": str(folder), "CPRO_UPLOADS": str(folder), "CPRO_DATABASE_URL": database}
    settings |= {"PGAPPNAME": PAGES_OF, "CPRO_LOCK_WAIT": ""}  # the product's own wait for a lock, not that of tests
    surroundings = environment(folder, CPRO_SECRET_KEY=KEY, CPRO_PUBLIC_URL=f"http://127.0.0.1:{port}", **settings)
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--no-control-socket"]
    command = [*gunicorn, "--bind", f"127.0.0.1:{port}", "app:app"]
    with (folder / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=surroundings, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "gunicorn.log")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
            connection.request("GET", "/sante")
            if connection.getresponse().status == 200:
                return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(log.read_text(errors="replace")) from None
        time.sleep(0.2)


def main() -> None:
    """Measure on the given database, with 20 000 pupils by default."""
    pupils = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as name, fresh_databases(Path(name), ("ours",)) as databases:
        measure(pupils, Path(name), databases["ours"])


if __name__ == "__main__":
    main()

"""The local platform as people start it: `python app.py` in a separate process, with its own folder and port."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, make_url, text

from cpro.config import local_url
from cpro.core.database_roles import grant_rights

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
#: The first one found is used. The first has no windows: it opens a page at half the cost of the others.
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_LAST_LINE = "Ctrl+C pour arr"  # a console in ASCII has no « ê »
_PATIENCE = 180  # seconds: an upper bound for a loaded machine, not a measurement


def _hear_ctrl_c() -> None:
    """Restore Ctrl+C in a child process: a suite run in the background ignores it, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def find_chromium() -> str:
    """Return the path of Chromium on this machine, "" without one."""
    return next((found for command in _CHROMIUM if (found := shutil.which(command))), "")


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free at this instant."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return an environment that shares no CPro setting with that of the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CPRO_", "FLASK_"))}
    return {
        **inherited,
        "CPRO_INSTANCE": str(folder / "instance"),
        "CPRO_UPLOADS": str(folder / "uploads"),
        "PYTHONUTF8": "1",
        "CPRO_SECOND_FACTOR": "off",  # tested in tests/users/web/test_second_factor.py
        "CPRO_LOCK_WAIT": "30",  # a loaded machine must not cause a 503 (tests/core/test_locks.py)
        **settings,
    }


def run(command: list[str], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project to completion; `command` is the arguments of the interpreter."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )


def flask(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `flask --app app …` to completion."""
    return run(["-m", "flask", "--app", "app", *arguments], folder, **settings)


def without_root_powers() -> list[str]:
    """Return the command prefix that makes folder permissions effective: empty unless we are root."""
    if os.name == "nt" or os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, "--bounding-set", "-dac_override,-dac_read_search"] if setpriv else []


#: The role that owns the tables of such a schema.
_OWNER, _SERVING = "cpro_owner", "cpro_serving"


def as_owner(address: str) -> str:
    """Return the address with which migrations reach a schema of `empty_postgresql_schema`, "" for SQLite."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return ""
    return url.set(username=_OWNER).render_as_string(hide_password=False)


def as_serving(address: str) -> str:
    """Return the address with which a separate process serves the tests' tables; for SQLite, the same.

    The role owns nothing, as CPro's start-up requires; its permissions are granted again, because a test may have
    recreated the tables.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return address
    serving = url.set(username=_SERVING).render_as_string(hide_password=False)
    engine = _admin_engine(address)
    with engine.begin() as connection:
        _create_role(connection, _SERVING)
        grant_rights(connection, serving)
    engine.dispose()
    return serving


def _admin_engine(address: str) -> Engine:
    """Return a superuser's engine on the database of an address."""
    url = make_url(address)
    return create_engine(make_url(os.environ["CPRO_TEST_ADMIN_URL"]).set(database=url.database, query=url.query))


def _create_role(connection: Connection, name: str) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(1)"))  # two test processes may begin at once
    if not connection.scalar(text(f"SELECT true FROM pg_roles WHERE rolname = '{name}'")):
        connection.execute(text(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS"))


@contextmanager
def empty_postgresql_schema(address: str) -> Iterator[str]:
    """Yield the address of an empty schema in a PostgreSQL database, dropped afterwards; the other tables are
    untouched.

    The schema belongs to a role that owns what is created in it (`as_owner`): the role of `address` serves.
    """
    schema, engine = f"test_{uuid4().hex}", _admin_engine(address)
    with engine.begin() as connection:
        _create_role(connection, _OWNER)
        connection.execute(text(f"CREATE SCHEMA {schema} AUTHORIZATION {_OWNER}"))
    try:
        yield f"{address}?options=-csearch_path%3D{schema}"
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


def children_of(number: int) -> list[int]:
    """Return the ids of the live child processes of a process (Linux)."""
    lists = Path(f"/proc/{number}/task").glob("*/children")
    return sorted(int(child) for each in lists for child in each.read_text().split() if is_alive(int(child)))


def is_alive(number: int) -> bool:
    """Return whether a process is running (Linux)."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@dataclass
class Platform:
    """One start of `python app.py`; a context manager that waits for its announcement and stops it at the end."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Platform:
        self._process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=PROJECT_ROOT,
            env=environment(self.folder, CPRO_PORT=str(self.port), **self.settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_ctrl_c,
        )
        try:
            self.announcement = self._read_announcement()
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the address it announced."""
        return local_url(self.settings.get("CPRO_HOST", "127.0.0.1"), self.port)

    @property
    def database(self) -> Path:
        """Return the path of its database, when the settings name no other."""
        return self.folder / "instance" / "cpro.sqlite3"

    @property
    def database_url(self) -> str:
        """Return the address of its database."""
        return self.settings.get("CPRO_DATABASE_URL") or f"sqlite:///{self.database}"

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page."""
        with urlopen(f"{self.url}{path}", timeout=_PATIENCE) as answer:
            return answer.status, answer.read().decode()

    @property
    def number(self) -> int:
        """Return its process id."""
        return self._process.pid

    def wait_for_worker(self, other_than: int = 0) -> int:
        """Return the process id of its worker, once there is one."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            for number in children_of(self.number):
                if number != other_than:
                    return number
            time.sleep(0.05)
        raise AssertionError("the platform has no worker")

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it as Ctrl+C does, or with another signal; return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            _rest, self.complaints = self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._process.returncode

    def _read_announcement(self) -> str:
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert self._process.stdout
            for line in self._process.stdout:
                lines.put(line)
                if line.startswith(_LAST_LINE):
                    return
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        text, until = "", time.monotonic() + _PATIENCE
        while True:
            line = lines.get(timeout=max(0.1, until - time.monotonic()))
            text += line
            if line.startswith(_LAST_LINE):
                return text
            if not line:
                _output, complaints = self._process.communicate(timeout=_PATIENCE)
                raise AssertionError(f"the platform did not start:\n{text}\n{complaints}")

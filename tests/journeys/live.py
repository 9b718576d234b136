"""A platform as an administration runs it: migrated, empty, gunicorn and one worker, commands, mails, the rows.

Unlike the local platform of `tests/helpers/platform.py`, nothing is loaded: each journey makes what it needs.
"""

from __future__ import annotations

import email
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from sqlalchemy import create_engine, text

from tests.helpers.mail_server import Sink
from tests.helpers.platform import PROJECT_ROOT, as_owner, children_of, environment, flask, free_port
from tests.journeys.visitor import Visitor

#: An activation code, as papers and messages print it.
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}\b")
LINK = re.compile(r"https?://\S+")
_PATIENCE = 180  # seconds: an upper bound for a loaded machine, no measure
_THREADS = 8


@dataclass
class Live:
    """A running platform; a context manager."""

    folder: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    #: where mails go; without one they are files of the instance folder
    mail_server: Sink | None = None
    port: int = field(default_factory=free_port)
    #: makes somebody's browser, of the address of the site and their name
    browse: Callable[[str, str], Visitor] = Visitor

    def __enter__(self) -> Live:
        self.flask("db", "upgrade")
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for process in (self._web, self._worker):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self._web, self._worker):
            try:
                process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    @property
    def url(self) -> str:
        """Return the address people type."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def web_number(self) -> int:
        """Return the number of gunicorn's process."""
        return self._web.pid

    def visitor(self, name: str) -> Visitor:
        """Return a browser nobody has signed in with."""
        return self.browse(self.url, name)

    def flask(self, *arguments: str) -> str:
        """Run a command of the platform's team and return what it prints; fail if it does."""
        answer = flask(*arguments, folder=self.folder, **self._environment())
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def kill_worker(self) -> None:
        """Kill the worker as a power cut does."""
        self._worker.kill()
        self._worker.wait()

    def start_worker(self, **settings: str) -> None:
        """Start a worker, with these settings besides."""
        self._worker = self._start("-m", "flask", "--app", "app", "worker", **settings)

    def cut_power(self) -> None:
        """Kill every process."""
        serving = children_of(self._web.pid)
        self._web.kill()  # first: it would replace the others
        for number in serving:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self._web.wait()
        self.kill_worker()

    def start(self, **settings: str) -> None:
        """Start pages and worker, with these settings besides, and wait until pages answer."""
        address = f"127.0.0.1:{self.port}"
        gunicorn = ("-m", "gunicorn", "--bind", address, "--threads", str(_THREADS), "--no-control-socket", "app:app")
        self._web = self._start(*gunicorn, **settings)
        self.start_worker(**settings)
        self._wait_until_up()

    def mails(self, to: str = "") -> list[EmailMessage]:
        """Return the messages that left, the oldest first, those to an address if asked."""
        if self.mail_server:
            return [message for message in self.mail_server.taken if to in ("", str(message["To"]))]
        found = []
        for path in sorted((self.folder / "instance" / "mail").glob("*.eml"), key=lambda each: each.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            if to in ("", str(message["To"])):
                found.append(message)
        return found

    def wait_for_mail(self, to: str, *, count: int = 1) -> EmailMessage:
        """Return the last message to an address once there are `count` of them."""
        return self.wait_until(lambda: self.mails(to)[-1] if len(self.mails(to)) >= count else None, f"a mail to {to}")

    def rows(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return what a SELECT answers, all schools together."""
        engine = create_engine(self.database_url)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            found = [tuple(row) for row in connection.execute(text(statement), values or {})]
        engine.dispose()
        return found

    def let_time_pass(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Move instants of rows back, as the passing of time would; never what a person does. Instants are in UTC."""
        engine = create_engine(self.database_url)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
                connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
            connection.execute(text(statement), values or {})
        engine.dispose()

    def journal(self, school: str) -> list[str]:
        """Return the actions in the journal of a school (its code), the oldest first."""
        statement = (
            "SELECT audit_entry.action FROM audit_entry JOIN establishment"
            " ON establishment.id = audit_entry.establishment_id WHERE establishment.code = :code"
            " ORDER BY audit_entry.id"
        )
        return [str(action) for (action,) in self.rows(statement, {"code": school})]

    def wait_until(self, look: Any, what: str) -> Any:
        """Return what `look` returns once it is neither None nor False."""
        until = time.monotonic() + _PATIENCE
        while not (seen := look()):
            assert time.monotonic() < until, f"never came: {what}"
            time.sleep(0.2)
        return seen

    def wait_on_page(self, visitor: Visitor, words: str) -> None:
        """Ask for the page again until it says the words, as somebody without a script does."""

        def look() -> bool:
            visitor.reload()
            return words in visitor.text

        self.wait_until(look, f"« {words} » on {visitor.path}")

    def _environment(self) -> dict[str, str]:
        mail = {"CPRO_MAIL_URL": self.mail_server.url} if self.mail_server else {}
        database = {"CPRO_DATABASE_URL": self.database_url, "CPRO_MIGRATION_DATABASE_URL": as_owner(self.database_url)}
        return {**database, "CPRO_PUBLIC_URL": self.url, **mail, **self.settings}

    def _start(self, *command: str, **settings: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT_ROOT,
                env=environment(self.folder, **self._environment(), **settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_until_up(self) -> None:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                with urlopen(f"{self.url}/sante", timeout=5):
                    return
            except OSError:  # what is refused, too slow, or reset by a process that is being killed
                if time.monotonic() > until or self._web.poll() is not None:
                    raise
                time.sleep(0.1)


@contextmanager
def live(
    folder: Path, database_url: str, *, mail_server: Sink | None = None, port: int | None = None, **settings: str
) -> Iterator[Live]:
    """Run a platform meanwhile, at a port if one is given; its log is shown when the journey fails."""
    with Live(folder, database_url, settings, mail_server, port or free_port()) as platform:
        try:
            yield platform
        except BaseException:
            print((folder / "log.txt").read_text(errors="replace")[-4000:])
            raise


def idle_since(platform: Live, login: str, instant: str) -> None:
    """Let everybody of a login have been away since an instant: their sign-ins end of themselves."""
    platform.let_time_pass(
        "UPDATE sign_in SET last_seen_at = :instant WHERE account_id IN (SELECT id FROM account WHERE login = :login)",
        {"instant": instant, "login": login},
    )


def code_in(message: str | EmailMessage) -> str:
    """Return the activation code of a message or of what a command printed."""
    content = message if isinstance(message, str) else str(message.get_content())
    found = CODE.search(content)
    assert found, content
    return found[0]


def link_in(message: EmailMessage) -> str:
    """Return the first address of a message."""
    found = LINK.search(str(message.get_content()))
    assert found, message
    return found[0]

"""Run two requests concurrently: both proceed to the lock of their school before either goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import text
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from tests.helpers.locks import locked_row

#: Seconds: a request that does not reach the lock within this time does not take it.
_GATHERING = 1.0
_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database "
    "WHERE datname = current_database())"
)


def at_once(
    database: str, admin_engine: Engine | None, school_id: int, *acts: Callable[[], TestResponse]
) -> list[TestResponse]:
    """Run some requests, each in a thread, and return their responses in the order given.

    Another connection holds the school's row (SQLite's single writer) until all of them wait for it: what each reads
    before its lock is what it would read without the others.
    """
    answers: dict[int, TestResponse] = {}
    threads = [threading.Thread(target=lambda n=n, act=act: answers.update({n: act()})) for n, act in enumerate(acts)]
    with locked_row(database, admin_engine, f"establishment WHERE id = {school_id}"):
        for thread in threads:
            thread.start()
        _gather(admin_engine, threads)
    for thread in threads:
        thread.join()
    assert len(answers) == len(acts), "a request raised"
    return [answers[number] for number in range(len(acts))]


def _gather(admin_engine: Engine | None, threads: Sequence[threading.Thread]) -> None:
    until = time.monotonic() + _GATHERING
    while time.monotonic() < until and any(thread.is_alive() for thread in threads):
        if admin_engine is not None:
            with admin_engine.connect() as connection:
                if (connection.scalar(_WAITING) or 0) >= sum(thread.is_alive() for thread in threads):
                    return
        elif time.monotonic() > until - _GATHERING * 0.8:
            return
        time.sleep(0.01)

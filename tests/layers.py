"""The layers of the suite: `unit`, `integration`, `browser`, and `slow` beside any of them.

A test that asks for the application is `integration`, one in `tests/browser/` is `browser`, and any other is `unit`
unless it says otherwise: it must then touch no database, network or process, and cost little. Journeys are `slow`,
as are the tests that open every page of the platform. A test that is not given the database under test cannot depend
on it: it is `any_database`, as are those that say so because what they judge stands above the database. One that judges
PostgreSQL itself is `postgresql`: it is played where `CPRO_TEST_DATABASE_URL` names one, and skipped elsewhere.
"""

from __future__ import annotations

import gc
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

#: What a unit test may cost, in times what counting to a million costs on the same machine at that moment: some 100 ms.
#: A test under coverage or a debugger is not measured.
CPU_LIMIT = 5

_LAYERS = ("unit", "integration", "browser")
_TESTS = Path(__file__).parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test with its layer, before `-m` chooses."""
    if item.path.is_relative_to(_TESTS / "journeys"):
        item.add_marker("slow")
    if not any(item.get_closest_marker(layer) for layer in _LAYERS):
        item.add_marker(_find_layer(item))
    if item.get_closest_marker("postgresql"):
        if not os.environ.get("CPRO_TEST_DATABASE_URL"):
            item.add_marker(pytest.mark.skip(reason="CPRO_TEST_DATABASE_URL names no PostgreSQL; .ci/run does"))
    elif not _is_given_the_database(item):
        item.add_marker("any_database")


def _find_layer(item: pytest.Item) -> str:
    if item.path.is_relative_to(_TESTS / "browser"):
        return "browser"
    if "migrated_app" in getattr(item, "fixturenames", ()) or item.get_closest_marker("slow"):
        return "integration"
    return "unit"


def _is_given_the_database(item: pytest.Item) -> bool:
    """Return whether a test may meet the database of `CPRO_TEST_DATABASE_URL`; journeys and Chromium look it up."""
    if item.path.is_relative_to(_TESTS / "journeys") or item.path.is_relative_to(_TESTS / "browser"):
        return True
    return not {"migrated_app", "database"}.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def limits_of_a_unit_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a database, a connection or a process to a test marked `unit`."""
    if request.node.get_closest_marker("unit"):
        for owner, name in ((sqlite3, "connect"), (socket.socket, "connect"), (subprocess, "Popen")):
            monkeypatch.setattr(owner, name, _refuse(name))


def _refuse(name: str):  # type: ignore[no-untyped-def]
    def refuse(*_arguments: object, **_options: object) -> None:
        pytest.fail(f"a unit test called {name}(): mark it `integration`, or test the rule without it")

    return refuse


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Refuse a unit test that costs more CPU than `CPU_LIMIT`; the first to import a library is excused.

    What earlier tests left is not counted: neither their threads, nor the collection of what they made.
    """
    is_unit = item.get_closest_marker("unit") is not None
    if is_unit:
        gc.freeze()
    began, imported = time.thread_time(), len(sys.modules)
    try:
        result = yield
    finally:
        gc.unfreeze()
    spent = time.thread_time() - began
    is_judged = is_unit and sys.gettrace() is None and len(sys.modules) == imported
    if is_judged and spent > 0.05 and spent > CPU_LIMIT * _cost_of_counting():
        pytest.fail(f"{spent * 1000:.0f} ms of CPU: mark it `integration`, or let it do less")
    return result


def _cost_of_counting() -> float:
    """Return the CPU seconds of counting to a million now, which a busy machine makes as dear as the test."""
    began = time.process_time()
    for _ in range(1_000_000):
        pass
    return time.process_time() - began

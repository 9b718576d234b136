"""What tests of « Nouveautés » share: a Monday, lines of the journal, what the bell says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.permissions import Actor
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

Arrange = Callable[[], AbstractContextManager[Session]]
PAGE, READ = "/nouveautes", "/nouveautes/lues"
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ELSEWHERE = Actor("system", None, "L’établissement 0999002X", "system", "test")


@pytest.fixture(autouse=True)
def monday() -> object:
    """Have these tests happen one Monday."""
    with time_machine.travel(MORNING, tick=True):
        yield


@pytest.fixture
def tell(arrange: Arrange, world: World) -> Callable[..., None]:
    """Return what writes a line of the journal."""

    def write(
        action: str, about: tuple[str, object, str], *, by: Actor = ELSEWHERE, school: str = "a", at: Any = None
    ) -> None:
        with arrange() as session:
            values = {"establishment_id": world.school(school).id, "session": session}
            record(action, About(*about), by=by, now=at or datetime.now(UTC), **values)

    return write


def bell(browser: Browser) -> str | None:
    """Return what the bell says in the head of a page, None without one; « Menu », which folds it, says it too."""
    root = Page(browser.get("/mon-compte")).root
    links = [each for each in root.iter("a") if each.get("class") == "bell"]
    (menu,) = (text_of(each) for each in root.iter("summary") if text_of(each).startswith("Menu"))
    said = text_of(links[0]) if links else None
    assert menu == (said or "Menu").replace("Nouveautés", "Menu")
    return said


def mark_read(browser: Browser) -> None:
    """Press the button of the page."""
    assert browser.post(READ, mark_of(browser)).status_code == 303


def mark_of(browser: Browser) -> dict[str, str]:
    """Return what the button of the page would post: how far the page showed."""
    inputs = Page(browser.get(PAGE)).main.iter("input")
    return {each.get("name", ""): each.get("value", "") for each in inputs if each.get("name") in ("jusqu_a", "ligne")}

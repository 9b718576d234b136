"""Two schools of the world that activated transfers, without pupils who would meet by chance."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from email import policy
from pathlib import Path

import pytest
from flask import Flask

from tests.factories import World
from tests.helpers.transfers import Exchange
from tests.helpers.words import check_words


@pytest.fixture
def exchange(app: Flask, world: World) -> Iterator[Exchange]:
    """Yield schools "a", "b" and "c", transfers on; whatever is exchanged, searches find every name afterwards."""
    yield Exchange.open(app, {"a": world.a.id, "b": world.b.id}, others=1)
    check_words(app)


@pytest.fixture
def mails(app: Flask) -> Callable[[], list[tuple[str, str]]]:
    """Return a reader of the mails that left: addressee and text."""

    def read() -> list[tuple[str, str]]:
        paths = (Path(app.config["CPRO_INSTANCE"]) / "mail").glob("*.eml")
        found = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
        return sorted((str(mail["To"]), str(mail.get_content())) for mail in found)

    return read

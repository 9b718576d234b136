"""Files to deposit: the samples, and small ones written by the test that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from tests.factories import NOW, World
from tests.helpers.imports import Desk
from tests.helpers.words import check_words

WriteFile = Callable[[bytes, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Return a function that writes a file and returns its path."""

    def write_file(content: bytes, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the empty folder in which archives are unfolded."""
    path = tmp_path / "unfolded"
    path.mkdir()
    return path


@pytest.fixture
def desk(app: Flask, world: World, tmp_path: Path) -> Iterator[Desk]:
    """Yield the place where files are imported into school "a"; whatever was, searches find every name afterwards."""
    yield Desk(app, world, tmp_path)
    check_words(app)


@pytest.fixture
def october(desk: Desk) -> Iterator[time_machine.Traveller]:
    """Let it be the day of the samples, in a school that has no active pupil."""
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller

"""The walk of a pupil from an upload to a row, held to eight files, and what each stage may not do."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import cpro.imports
from cpro.core.staging import Staging
from cpro.imports.parse.siecle import reader
from cpro.imports.runs import deposits
from tests.helpers.browser import Browser
from tests.helpers.deposits import ONE, analyse, apply
from tests.helpers.imports import Desk

ROOT = Path(inspect.getfile(cpro.imports)).parent
WALK = re.findall(r"^\d\. `([a-z_/]+\.py)`", cpro.imports.__doc__ or "", re.MULTILINE)


def _files_on_the_stack() -> Iterator[str]:
    """Yield the files of the imports that are at work, the first called first, each once in a row."""
    frame, found = sys._getframe(1), list[str]()
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and (not found or found[-1] != path.relative_to(ROOT).as_posix()):
            found.append(path.relative_to(ROOT).as_posix())
        frame = frame.f_back  # type: ignore[assignment]
    yield from reversed(found)


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the files at work when a pupil is read, when their change is kept, when their row is written."""
    met: list[list[str]] = []

    def watch(owner: Any, name: str, is_step: Callable[..., bool]) -> None:
        original = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            if is_step(*given):
                met.append(list(_files_on_the_stack()))
            return original(*given, **named)

        monkeypatch.setattr(owner, name, watched)

    watch(reader, "check_names", lambda *given: True)
    watch(deposits, "bulk_insert", lambda session, model, rows: model.__name__ == "ImportChange")
    watch(Staging, "insert", lambda staged, model, source: model.__name__ == "Student")
    return met


@pytest.mark.usefixtures("october")
def test_walk_from_upload_to_row_goes_through_the_files_it_says(
    app: Flask, as_: Callable[..., Browser], desk: Desk, walked: list[list[str]]
) -> None:
    browser = as_("administrator")

    apply(app, browser, analyse(browser, ONE))

    assert list(desk.students()) == ["1"]
    read, kept, written = walked
    for files in walked:
        assert files == [file for file in WALK if file in files], f"{files}: a file twice, or another order than {WALK}"
    assert list(dict.fromkeys([*read, *kept, *written])) == WALK
    assert len(WALK) <= 8


@pytest.mark.integration
@pytest.mark.parametrize("path", sorted((ROOT / "diff").glob("*.py")), ids=lambda path: path.name)
def test_diff_writes_nothing(path: Path) -> None:
    writing = {"add", "add_all", "bulk_insert", "commit", "delete", "flush", "insert", "merge", "update"}
    tree = ast.parse(path.read_text())

    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    called = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("db.session", "session", "tenancy")
    }

    assert not (names | called) & writing


@pytest.mark.integration
@pytest.mark.parametrize("name", ["accounts", "pupils", "staff", "structure"])
def test_apply_of_an_object_stands_beside_its_undoing(name: str) -> None:
    functions = {
        node.name for node in ast.parse((ROOT / "apply" / f"{name}.py").read_text()).body if hasattr(node, "name")
    }

    assert any(re.match(r"write_|insert_", function) for function in functions), functions
    assert any(re.match(r"undo_|delete_", function) for function in functions), functions

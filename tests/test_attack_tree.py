"""The table of who can become whom names, for each branch, tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "decisions" / "0012-who-can-become-whom.md"
_NAME = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


def branches() -> list[str]:
    """Return the lines of the table, without its two first."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    return lines[2:]


def list_tests(path: Path) -> set[str]:
    """Return the tests of a file: `test_…` and `Class::test_…`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{prefix}{each.name}" for each in inside if isinstance(each, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def test_attack_tree_has_tests_for_every_branch() -> None:
    lines = branches()

    assert len(lines) >= 25
    assert [line for line in lines if not _NAME.search(line)] == []


@pytest.mark.integration
def test_attack_tree_names_tests_that_exist() -> None:
    named = [found for line in branches() for found in _NAME.findall(line)]

    missing = [
        f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in list_tests(ROOT / path)
    ]
    assert missing == []


def test_attack_tree_holds_every_attack_played_to_its_end() -> None:
    played = ROOT / "tests" / "users" / "test_head_escalation.py"
    named = {name for line in branches() for path, name in _NAME.findall(line) if ROOT / path == played}

    assert list_tests(played) - named <= {
        "TestFirstHeadEscalation::test_first_head_escalation_leaves_a_head_whom_the_command_line_lets_in"
    }

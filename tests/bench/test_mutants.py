"""Breaking rules: a tree with one rule that is tested and one that is not tells which is which."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mutants import draw, list_mutants, main

pytestmark = pytest.mark.slow

RULES = """
def check_age(age):
    if age < 18:
        raise ValueError("too young")


def check_height(height):
    if height < 150:
        raise ValueError("too small")
"""
TESTS = """
import pytest
from cpro.rides.operations import check_age, check_height


def test_an_adult_is_let_in():
    check_age(18)
    check_height(180)


def test_a_minor_is_refused():
    with pytest.raises(ValueError):
        check_age(17)
"""
PROJECT = """
[tool.pytest.ini_options]
pythonpath = ["."]
[tool.coverage.run]
source = ["cpro"]
relative_files = true
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree of one feature, whose views hold no rule."""
    for name, text in {
        "cpro/rides/operations.py": RULES,
        "cpro/rides/views.py": RULES,
        "cpro/rides/words.py": "def f(n):\n    return f\"{n} place{'s' if n > 1 else ''}\"\n",
        "tests/rides/test_operations.py": TESTS,
        "pyproject.toml": PROJECT,
    }.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


def test_list_mutants_breaks_rules_alone_and_keeps_each_line_where_it_was(tree: Path) -> None:
    found = list_mutants(tree)

    assert [(each.line, each.kind, each.text) for each in found] == [
        (3, "refusal skipped", "False"),
        (3, "limit moved", " <= "),
        (8, "refusal skipped", "False"),
        (8, "limit moved", " <= "),
    ]
    source = (tree / "cpro/rides/operations.py").read_bytes()
    assert {len(each.apply(source).splitlines()) for each in found} == {len(source.splitlines())}
    assert b"if age <= 18:" in found[1].apply(source)


@pytest.mark.parametrize(
    ("rule", "broken", "kind"),
    [
        ("check_gate(\n    school,\n)", "pass", "check dropped"),
        ("record('signed-in', by=by)", "pass", "effect dropped"),
        (
            "list(select(A).where(A.id == 1))",
            'list(select(A).where(__import__("sqlalchemy").true()))',
            "condition dropped",
        ),
        ("if a and b: return 1", "if not (a and b): return 1", "guard negated"),
        ("x = a and b", "x = a or b", "and → or"),
        ("x = a > b", "x = a >= b", "limit moved"),
    ],
)
def test_list_mutants_knows_each_way_to_break_a_rule(tree: Path, rule: str, broken: str, kind: str) -> None:
    file = tree / "cpro/rides/operations.py"
    file.write_text("def f(a, b):\n" + "".join(f"    {line}\n" for line in rule.splitlines()))

    (mutant,) = [each for each in list_mutants(tree) if each.kind == kind]

    assert broken in mutant.apply(file.read_bytes()).decode()


def test_draw_is_the_same_for_a_seed(tree: Path) -> None:
    found = list_mutants(tree)

    assert draw(found, seed=3, count=2) == draw(found, seed=3, count=2)
    assert {tuple(draw(found, seed=seed, count=2)) for seed in range(20)} != {tuple(draw(found, seed=3, count=2))}


def test_main_asks_the_tests_that_ran_the_line_alone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--cov", "--cov-context=test", "--cov-report="]
    surroundings = {**os.environ, "PYTEST_ADDOPTS": ""}
    subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tree, env=surroundings, check=True)
    before = (tree / ".coverage").read_bytes()

    main(["--count", "4"], root=tree)

    told = capsys.readouterr().out
    survived = re.findall(r"operations\.py:(\d+) \| [a-z ]+ \| SURVIVED \| \d+ \| (.*) \|", told)
    assert survived == [("8", "1 of the 1 tests that run it")] * 2
    assert told.count("| killed |") == 2
    assert (tree / ".coverage").read_bytes() == before


def test_main_says_the_rule_that_no_test_holds(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survivors = main(["--count", "4"], root=tree)

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| cpro")]
    verdicts = {tuple(line.split(" | ")[:3]) for line in lines}
    assert survivors == 2
    assert {(place.rpartition(":")[2], verdict) for place, _kind, verdict in verdicts} == {
        ("3", "killed"),
        ("8", "SURVIVED"),
    }
    assert (tree / "cpro/rides/operations.py").read_text() == RULES

"""The crowd of the bench: everybody signed in opens the pages of their role, and the import that they meet ends."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bench.crowd import PAGES, Load, rows_of
from tests.helpers.platform import PROJECT_ROOT, environment

KINDS = {kind for pages in PAGES.values() for kind, _path in pages}


def test_rows_of_compares_each_kind_then_all_of_them() -> None:
    alone = Load({"list": [0.1] * 19 + [0.2], "form": [0.3]})
    together = Load({"list": [0.4], "form": [0.6]})

    assert list(rows_of(alone, together))[2:] == [
        "| form | 1 | 300 | 300 | 1 | 600 | 600 | 2.00 |",
        "| list | 20 | 100 | 200 | 1 | 400 | 400 | 2.00 |",
        "| all | 21 | 100 | 200 | 2 | 500 | 600 | 3.00 |",
    ]


@pytest.mark.slow
def test_main_times_the_pages_of_every_role_with_and_without_an_import(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    sizes = "--people 40 --pupils 60 --think 0.5 --seconds 4".split()
    surroundings = environment(tmp_path_factory.mktemp("crowd"))
    command = [sys.executable, "-m", "bench.crowd", *sizes]

    done = subprocess.run(command, cwd=PROJECT_ROOT, env=surroundings, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "sqlite: 40 people, a page in 0.5 s; 60 pupils in" in done.stdout
    assert re.search(r"without import: \d+ pages, .*\n  with: \d+ pages, ", done.stdout)
    kinds = set(re.findall(r"^\| (\w+) \| \d+ \|", done.stdout, re.MULTILINE))
    assert "all" in kinds and kinds - {"all"} <= KINDS

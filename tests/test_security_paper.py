"""What docs/securite.md says of ASVS 5.0: every requirement once, the counts, and tests that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cpro.config import PROJECT_ROOT
from tests.helpers.browser import Browser

PAPER = (PROJECT_ROOT / "docs/securite.md").read_text(encoding="utf-8")
#: How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has.
CHAPTERS = {
    1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7,
    10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7,
}  # fmt: skip
STATES = ("held", "partly", "not held", "operator", "none")
_LINE = re.compile(r"^\| (\d+\.\d+\.\d+(?:, \d+\.\d+\.\d+)*) \| (.+?) \| ([a-z ]+) \| (.*) \|$", re.M)
LINES = [(numbers.split(", "), state, where) for numbers, _words, state, where in _LINE.findall(PAPER)]


def test_security_paper_has_every_requirement_once() -> None:
    numbers = [each for line, _state, _where in LINES for each in line]

    assert len(numbers) == len(set(numbers))
    assert Counter(int(each.split(".")[0]) for each in numbers) == Counter(CHAPTERS)


def test_security_paper_counts_what_it_says() -> None:
    found: Counter[str] = Counter()
    for numbers, state, _where in LINES:
        found[state] += len(numbers)
    told = {state: int(count) for state, count in re.findall(r"^\| ([a-z ]+?)(?::.*)? \| (\d+) \|$", PAPER, re.M)}

    assert told == {**{state: found[state] for state in STATES}, "in all": sum(CHAPTERS.values())}


def test_security_paper_names_a_test_for_what_holds_and_a_reason_for_what_does_not() -> None:
    for numbers, state, where in LINES:
        assert state in STATES, numbers
        if state in ("held", "partly"):
            assert "tests/" in where or "](" in where, numbers
        else:
            assert where, numbers


@pytest.mark.integration
def test_security_paper_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", PAPER))

    missing = [f"{path}::{name}" for path, name in sorted(named) if not _exists(PROJECT_ROOT / path, name)]
    assert missing == []


def _exists(path: Path, name: str) -> bool:
    if not name:
        return path.is_file() or any(path.glob("**/test_*.py"))
    held = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    return any(isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name for node in held)


#: Modules that run or fetch what they are given, and the only files that may name them.
DANGEROUS = {
    "subprocess": {"cpro/core/jobs/child.py"},
    "pickle": set(),
    "marshal": {"cpro/imports/parse/records.py"},  # a temporary file that it wrote itself
    "shelve": set(),
    "urllib.request": set(),
    "http.client": set(),
    "requests": set(),
    "httpx": set(),
    "xml.etree": set(),
    "xml.sax": {"cpro/core/spreadsheets.py"},  # its function that escapes
}


@pytest.mark.integration
def test_code_runs_and_fetches_nothing_that_it_is_given() -> None:
    found = []
    for path in sorted((PROJECT_ROOT / "cpro").rglob("*.py")):
        name = path.relative_to(PROJECT_ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                found.append(f"{name}:{node.lineno}")
            imported = (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [
                f"{name}:{node.lineno} {module}"
                for module in imported
                for forbidden, allowed in DANGEROUS.items()
                if (module == forbidden or module.startswith(f"{forbidden}.")) and name not in allowed
            ]
    assert found == []


class TestAnswers:
    @pytest.mark.parametrize("path", ["/.git/config", "/static/", "/static/../cpro/config.py", "/instance/secret_key"])
    def test_answers_serve_nothing_of_the_server(self, browser: Callable[[], Browser], path: str) -> None:
        answer = browser().get(path)

        assert answer.status_code in (302, 303, 404)
        assert "[core]" not in answer.text

    @pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
    def test_answers_refuse_methods_that_nobody_uses(self, browser: Callable[[], Browser], method: str) -> None:
        assert browser().client.open("/connexion", method=method).status_code == 405

    @pytest.mark.parametrize(("role", "path"), [("", "/connexion"), ("teacher", "/mon-compte")])
    def test_answers_mask_passwords_and_let_password_managers_in(
        self, browser: Callable[[], Browser], as_: Callable[..., Browser], role: str, path: str
    ) -> None:
        page = (as_(role) if role else browser()).get(path).text
        typed = [tag for tag in re.findall(r"<input[^>]*>", page) if "password" in tag and "hidden" not in tag]

        assert typed
        assert all('type="password"' in tag and 'autocomplete="off"' not in tag for tag in typed)
        assert "onpaste" not in page

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_answers_offer_to_sign_out(self, as_: Callable[..., Browser], role: str) -> None:
        for path in ("/mon-compte", "/nulle-part"):
            assert "Se déconnecter" in as_(role).get(path, follow_redirects=True).text


@pytest.mark.any_database
def test_scripts_store_nothing_in_the_browser() -> None:
    words = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "postMessage", "eval(")
    scripts = {path.name: path.read_text(encoding="utf-8") for path in (PROJECT_ROOT / "static").glob("*.js")}

    found = {(name, word) for name, script in scripts.items() for word in words if word in script}
    # Tabs of this site tell one another when the session ends (BroadcastChannel): an instant, nothing of a person.
    assert found <= {("session.js", "postMessage")}

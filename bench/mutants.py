"""Break rules one at a time and see whether a test notices: `python -m bench.mutants --seed 7 --count 60`.

Rules are the code between the web and the tables: operations, queries, models, domain modules. Mutants are drawn with a
seed, from each feature in turn, and tried in a copy of the tree. A mutant is run against the tests that covered its
lines, according to `.coverage` (`pytest --ignore=tests/browser --cov --cov-context=test --cov-report=`, once); without
it, or for a file written since, the tests of its feature, then, with `--whole`, all the others except browser tests.

A surviving mutant is a rule without a test, or a change equivalent to the rule: a person decides. `--list` shows the
mutants drawn and runs nothing; `--only cpro/users` draws among the files below a path.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

from coverage import CoverageData

ROOT = Path(__file__).resolve().parent.parent
#: Files about the web, texts, settings or examples, which contain no rule.
NO_RULES = ("__init__", "admin", "command", "demo", "error", "form", "hooks", "journal", "label", "letterhead")
NO_RULES += ("message", "page", "paper", "pdf", "places", "present", "refusal", "screen", "view", "web")
#: Calls whose result is not used, but which a rule depends on.
CHECKS = ("check", "require", "judge", "validate")
EFFECTS = ("record", "notify", "void", "end_", "forget", "revoke", "spend", "close", "delete", "send")
SWAPPED = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
PATIENCE = 900  # seconds: catches a mutant in an endless loop


@dataclass(frozen=True, order=True)
class Mutant:
    """One rule broken: the bytes from `start` to `end` of a file become `text`."""

    path: str
    line: int
    start: int
    end: int
    kind: str
    text: str
    #: the lines that execute when the rule is evaluated
    lines: range = field(compare=False)

    @property
    def feature(self) -> str:
        """Return the folder of its feature: « imports » of cpro/imports/runs/lifecycle.py."""
        return Path(self.path).parts[1]

    def apply(self, source: bytes) -> bytes:
        """Return the file with its rule broken, each line where it was."""
        lost = source[self.start : self.end].count(b"\n") - self.text.count("\n")
        return source[: self.start] + self.text.encode() + b"\\\n" * lost + source[self.end :]


class Finder(ast.NodeVisitor):
    """Collect every possible mutant of one file."""

    def __init__(self, path: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._path, self._source = path, source
        self._starts = [0, *(at + 1 for at, byte in enumerate(source) if byte == 10)]
        self._statement: ast.stmt | None = None

    def visit(self, node: ast.AST) -> None:
        """Visit a node, remembering the statement it belongs to."""
        before = self._statement
        self._statement = node if isinstance(node, ast.stmt) else before
        super().visit(node)
        self._statement = before

    def visit_If(self, node: ast.If) -> None:
        """Make a refusal never happen, and a guard clause return when it should not."""
        if isinstance(node.body[-1], ast.Raise):
            self._replace(node.test, "refusal skipped", "False")
        elif isinstance(node.body[-1], ast.Return) and len(node.body) == 1:
            self._replace(node.test, "guard negated", f"not ({ast.unparse(node.test)})")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Remove a check, or an effect."""
        if isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name.lstrip("_").startswith(CHECKS + EFFECTS):
                is_check = name.lstrip("_").startswith(CHECKS)
                self._replace(node, f"{'check' if is_check else 'effect'} dropped", "pass")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Remove one condition of a `.where(…)`."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("where", "filter"):
            for condition in node.args:
                if not isinstance(condition, ast.Starred):
                    self._replace(condition, "condition dropped", '__import__("sqlalchemy").true()')
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Shift a limit by one."""
        if len(node.ops) == 1 and type(node.ops[0]) in SWAPPED:
            self._swap(node.left, node.comparators[0], "limit moved", *SWAPPED[type(node.ops[0])])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Evaluate one of two conditions instead of both."""
        if isinstance(node.op, ast.And):
            self._swap(node.values[0], node.values[1], "and → or", "and", "or")
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave texts alone."""

    def _swap(self, left: ast.expr, right: ast.expr, kind: str, old: str, new: str) -> None:
        start, end = self._span(left)[1], self._span(right)[0]
        between = self._source[start:end].decode()
        if between.count(old) == 1:
            self._add(right, kind, start, end, between.replace(old, new))

    def _replace(self, node: ast.expr | ast.stmt, kind: str, text: str) -> None:
        self._add(node, kind, *self._span(node), text)

    def _add(self, node: ast.expr | ast.stmt, kind: str, start: int, end: int, text: str) -> None:
        first = self._statement.lineno if self._statement else node.lineno
        lines = range(first, (node.end_lineno or node.lineno) + 1)
        self.found.append(Mutant(self._path, node.lineno, start, end, kind, text, lines))

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        starts = self._starts
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset


def list_mutants(root: Path, only: str = "cpro") -> list[Mutant]:
    """Return every mutant of the rule files below a path, in a stable order."""
    found: list[Mutant] = []
    for file in sorted(root.glob("cpro/*/**/*.py")):
        path, source = file.relative_to(root).as_posix(), file.read_bytes()
        words = [word for part in path.split("/")[2:] for word in (part, *part.split("_"))]
        if path.startswith(only) and not any(word.startswith(NO_RULES) for word in words):
            finder = Finder(path, source)
            finder.visit(ast.parse(source))
            found += finder.found
    return sorted(found)


def draw(mutants: Sequence[Mutant], *, seed: int, count: int) -> list[Mutant]:
    """Draw mutants, from each feature in turn; deterministic for a seed and a tree."""
    chance, features = random.Random(seed), sorted({each.feature for each in mutants})
    decks = [chance.sample(deck, len(deck)) for deck in ([m for m in mutants if m.feature == f] for f in features)]
    return [each for each in chain.from_iterable(zip_longest(*decks)) if each][:count]


class Laboratory:
    """A copy of the tree, where rules are broken and restored."""

    def __init__(self, root: Path, folder: Path, *, limit: int, whole: bool) -> None:
        self._root, self._tree, self._limit, self._whole = root, folder / "tree", limit, whole
        kept_out = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "uploads", "instance")
        shutil.copytree(root, self._tree, ignore=kept_out)
        self._map = CoverageData(str(root / ".coverage"))
        self._map.read()  # otherwise the first query would erase it

    def try_out(self, mutant: Mutant) -> tuple[str, str]:
        """Return the verdict on a mutant, and the test that killed it or the tests that did not."""
        file, met, sound = self._tree / mutant.path, [], (self._tree / mutant.path).read_bytes()
        compile(mutant.apply(sound), mutant.path, "exec")  # any test would kill code that does not compile
        file.write_bytes(mutant.apply(sound))
        try:
            for tests, called in self._choose_tests(mutant):
                met.append(called)
                if killer := self._run(tests):
                    return "killed", killer
        finally:
            file.write_bytes(sound)
        return "SURVIVED", ", ".join(met) or "no test runs it"

    def _choose_tests(self, mutant: Mutant) -> Iterator[tuple[list[str], str]]:
        """Yield the tests to run and their description: those of the feature come first."""
        near, known = f"tests/{mutant.feature}", self._list_covering(mutant)
        if known is None:
            if (self._tree / near).is_dir():
                yield [near], near
            if self._whole:
                yield ["tests", f"--ignore={near}", "--ignore=tests/browser"], "all tests but those of browsers"
        elif known:
            some = sorted(known, key=lambda test: (not test.startswith(near), test))[: self._limit]
            yield some, f"{len(some)} of the {len(known)} tests that run it"

    def _list_covering(self, mutant: Mutant) -> set[str] | None:
        """Return the tests that covered a mutant's lines; None for a newer file, or lines that run on import."""
        map_ = self._root / ".coverage"
        if not map_.exists() or (self._root / mutant.path).stat().st_mtime > map_.stat().st_mtime:
            return None
        by_line = self._map.contexts_by_lineno(mutant.path)
        tests = {each.rpartition("|")[0] for line in mutant.lines for each in by_line.get(line, ())}
        return None if "" in tests else {each for each in tests if "\n" not in each}

    def _run(self, tests: Sequence[str]) -> str:
        """Run tests up to the first failure; return its name, or "" when all pass."""
        (self._tree / "asked").write_text("\n".join(tests))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "@asked"]
        surroundings = {**os.environ, "PYTEST_ADDOPTS": ""}
        try:
            done = subprocess.run(command, cwd=self._tree, env=surroundings, capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return "out of time"
        if done.returncode == 0:
            return ""
        if b"not found: " in done.stderr:
            raise SystemExit(f"Draw the map again (.coverage): {done.stderr.decode()}")
        failed = [line for line in done.stdout.decode().splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0].split(" ")[1] if failed else f"pytest ended with {done.returncode}"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Draw mutants, try them and print the results; return how many survived."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--only", default="cpro", help="the path below which mutants are drawn")
    parser.add_argument("--limit", type=int, default=150, help="the most tests that one mutant meets")
    parser.add_argument("--whole", action="store_true", help="without a map, try all tests after those of the feature")
    parser.add_argument("--list", action="store_true", help="tell the mutants drawn, run nothing")
    asked = parser.parse_args(arguments)
    mutants = list_mutants(root, asked.only)
    drawn, verdicts = draw(mutants, seed=asked.seed, count=asked.count), list[str]()
    print(f"{len(drawn)} of {len(mutants)} mutants, seed {asked.seed}\n")
    print("| rule | broken | verdict | s | by |\n|---|---|---|--:|---|")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        laboratory = None if asked.list else Laboratory(root, Path(folder), limit=asked.limit, whole=asked.whole)
        for mutant in drawn:
            started = time.monotonic()
            verdict, by = laboratory.try_out(mutant) if laboratory else ("", "")
            verdicts.append(verdict)
            told = f"{mutant.path}:{mutant.line} | {mutant.kind} | {verdict} | {time.monotonic() - started:.0f} | {by}"
            print(f"| {told} |", flush=True)
    print(f"\n{verdicts.count('killed')} killed, {verdicts.count('SURVIVED')} survived")
    return verdicts.count("SURVIVED")


if __name__ == "__main__":
    sys.exit(min(main(), 1))

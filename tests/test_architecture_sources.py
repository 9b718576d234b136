"""The conventions of the sources, file by file, each failure with its remedy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "cpro").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

#: What speaks to the database before, or beside, the schools' rows.
AT_THE_DATABASE = {"backup/rows.py", "core/database_revision.py", "core/database_roles.py", "serving.py"}
HAVE_PARTIAL_INDEXES = {"core/jobs", "students", "users", "users/emergency", "competences", "transfers"}
#: What each convention forbids in cpro/, where it is allowed, and what to do instead.
FORBIDDEN = {
    "commit": (r"\.commit\(\)", {"core/transactions.py"}, "use unit_of_work()"),
    "environment": (r"os\.environ", {"config.py", "core/process.py"}, "read it in config.py"),
    "clock": (
        r"datetime\.now|date\.today|time\.time\(\)|utcfromtimestamp",
        {"core/clock.py"},
        "take `now` as an argument",
    ),
    "day": (
        r"now\.date\(\)|now\(\)\.date\(\)",
        {"demo.py", "inspectors/queries.py", "records/demo_content.py", "transfers/web/dashboard.py"},
        "a day is that of a school: get_school_today(now), or today_in(school.timezone, now)",
    ),
    "raw connection": (
        r"engine\.connect|engine\.begin|[a-z]\.connection\([^)]|raw_connection",
        AT_THE_DATABASE | {"backup/operations.py", "core/transactions.py"},
        "go through a session: the tenancy filter does not see a connection",
    ),
    "raw statement": (
        r"\btext\(",
        AT_THE_DATABASE | {"core/tenancy.py"} | {f"{name}/models.py" for name in HAVE_PARTIAL_INDEXES},
        "select mapped classes",
    ),
    "print": (r"\bprint\(", {"serving.py"}, "use click.echo in commands, a logger elsewhere"),
    "untyped escape": (r"\bcast\(", set(), "narrow the type instead"),
}


#: Folders of pages: those of a feature, and the features made of pages.
PAGE_FOLDERS = {"web", "site", "settings", "people", "dashboard"}
PAGE_MODULE = re.compile(r"cpro\.(site|settings|people|dashboard|(\w+\.)+web)(\.|$)")
ASKS_THE_DATABASE = re.compile(r"\bdb\.session|\bselect\(|\.commit\(|\.scalars?\(|\.execute\(|\.flush\(")
#: What starts the application, and commands: they may know everything.
STARTS = {"__init__.py", "__main__.py", "commands.py", "serving.py", "demo.py", "extensions.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "cpro").as_posix()


def is_page(path: Path) -> bool:
    """Return whether a file is of a folder of pages; what such a folder reads of its own is its `queries.py`."""
    return not PAGE_FOLDERS.isdisjoint(path.relative_to(ROOT / "cpro").parts) and path.name != "queries.py"


def is_rule(path: Path) -> bool:
    in_folder_of_pages = not PAGE_FOLDERS.isdisjoint(path.relative_to(ROOT / "cpro").parts)
    return not in_folder_of_pages and path.name not in STARTS


def imported_at_load(path: Path) -> Iterator[str]:
    """Yield the modules, and the names taken from them, that a file imports, except for its type checker."""
    for node in ast.walk(ast.parse(re.sub(r"(?m)^if TYPE_CHECKING:\n(    .*\n)+", "", path.read_text()))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


#: Folders of tests that mirror no package of cpro, and files that try several of a package's files together.
NO_PACKAGE = {"bench", "browser", "deploy", "factories", "helpers", "journeys"}
ACROSS_FILES = {
    "imports/parse/test_fuzz.py",
    "imports/parse/test_real_world.py",
    "imports/test_walk.py",
    "inspectors/test_access_table.py",
    "users/test_head_escalation.py",
}


def list_names_of_files(package: Path) -> set[str]:
    """Return what the name of a test file may begin with: the files of a package, of its rules and of its pages."""
    levels = [package, *(package / name for name in ("operations", "views", "screens", "forms", "presenters"))]
    return {path.stem for level in levels for path in level.glob("*") if path.suffix == ".py" or path.is_dir()}


def _body(node: ast.AST) -> list[ast.stmt]:
    return node.body if isinstance(node, ast.ClassDef) else []


def _keeps_a_contract(node: ast.AST, method: str, classes: dict[str, ast.ClassDef]) -> bool:
    """Return whether a method overrides one of a class of ours, whose docstring is its contract."""
    if not isinstance(node, ast.ClassDef):
        return False
    named = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    above = [classes[base.id] for base in named if isinstance(base, ast.Name) and base.id in classes]
    return any(
        any(isinstance(each, ast.FunctionDef) and each.name == method and ast.get_docstring(each) for each in base.body)
        or _keeps_a_contract(base, method, classes)
        for base in above
    )


@pytest.mark.integration  # each reads every file
class TestSources:
    def test_sources_have_their_tests_where_their_path_says(self) -> None:
        for path in (ROOT / "tests").rglob("test_*.py"):
            name = path.relative_to(ROOT / "tests")
            if len(name.parts) == 1 or name.parts[0] in NO_PACKAGE or name.as_posix() in ACROSS_FILES:
                continue
            package = ROOT / "cpro" / name.parent
            assert package.is_dir(), f"tests/{name}: no cpro/{name.parent}: put it where the code it tries is"
            names = list_names_of_files(package)
            tried = path.stem.removeprefix("test_")
            assert any(tried == each or tried.startswith(f"{each}_") for each in names), (
                f"tests/{name}: begin its name with that of a file of cpro/{name.parent}"
            )

    @pytest.mark.parametrize("convention", FORBIDDEN)
    def test_sources_hold_to_the_conventions(self, convention: str) -> None:
        pattern, allowed, remedy = FORBIDDEN[convention]
        assert all((ROOT / "cpro" / name).is_file() for name in allowed), f"{convention}: an exempted file is gone"
        for path in SOURCES:
            name = path.relative_to(ROOT / "cpro").as_posix()
            if name not in allowed:
                found = re.search(pattern, path.read_text())
                assert not found, f"cpro/{name}: « {found[0]} » — {remedy}"

    def test_sources_of_tests_take_the_day_of_a_school(self) -> None:
        for path in (path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)):
            assert not re.search(r"date\.today\(\)|utcnow\(\)\.date\(\)", path.read_text()), (
                path
            )  # see tests/helpers/days.py

    @pytest.mark.parametrize("path", [path for path in SOURCES if is_page(path)], ids=name_of)
    def test_sources_of_pages_ask_no_query_and_commit_nothing(self, path: Path) -> None:
        found = ASKS_THE_DATABASE.search(path.read_text())

        assert not found, f"move « {found[0]} » to queries.py, or to an operation called in a unit_of_work()"

    @pytest.mark.parametrize("path", [path for path in SOURCES if is_rule(path)], ids=name_of)
    def test_sources_of_rules_import_no_page(self, path: Path) -> None:
        for module in imported_at_load(path):
            assert not PAGE_MODULE.match(module), f"a rule knows no page: move what it takes from {module} down"

    def test_sources_stay_short(self) -> None:
        for path in [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "static").rglob("*.css")]:
            lines = len(path.read_text().splitlines())
            assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines: make it a package of the same name"

    def test_sources_say_what_everything_public_promises(self) -> None:
        trees = {path: ast.parse(path.read_text()) for path in SOURCES}
        classes = {each.name: each for tree in trees.values() for each in tree.body if isinstance(each, ast.ClassDef)}
        for path, tree in trees.items():
            assert ast.get_docstring(tree), f"{path}: say what the module is for"
            for node in ast.walk(tree):
                if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                    continue
                if node in tree.body or any(
                    node in parent.body for parent in tree.body if isinstance(parent, ast.ClassDef)
                ):
                    assert ast.get_docstring(node) or any(
                        _keeps_a_contract(parent, node.name, classes) for parent in tree.body if node in _body(parent)
                    ), f"{path}:{node.lineno}: {node.name} needs its contract in a docstring"

    def test_sources_keep_the_import_contracts(self) -> None:
        outcome = subprocess.run(
            [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stdout


#: What turns a text into a number or a day, and the only files that may: the one that bounds it, those that matched its
#: digits one line above, the one that reads the machine's own settings, those that read back what they wrote.
READING = {"int", "float", "Decimal", "fromisoformat", "strptime", "isdigit", "isdecimal", "isnumeric", "fromtimestamp"}
MAY_READ = {
    "config.py",
    "core/formatting.py",
    "core/parsing.py",
    "core/validators/numbers.py",
    "imports/changes.py",
}


@pytest.mark.integration
class TestNumbersAndDays:
    @pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT / "cpro").as_posix())
    def test_numbers_and_days_are_read_with_bounds(self, path: Path) -> None:
        if path.relative_to(ROOT / "cpro").as_posix() in MAY_READ:
            return
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                named = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
                found = {getattr(each, "id", getattr(each, "attr", "")) for each in named} & READING
                assert not found or _asks_the_type(node), (
                    f"{path}:{node.lineno}: « {found} » of a text has no bounds: read it with core.parsing"
                )


def _asks_the_type(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "isinstance"

"""The conventions of the code, each failure with its remedy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment, nodes
from werkzeug.routing import Rule

from cpro.core.permissions import ROLE_PERMISSIONS, Permission, Role, access_of
from cpro.core.web.assets import FILES
from cpro.core.web.registry import registry
from cpro.core.web.screens import Screen
from cpro.core.web.screens.base import SecureIndexView, SecureModelView
from cpro.settings.tabs import TABS
from tests.helpers.screens import screens

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "cpro").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

#: Routes whose words are names, not ids: a page of help, a school's code, files.
NAMED_ROUTES = {"pages.help_page", "users.school_door", "static", "admin.static", "asset"}


def routes(app: Flask) -> Iterator[Rule]:
    yield from app.url_map.iter_rules()


#: Addresses that browsers, search engines and RFC 9116 look for.
FIXED_BY_OTHERS = {"/favicon.ico", "/robots.txt", "/.well-known/security.txt"}


class TestRoutes:
    def test_routes_are_marked(self, migrated_app: Flask) -> None:
        for rule in routes(migrated_app):
            if rule.endpoint in FILES:
                continue
            view = migrated_app.view_functions[rule.endpoint]
            assert access_of(view) is not None, (
                f"{view.__module__}: {rule.endpoint} ({rule.rule}) is unmarked and answers 403: "
                "add @requires(Permission.…) or @public, or a permission to its admin view"
            )

    def test_routes_are_kebab_case_without_accents(self, migrated_app: Flask) -> None:
        for rule in routes(migrated_app):
            if rule.rule in FIXED_BY_OTHERS:
                continue
            for part in re.sub(r"<[^>]+>", "", rule.rule).split("/"):
                assert re.fullmatch(r"[a-z0-9-]*(\.(pdf|zip))?", part), f"{rule.rule}: write « {part} » in kebab-case"

    def test_routes_have_typed_ids(self, migrated_app: Flask) -> None:
        for rule in routes(migrated_app):
            for argument in re.findall(r"<([^>]+)>", rule.rule):
                assert ":" in argument or rule.endpoint in NAMED_ROUTES, (
                    f"{rule.rule}: write <int:{argument}>, so that a word is a 404 before the view"
                )

    def test_routes_are_hidden_by_no_school_code(self, migrated_app: Flask) -> None:
        from cpro.core.validators import RESERVED_CODES

        firsts = {rule.rule.split("/")[1].removesuffix(".pdf") for rule in routes(migrated_app)} - {"", "<school>"}
        firsts = {first for first in firsts if "." not in first}  # no code holds a dot
        assert firsts <= RESERVED_CODES, f"reserve {sorted(firsts - RESERVED_CODES)} in core.validators"

    def test_routes_take_get_and_post_alone(self, migrated_app: Flask) -> None:
        for rule in routes(migrated_app):
            assert not (rule.methods or set()) - {"GET", "HEAD", "OPTIONS", "POST"}, rule.rule


class TestAdminViews:
    def test_admin_views_are_closed_by_default(self, migrated_app: Flask) -> None:
        for view in migrated_app.extensions["admin"][0]._views:
            assert isinstance(view, SecureIndexView | SecureModelView), (
                f"{type(view).__name__} must inherit core.web.screens: Flask-Admin's own classes are open to anyone"
            )
            assert view.permission is not None, f"{type(view).__name__}: declare its permission"

    @pytest.mark.parametrize("power", ["can_create", "can_edit", "can_delete", "can_export", "can_view_details"])
    def test_admin_views_have_each_power_off_in_the_base(self, power: str) -> None:
        assert getattr(SecureModelView, power) is False

    def test_admin_views_leave_no_form_to_flask_admin(self, migrated_app: Flask) -> None:
        for screen in screens(migrated_app):
            for power, form in (("create", screen.create_form_class), ("edit", screen.form_class)):
                if getattr(screen, f"{power}_permission") is not None:
                    assert form is not None, f"{type(screen).__name__}: list its form_columns, or give its form"

    @pytest.mark.parametrize("power", ["create", "update", "delete"])
    def test_admin_views_write_through_operations_only(self, power: str) -> None:
        values: dict[str, Any] = {"opened_on": ""} if power == "update" else {}
        rows = [SimpleNamespace(data={})] * (2 if power == "update" else 1)
        with pytest.raises(NotImplementedError, match="operation"):
            getattr(object.__new__(Screen), power)(*rows, by=None, now=None, **values)


class TestPermissions:
    def test_permissions_have_a_line_for_each_role(self) -> None:
        assert set(ROLE_PERMISSIONS) == set(Role)

    def test_permissions_are_each_asked_somewhere(self, migrated_app: Flask) -> None:
        asked = {
            access.permission
            for view in migrated_app.view_functions.values()
            if (access := access_of(view)) is not None
        }
        for screen in screens(migrated_app):
            asked |= {
                screen.create_permission,
                screen.edit_permission,
                screen.delete_permission,
                screen.export_permission,
                *(action.permission for action in screen.bulk_actions),
                *screen.action_permissions,
            }
        # A rule asks some of who acts or of whose account it is: `actor.can(Permission.…)`.
        source = "".join(path.read_text() for path in SOURCES if path != PERMISSIONS)
        asked |= {Permission[name] for name in re.findall(r"\b(?:can|holds)\([^()]*Permission\.(\w+)\)", source)}
        assert set(Permission) <= asked, f"nobody asks {set(Permission) - asked}: delete it"

    def test_permissions_of_menu_and_tabs_suffice_where_they_lead(self, migrated_app: Flask) -> None:
        for entry in (*registry(migrated_app).menu, *TABS):
            access = access_of(migrated_app.view_functions[entry.endpoint])
            assert access is not None
            assert access.permission == entry.permission, f"{entry.label}: the link asks another right than its page"


PERMISSIONS = ROOT / "cpro" / "core" / "permissions.py"
#: Who names or compares roles: the map, what accounts are opened as, their model and form, the commands that take a
#: role by its name, the demonstration. The others ask `can(Permission.…)`.
NAME_ROLES = {
    "core/permissions.py",
    "users/roles.py",
    "users/models.py",
    "users/emergency/models.py",
    "users/operations/manual.py",
    "users/commands.py",
    "demo.py",
    "records/demo_content.py",
}
OF_A_ROLE = {"role", "actor_role", "is_platform", "Role"}
ASK_A_RIGHT = "ask can(Permission.…), and give the right to the role in core/permissions.py"


def names_a_role(node: ast.AST) -> bool:
    """Return whether a piece of code is `Role.HEAD`, or compares a role with something else than nothing."""
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "Role"
    if not isinstance(node, ast.Compare) or any(isinstance(each, ast.Constant) for each in node.comparators):
        return False
    sides = (each.value if getattr(each, "attr", "") == "value" else each for each in (node.left, *node.comparators))
    return any(getattr(side, "attr", getattr(side, "id", "")) in OF_A_ROLE for side in sides)


class TestRoles:
    @pytest.mark.integration
    def test_roles_are_named_by_the_map_and_where_one_is_chosen(self) -> None:
        for path in SOURCES:
            if path.relative_to(ROOT / "cpro").as_posix() not in NAME_ROLES:
                lines = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if names_a_role(node)]
                assert not lines, f"{path}:{lines}: {ASK_A_RIGHT}"

    @pytest.mark.parametrize(
        "code", ["by.role == Role.HEAD.value", "a.role is x", "a.role in y", "x != a.role.value", "Role.HEAD"]
    )
    def test_roles_a_comparison_is_found(self, code: str) -> None:
        assert any(names_a_role(node) for node in ast.walk(ast.parse(code)))

    @pytest.mark.integration
    def test_roles_are_named_by_no_page(self) -> None:
        for path in TEMPLATES:
            assert not re.search(r"\bRole\.|principal\.role\b(?!\.label)|is_platform", path.read_text()), path


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


class TestTemplates:
    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
    def test_templates_hold_nothing_the_content_security_policy_forbids(self, path: Path) -> None:
        source = path.read_text()

        assert not re.search(r"\son\w+=", source), "no inline handler: the policy blocks it"
        assert not re.search(r"\sstyle=|<style", source), "no inline style: write a class in static/"
        assert not re.search(r'(src|action)="(https?:)?//|<link[^>]*href="(https?:)?//', source), "nothing from outside"
        assert not re.search(r"<script(?![^>]*src=)", source), "no inline script"
        assert "|safe" not in source.replace(" ", ""), "escape everything"

    @pytest.mark.integration  # parsing a long page may cost more than the unit layer allows
    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
    def test_templates_hold_no_reference_list(self, path: Path) -> None:
        lists = Environment().parse(path.read_text()).find_all((nodes.List, nodes.Tuple))

        for each in lists:
            texts = [item.value for item in each.items if isinstance(item, nodes.Const) and isinstance(item.value, str)]
            words = [text for text in texts if not text.endswith(".js")]
            assert len(words) < 4, f"line {each.lineno}: {words[:2]}… is data: let the view pass it"

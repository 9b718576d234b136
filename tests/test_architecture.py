"""The conventions of the code, each failure with its remedy."""

from __future__ import annotations

import ast
import re
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

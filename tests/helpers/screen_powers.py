"""The powers of the generated screens, the rights that they require, and the roles that hold these."""

from __future__ import annotations

import importlib
import pkgutil

import cpro
from cpro.core.permissions import ROLE_PERMISSIONS, Permission, Role
from cpro.core.web.screens import Screen
from tests.helpers.screen_cases import CASES, CREATE, CSV, DELETE, DETAILS, EDIT, XLSX


def _declared() -> dict[str, type[Screen]]:
    for module in pkgutil.walk_packages(cpro.__path__, "cpro."):
        if module.name.endswith(".screens"):
            importlib.import_module(module.name)
    return {screen.title: screen for screen in Screen.__subclasses__()}


#: The classes of the screens by title: tests are collected before an application exists.
DECLARED = _declared()


def powers_of(screen: Screen | type[Screen]) -> dict[str, Permission | None]:
    """Return every power that a screen opens, with its permission; None where its case must name it."""
    named = {
        DETAILS: screen.permission,
        CREATE: screen.create_permission,
        EDIT: screen.edit_permission,
        DELETE: screen.delete_permission,
        CSV: screen.export_permission,
        XLSX: screen.export_permission,
    }
    found: dict[str, Permission | None] = {power: right for power, right in named.items() if right is not None}
    found |= {f"cocher : {action.label}": action.permission for action in screen.bulk_actions}
    own = {address for address, *_ in screen._urls} - {address for address, *_ in Screen._urls}
    return found | dict.fromkeys(sorted(own))


def right_of(screen: Screen | type[Screen], power: str) -> Permission:
    """Return the permission that a power requires."""
    right = powers_of(screen).get(power) or CASES[screen.title][power].permission
    assert right is not None, f"{screen.title}, {power}: say in its case which right it asks for"
    return right


def holders(screen: Screen | type[Screen], power: str) -> list[Role]:
    """Return the roles that have a power, and may reach the screen it is on."""
    wanted = {right_of(screen, power), screen.permission}
    return [role for role in Role if wanted <= ROLE_PERMISSIONS[role]]

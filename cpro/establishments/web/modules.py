"""Close the pages of a module that the head switched off, and hide the links to them.

A feature declares the blueprints of a module once (`close_with`) and checks `is_on` before it adds a menu entry or a
part of another page. No data is deleted.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, request

from cpro.core.errors import Forbidden
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment

#: the blueprints of each module, by name
MODULE_BLUEPRINTS: dict[Module, set[str]] = {module: set() for module in Module}


class ModuleClosed(Forbidden):
    """The page belongs to a module that is switched off."""

    def __init__(self, module: Module) -> None:
        super().__init__(
            f"Le chef d’établissement a désactivé le module « {module.label} » : ses pages sont fermées. "
            "Rien n’est effacé, et tout reviendra tel quel quand il le réactivera."
        )


def is_on(module: Module) -> bool:
    """Return whether a module is on in the current school."""
    return is_module_on(get_current_establishment(), module)


def close_with(module: Module, *blueprints: Blueprint, keeps: Collection[str] = ()) -> None:
    """Close the pages of blueprints while a module is off, except the endpoints in `keeps`."""

    def refuse() -> None:
        if request.endpoint not in keeps and not is_on(module):
            raise ModuleClosed(module)

    for blueprint in blueprints:
        blueprint.before_request(refuse)
        MODULE_BLUEPRINTS[module].add(blueprint.name)

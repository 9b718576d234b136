"""Paramètres, tab Modules: the head's switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.formatting import join_french
from cpro.core.permissions import Permission, requires
from cpro.core.web.current_user import current_actor
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import get_switches, update_modules
from cpro.establishments.web.forms import NO, YES, ModulesForm
from cpro.settings.tabs import SettingsPage

bp = Blueprint("modules", __name__, url_prefix="/admin/parametres/modules")


class ModulesPage(SettingsPage[ModulesForm]):
    """The form of the switches."""

    form_class, template = ModulesForm, "settings/modules.html"
    tab, edit = "modules", Permission.MODULES_SWITCH

    def values(self) -> Mapping[str, Any]:
        return {name: YES if on else NO for name, on in get_switches(self.school).items()}

    def save(self, form: ModulesForm) -> tuple[str, str]:
        wanted = {module.value: form[module.value].data == YES for module in Module}
        changes = update_modules(wanted, opened_on=form.version.data, by=current_actor(), now=clock.utcnow())
        return url_for("modules.edit"), _what_changed({name: new for name, (_old, new) in changes.items()})

    def context(self, form: ModulesForm) -> Mapping[str, Any]:
        return {"states": _states(self.school), **super().context(form)}


@bp.get("")
@requires(Permission.MODULES_VIEW)
def edit() -> ResponseReturnValue:
    """Show the switches; only those who have the permission can change them."""
    return ModulesPage().show()


@bp.post("")
@requires(Permission.MODULES_SWITCH, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Set the switches, with immediate effect."""
    return ModulesPage().answer()


def _states(school: Establishment) -> list[tuple[str, str]]:
    """Return each module and whether it is on, for those who may not switch it."""
    switches = get_switches(school)
    return [(module.label, "activé" if switches[module.value] else "désactivé") for module in Module]


def _what_changed(changes: dict[str, bool]) -> str:
    parts = []
    for on, word in ((True, "Activé"), (False, "Désactivé")):
        names = [Module(value).label for value, new in changes.items() if new is on]
        if names:
            parts.append(f"{word} : {join_french(names)}.")
    return " ".join(parts) or "Rien n’a changé : tout était déjà réglé ainsi."

"""Paramètres, tab Modules: the head's switches."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import join_french
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.establishments import queries
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import get_switches, update_modules
from cpro.establishments.web.forms import NO, YES, ModulesForm
from cpro.settings.tabs import settings_frame

bp = Blueprint("modules", __name__, url_prefix="/admin/parametres/modules")


@bp.get("")
@requires(Permission.MODULES_VIEW)
def edit() -> ResponseReturnValue:
    """Show the switches, which only those who may switch can move."""
    about = ("establishment", queries.get_current_establishment().id)
    return _page(ModulesForm.opened(_as_typed(), about=about))


@bp.post("")
@requires(Permission.MODULES_SWITCH, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Set the switches; they act at once."""
    form = ModulesForm.sent(_as_typed(), about=("establishment", queries.get_current_establishment().id))
    if not form.validate():
        return _page(form, form.status)
    wanted = {module.value: form[module.value].data == YES for module in Module}
    try:
        with unit_of_work():
            changes = update_modules(wanted, opened_on=form.version.data, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return _page(form, refusal.status, refusal)
    return back_to(url_for("modules.edit"), _what_changed({name: new for name, (_old, new) in changes.items()}))


def _as_typed() -> dict[str, str]:
    return {name: YES if on else NO for name, on in get_switches(queries.get_current_establishment()).items()}


def _states() -> list[tuple[str, str]]:
    """Return each module and whether it is on, as people who may not switch it read it."""
    switches = get_switches(queries.get_current_establishment())
    return [(module.label, "activé" if switches[module.value] else "désactivé") for module in Module]


def _page(form: ModulesForm, status: int = 200, refusal: DomainError | None = None) -> ResponseReturnValue:
    return render_page(
        "settings/modules.html",
        form=form,
        read_only=not can(current_principal(), Permission.MODULES_SWITCH),
        states=_states(),
        conflict=explain(form, refusal, stored=_as_typed()),
        status=status,
        **settings_frame("modules"),
    )


def _what_changed(changes: dict[str, bool]) -> str:
    parts = []
    for on, word in ((True, "Activé"), (False, "Désactivé")):
        names = [Module(value).label for value, new in changes.items() if new is on]
        if names:
            parts.append(f"{word} : {join_french(names)}.")
    return " ".join(parts) or "Rien n’a changé : tout était déjà réglé ainsi."

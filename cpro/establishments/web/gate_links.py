"""What the gate requires, for display beside a button that cannot be used yet."""

from __future__ import annotations

from flask import url_for

from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import current_principal
from cpro.establishments.gate import missing_particulars
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment

_ASK = "Demandez à l’administrateur de l’établissement de compléter les renseignements."


def describe_missing() -> list[dict[str, str]]:
    """Return each missing particular, with the link to fill it in; an empty list means that the gate is open."""
    return [
        {
            "text": f"Il manque {each.label} de l’établissement.",
            "link_url": url_for("settings.establishment", _anchor=each.field),
            "link_label": "Compléter",
        }
        for each in missing_particulars(get_current_establishment())
    ]


def list_passport_obstacles() -> list[dict[str, str]]:
    """Return what prevents issuing passports, each with a link where the reader may act on it; [] when nothing does."""
    school, principal = get_current_establishment(), current_principal()
    if not is_module_on(school, Module.PASSPORT):
        leads = can(principal, Permission.MODULES_SWITCH)
        return [_reason("Le module « Passeport » est désactivé.", url_for("modules.edit") if leads else "", "Modules")]
    completes = can(principal, Permission.ESTABLISHMENT_EDIT)
    return [
        _reason(
            f"Il manque {each.label} de l’établissement.{'' if completes else f' {_ASK}'}",
            f"{url_for('settings.establishment')}#{each.field}" if completes else "",
            "Compléter",
        )
        for each in missing_particulars(school)
    ]


def _reason(text: str, url: str, label: str) -> dict[str, str]:
    return {"text": text, "link_url": url, "link_label": label}

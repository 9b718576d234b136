"""The tab Transferts: the reference required for transfers, and the switch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpro.audit.operations import differences
from cpro.core import events
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.permissions import Actor
from cpro.core.validators import normalise_cnil_reference
from cpro.establishments import queries
from cpro.establishments.models import CNILKind, Establishment
from cpro.establishments.operations.audit import record_about_school
from cpro.extensions import db


def get_switch_values(establishment: Establishment) -> dict[str, Any]:
    """Return the values of the tab for its form."""
    return {
        "cnil_kind": establishment.cnil_kind.value,
        "cnil_reference": establishment.cnil_reference,
        "transfers_enabled": establishment.transfers_enabled,
        "uses_siecle": establishment.uses_siecle,
    }


def update_transfers_switch(
    *,
    cnil_kind: str | None,
    cnil_reference: str,
    transfers_enabled: bool,
    uses_siecle: bool,
    opened_on: str | None,
    by: Actor,
    now: datetime,
) -> dict[str, tuple[Any, Any]]:
    """Save the switch of the current school and return what changed, {field: (old, new)}.

    `cnil_kind` is None when the kind of the reference was not chosen: the number of a declaration is recognised. Raises
    `FieldErrors` when the reference is malformed or transfers are switched on without one, `StaleForm` when another
    person saved since the form was `opened_on`. Announces `transfers_switched` inside the transaction.
    """
    reference = _checked_reference(cnil_kind, cnil_reference)
    if transfers_enabled and not reference:
        raise FieldErrors(
            {"cnil_reference": "Indiquez d’abord la référence : sans elle, les transferts ne peuvent pas être activés."}
        )
    establishment = queries.lock_current_establishment()
    before = get_switch_values(establishment)
    after = {
        "cnil_kind": cnil_kind or (CNILKind.DECLARATION.value if reference else before["cnil_kind"]),
        "cnil_reference": reference,
        "transfers_enabled": transfers_enabled,
        "uses_siecle": uses_siecle,
    }
    changes = differences(before, after)
    if not changes:
        return {}
    check_fresh(before, opened_on, changes)
    _assign(establishment, after)
    if "transfers_enabled" in changes:
        events.transfers_switched.send(establishment, enabled=transfers_enabled, by=by, now=now)
    record_about_school("establishment:transfers:changed", establishment, changes, by=by, now=now)
    return changes


def _checked_reference(kind: str | None, reference: str) -> str:
    try:
        return normalise_cnil_reference(reference, CNILKind(kind or CNILKind.DECLARATION.value).value)
    except ValueError:
        raise FieldErrors({"cnil_kind": "Choisissez : déclaration CNIL ou registre RGPD."}) from None
    except DomainError as refusal:
        unsaid = {"cnil_kind": "Choisissez d’abord la nature de la référence."} if kind is None else {}
        raise FieldErrors({**unsaid, "cnil_reference": refusal.message}) from None


def _assign(establishment: Establishment, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(establishment, name, CNILKind(value) if name == "cnil_kind" else value)
    db.session.flush()

"""French labels of the audited actions on a school and its settings."""

from __future__ import annotations

from cpro.audit import labels
from cpro.core.shown import labels_of
from cpro.core.validators import TIMEZONES
from cpro.establishments.models import CNILKind, Establishment, Module, PictureKind
from cpro.establishments.operations.particulars import RULES

#: The journal uses the labels of the form.
_PARTICULARS = labels_of(Establishment, RULES)
_SWITCH = labels_of(Establishment, ("cnil_kind", "cnil_reference", "transfers_enabled", "uses_siecle"))
_PROOF = {
    "head_email": "Adresse donnée pour le code du chef d’établissement",
    "teachers_consent": "Comptes d’enseignants qui attendent l’accord",
    "confirmed_email": "Adresse confirmée de l’établissement",
}
_MODULES = {module.value: f"Module {module.label}" for module in Module}


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    actions = {
        "establishment:created": "a créé l’établissement",
        "establishment:address:confirmed": "a confirmé l’adresse électronique de l’établissement",
        "establishment:address:refused": "a refusé la nouvelle adresse électronique de l’établissement",
        "establishment:head-email:set": "a indiqué où part le code du chef d’établissement",
        "establishment:modules:switched": "a activé ou désactivé des modules",
        "establishment:particulars:changed": "a modifié les renseignements de l’établissement",
        "establishment:teachers:consent": "a décidé si les comptes d’enseignants attendent son accord",
        "establishment:transfers:changed": "a modifié les réglages des transferts",
        "establishment:uai:corrected": "a corrigé le code UAI",
    }
    for kind in PictureKind:
        actions |= {
            f"picture:{kind.value}:deposited": f"a déposé le {kind.label}",
            f"picture:{kind.value}:deleted": f"a supprimé le {kind.label}",
            f"picture:{kind.value}:undone": f"a annulé le dernier changement du {kind.label}",
            f"picture:{kind.value}:restored": f"a rétabli le {kind.label}",
        }
    actions["picture:cachet:cleared"] = "a rendu transparent le blanc du cachet de l’établissement"
    labels.register(
        actions=actions,
        objects={"establishment": "Établissement", "picture": "Image", "settings": "Page des paramètres"},
        fields={
            "establishment": {**labels_of(Establishment, ("code",)), **_PROOF, **_PARTICULARS, **_SWITCH, **_MODULES},
            "picture": {"version": "Image n°"},
        },
        values={
            "establishment": {
                "cnil_kind": lambda kind: CNILKind(kind).label,
                "timezone": lambda zone: TIMEZONES.get(zone, zone),
            }
        },
    )

"""French labels of the audited actions on mandates."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "mandate:closed": "a fermé un accès inspecteur",
            "mandate:extended": "a prolongé un accès inspecteur",
            "mandate:opened": "a ouvert un accès inspecteur",
            "mandate:second-factor:reset": "a réinitialisé le second facteur d’un inspecteur",
        },
        objects={"mandate": "Accès inspecteur"},
        fields={
            "mandate": {
                "diplomas": "Diplômes",
                "email": "Adresse électronique",
                "ends_on": "Dernier jour",
                "purpose": "Objet",
                "reason": "Raison",
                "starts_on": "Premier jour",
            }
        },
    )

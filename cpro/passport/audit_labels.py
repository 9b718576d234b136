"""French labels of the audited actions on passports."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    counts = {"entries": "Éléments", "pages": "Pages", "passports": "Passeports"}
    labels.register(
        actions={
            "passport:issued": "a exporté un passeport",
            "passports:issued": "a exporté les passeports d’une division",
            "personal_data:exported": "a emporté ses données",
        },
        objects={"passport": "Passeport"},
        subjects={"passports": "Passeport", "personal_data": "Données personnelles"},
        fields={"passport": counts, "division": counts},
    )

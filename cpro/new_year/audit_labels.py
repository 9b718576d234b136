"""French labels of the audited actions on a new school year."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "new-year:finished": "a terminé la rentrée",
            "new-year:step:marked": "a pointé une étape de la rentrée",
            "new-year:step:unmarked": "a repris une étape de la rentrée",
        },
        objects={"new-year": "Rentrée"},
        fields={"new-year": {"mark": "Pointage", "steps": "Étapes"}},
    )

"""French labels of the audited actions on masks."""

from __future__ import annotations

from cpro.audit import labels
from cpro.masks.models import MaskKey


def register_audit_labels() -> None:
    """Register the audit labels of the feature; a field is labelled by its default wording, which never changes."""
    labels.register(
        actions={
            "masks:changed": "a modifié les masques de saisie",
            "masks:copied": "a copié des masques de saisie",
            "masks:reset": "a rétabli les intitulés d’origine",
        },
        objects={"masks": "Masques d’un diplôme"},
        fields={"masks": {key.value: f"« {key.default} »" for key in MaskKey}},
    )

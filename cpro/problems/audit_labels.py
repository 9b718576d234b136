"""French labels of the audited actions on problems."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "problem:described": "a décrit un problème à l’équipe qui administre CPro",
            "problem:handled": "a marqué comme traité un problème décrit",
            "problem:reopened": "a rouvert un problème décrit",
        },
        objects={"problem": "Problème décrit"},
        fields={"problem": {"number": "Code de la page d’erreur"}},
    )

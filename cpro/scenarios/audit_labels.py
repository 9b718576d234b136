"""French labels of the audited actions on scenarios: a scenario is named by number; never by its title or content."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "scenario:archived": "a archivé un scénario",
            "scenario:changed": "a modifié un scénario",
            "scenario:created": "a écrit un scénario",
            "scenario:duplicated": "a dupliqué un scénario",
            "scenario:restored": "a repris un scénario archivé",
        },
        objects={"scenario": "Scénario"},
        fields={"scenario": {"parts": "Parties modifiées", "copied_from": "Copie du scénario", "diploma": "Diplôme"}},
    )

"""French labels of the audited actions on the support's pages."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={"error:looked-up": "a cherché une page d’erreur par son code"},
        objects={"shown_error": "Page d’erreur", "support_state": "État des traitements"},
        subjects={"error": "Page d’erreur"},
    )

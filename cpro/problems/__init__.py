"""« Décrire un problème »: what somebody met, kept for the support and mailed to whoever runs the platform.

Words: a problem is *open* until somebody of the support says that it is *handled*, or again once it is *reopened*.
Invariants: a problem is of the platform: no school reads it, and its writer reads its number and its state alone; it is
forgotten thirty days after it was handled, and a hundred and eighty days after it was described anyhow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its page, the names of its actions, the nightly forgetting."""
    from cpro.problems import audit_labels
    from cpro.problems import jobs as _declared  # noqa: F401  # its handler, known once imported
    from cpro.problems.web import views

    app.register_blueprint(views.bp)
    audit_labels.register_audit_labels()

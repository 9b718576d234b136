"""« Décrire un problème »: a user's report, kept for the support and mailed to the platform's operator.

Terms: a problem is *open* until a member of the support marks it as *handled*, or again once it is *reopened*.
Invariants: a problem belongs to the platform: no school reads it, and its author only reads its number and its state;
it is deleted thirty days after it was handled, and in any case a hundred and eighty days after it was described.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its page, its audit labels, the nightly deletion."""
    from cpro.problems import audit_labels
    from cpro.problems import jobs as _declared  # noqa: F401  # its handler registers on import
    from cpro.problems.web import views

    app.register_blueprint(views.bp)
    audit_labels.register_audit_labels()

"""Scenarios: the training situations that teachers write for a diploma.

Terms: the six *worded fields* have the labels that the school's masks give them for that diploma. Rich text is stored
sanitised (`core.richtext`). Invariants: only its author and co-authors can change a scenario; the administrator, the
support and the pupils never see one, in any screen, export, journal line or message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its pages, its menu entry, its listeners to the events of lower features."""
    from cpro.scenarios import audit_labels
    from cpro.scenarios.web import hooks, views

    app.register_blueprint(views.bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)

"""Scenarios: the training situations that teachers write for a diploma.

Words: the six *worded fields* bear the labels that the school's masks give them for that diploma. Rich text is stored
sanitised (`core.richtext`). Invariants: a scenario is changed by its author and co-authors alone; the administrator,
the support and the pupils never see one, in any screen, export, journal line or message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its pages, its menu line, what it answers to the features below."""
    from cpro.scenarios import audit_labels
    from cpro.scenarios.web import hooks, views

    app.register_blueprint(views.bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)

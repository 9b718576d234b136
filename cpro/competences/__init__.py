"""Competences: what each diploma expects, in a numbered list.

Terms: a competence is identified in its diploma by its *code* (C1). National lists are shipped as files (`lists/`), the
same for all schools; a school also keeps lists for its own diplomas, deposited as such files or pasted from a
référentiel, whose *blocs* only give the order and are not stored. Invariant: a competence named by a record is never
deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its pages, its part of a diploma's page, its command."""
    from cpro.competences import audit_labels, commands, operations
    from cpro.competences.web import paste as _declared  # noqa: F401  # its views register on import
    from cpro.competences.web import views
    from cpro.core import events
    from cpro.core.web.registry import registry

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.group)
    app_registry = registry(app)
    app_registry.add_object_section(views.diploma_section)
    events.diploma_deletion_requested.connect(operations.forbid_deletion)
    audit_labels.register_audit_labels()

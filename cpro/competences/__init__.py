"""Competences: what each diploma expects, in a numbered list.

Words: a competence is known in its diploma by its *code* (C1). National lists are shipped as files (`lists/`) and the
same for all; a school keeps lists for its own diplomas beside them, deposited as such files or pasted from a
référentiel, whose *blocs* order what is read and are not kept. Invariant: a competence that a record names is never
deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its pages, its part of a diploma's page, its command."""
    from cpro.competences import audit_labels, commands, operations
    from cpro.competences.web import paste as _declared  # noqa: F401  # its views, known once imported
    from cpro.competences.web import views
    from cpro.core import events
    from cpro.core.web.registry import registry

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.group)
    app_registry = registry(app)
    app_registry.add_object_section(views.diploma_section)
    events.diploma_deletion_requested.connect(operations.forbid_deletion)
    audit_labels.register_audit_labels()

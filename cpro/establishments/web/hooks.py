"""Hooks of the feature: the school's data that other pages show, the history of a record."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.queries import find_last_change
from cpro.core import events
from cpro.core.formatting import DEFAULT_TIMEZONE, format_instant
from cpro.core.web.current_user import current_principal
from cpro.core.web.registry import registry
from cpro.establishments import queries
from cpro.establishments.web import history


def register_hooks(app: Flask) -> None:
    """Register the school's data that other pages show, and the history of a record."""
    events.stored_files_needed.connect(_pictures_needed)
    app_registry = registry(app)
    app_registry.timezone = _find_timezone
    app_registry.saved_by = _saved_by
    app_registry.add_object_section(history.record_section)


def _find_timezone() -> str:
    """Return the time zone of the current school; the default one for somebody who has not entered any."""
    principal = current_principal()
    if principal is not None and principal.establishment_id is None:
        return DEFAULT_TIMEZONE
    return queries.get_current_establishment().timezone


def _pictures_needed(sender: object, *, session: Session, now: datetime) -> set[str]:
    return queries.list_stored_names(session, since=now)


def _saved_by(object_type: str, object_id: object, field: str) -> tuple[str, str] | None:
    """Return who last changed a field and when, from the journal: « Chloé Martin », « 23/11/2026 à 14 h 30 »."""
    entry = find_last_change(object_type, object_id, field)
    if entry is None:
        return None
    return entry.actor_label, format_instant(entry.at, queries.get_current_establishment().timezone)

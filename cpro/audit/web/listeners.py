"""Listeners that record refused rights, and read-only actions announced by pages."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from cpro.audit.web import page_views
from cpro.core import clock, events
from cpro.core.permissions import SCHOOL_FREE, access_of
from cpro.core.web.current_user import current_principal, remote_address
from cpro.core.web.error_pages import show_database_failure
from cpro.core.web.pages import asks_for_headers
from cpro.core.web.registry import find_entry, registry

logger = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Connect the listeners of an application: its 403 answers, and `record_opened`, `search_made`, `exported`."""
    app.after_request(_record_refusal)
    app.after_request(_record_page_view)
    events.record_opened.connect(page_views.record_consultation)
    events.search_made.connect(page_views.record_search)
    events.exported.connect(_record_export)


def _record_export(sender: object, **details: Any) -> None:
    """Record an export, unless the file is not sent."""
    if not asks_for_headers():
        page_views.record_export(sender, **details)


def _record_refusal(response: Response) -> Response:
    """Record that a signed-in user was refused a right; the answer stays refused even if the line cannot be written."""
    if response.status_code != 403:
        return response
    principal = current_principal()
    if principal is not None:
        try:
            page_views.record_refusal(
                principal,
                title=_describe_page(),
                route=request.endpoint or "?",
                path=request.path,
                method=request.method,
                origin=remote_address(),
                now=clock.utcnow(),
            )
        except SQLAlchemyError:
            logger.exception("a refused right could not be written in the journal")
    return response


def _record_page_view(response: Response) -> Response:
    """Record each page of a school that an inspector consults; a page that cannot be recorded is not shown.

    Pages about the inspector alone (help, own account, the choice of a school) are not pages of the school.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    access = access_of(view)
    if response.status_code != 200 or access is None or access.permission is None or access.permission in SCHOOL_FREE:
        return response  # returned before loading the user, which a style sheet does not need
    principal = current_principal()
    if principal is not None and principal.establishment_id is not None:
        try:
            page_views.record_page_view(
                principal,
                title=_describe_page(),
                route=request.endpoint or "",
                address=request.full_path.rstrip("?"),
                origin=remote_address(),
                now=clock.utcnow(),
            )
        except OperationalError as error:
            return show_database_failure(error)
    return response


def _describe_page() -> str:
    """Return a label for the requested page: its list's title, or the menu line that it belongs to."""
    endpoint = request.endpoint or ""
    title: str = getattr(getattr(current_app.view_functions.get(endpoint), "__self__", None), "title", "")
    entry = find_entry(registry().menu, endpoint)
    return title or (entry.label if entry else request.path)

"""Audit lines of read-only pages: consultations by the support and inspectors, exports, refused rights.

Each line is written in its own platform unit of work: the request that reads may be forbidden to write. Never call
these functions inside an open unit of work: SQLite would deadlock on itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import g

from cpro.audit.operations import About, record
from cpro.audit.queries import find_last_by
from cpro.core.formatting import mask_ines
from cpro.core.permissions import Permission, Principal
from cpro.core.transactions import platform_unit_of_work

#: Window in which the same person opening the same settings page, or repeating a search, is recorded once.
QUIET = timedelta(minutes=10)
#: Window in which a right refused again on the same page is recorded once: a loop must not fill the journal.
REFUSAL_QUIET = timedelta(minutes=1)

#: Key in Flask's `g`: whether a line already records what this request consulted.
_RECORDED = "consultation_recorded"

Changes = dict[str, tuple[Any, Any]]


def record_consultation(
    sender: object,
    *,
    principal: Principal,
    object_type: str,
    object_id: str,
    object_label: str,
    origin: str,
    now: datetime,
    quiet: timedelta | None = None,
) -> None:
    """Record that a platform account opened a record of the school it entered; do nothing for other accounts.

    With `quiet`, reopening the same object within that time adds nothing, except for an inspector, each of whose
    consultations is recorded. An INE in the label is masked.
    """
    if principal.can(Permission.SCHOOL_CHOOSE):
        _record_once(
            "record:opened",
            principal,
            About(object_type, object_id, mask_ines(object_label)),
            origin=origin,
            now=now,
            quiet=_quiet_for(principal, quiet),
        )


def record_page_view(principal: Principal, *, title: str, route: str, address: str, origin: str, now: datetime) -> None:
    """Record that an inspector consulted a page of the school, unless this request already has its line.

    Each consultation is a line: the head reads them all from the mandate. An INE in the address is masked.
    """
    if principal.can(Permission.MANDATE_ENTER) and not g.get(_RECORDED):
        changes: Changes = {"address": (None, mask_ines(address)[:200])}
        _record_once(
            "page:opened", principal, About("page", route, mask_ines(title)), origin=origin, now=now, changes=changes
        )


def record_search(
    sender: object, *, principal: Principal, screen: str, sought: str, origin: str, now: datetime
) -> None:
    """Record a platform account's search in a list, once in ten minutes for the support; an INE is masked."""
    if principal.can(Permission.SCHOOL_CHOOSE):
        changes: Changes = {"sought": (None, mask_ines(sought))}
        _record_once(
            "list:searched",
            principal,
            About("list", screen, screen),
            origin=origin,
            now=now,
            changes=changes,
            quiet=_quiet_for(principal, QUIET),
        )


def record_export(
    sender: object, *, principal: Principal, screen: str, sought: str, file_format: str, origin: str, now: datetime
) -> None:
    """Record that a list was exported, whatever the role; an INE is masked."""
    changes: Changes = {"file_format": (None, file_format.upper())}
    if sought:
        changes["sought"] = (None, mask_ines(sought))
    _record_once("list:exported", principal, About("list", screen, screen), origin=origin, now=now, changes=changes)


def record_refusal(
    principal: Principal, *, title: str, route: str, path: str, method: str, origin: str, now: datetime
) -> None:
    """Record a refused right: page and address without form data, at most once a minute per person and route."""
    _record_once(
        "access:refused",
        principal,
        About("page", route, mask_ines(title)),
        origin=origin,
        now=now,
        changes={"method": (None, method), "address": (None, mask_ines(path)[:200])},
        quiet=REFUSAL_QUIET,
        same_changes=False,
    )


def _quiet_for(principal: Principal, quiet: timedelta | None) -> timedelta | None:
    """Return the time in which a repeat is not recorded: None for an inspector."""
    return None if principal.can(Permission.MANDATE_ENTER) else quiet


def _record_once(
    action: str,
    principal: Principal,
    about: About,
    *,
    origin: str,
    now: datetime,
    changes: Changes | None = None,
    quiet: timedelta | None = None,
    same_changes: bool = True,
) -> None:
    """Write a line in the journal of the current school, unless the person's last one about it is recent enough."""
    actor = principal.acting_from(origin)
    setattr(g, _RECORDED, True)
    with platform_unit_of_work(f"journal: {action}") as work:
        if quiet is not None:
            last = find_last_by(
                work.session,
                actor,
                action,
                establishment_id=principal.establishment_id,
                object_type=about.object_type,
                object_id=str(about.object_id)[:64],
                since=now - quiet,
                changes={name: list(pair) for name, pair in (changes or {}).items()} if same_changes else None,
            )
            if last is not None:
                return
        record(
            action,
            about,
            by=actor,
            now=now,
            changes=changes,
            establishment_id=principal.establishment_id,
            session=work.session,
        )

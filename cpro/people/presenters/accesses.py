"""The page « Qui a accès »: inspectors, accounts that lead or administer the school, visits of the support.

Each part is visible to people who may read its source page, and shows no more than that page does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.audit.visits import Visit, find_last_seen, list_support_visits
from cpro.core import clock
from cpro.core.clock import today_in
from cpro.core.errors import refusal_of
from cpro.core.formatting import format_date, format_day_of, format_instant, plural
from cpro.core.lists import disambiguate
from cpro.core.permissions import Permission, Role, roles_with
from cpro.core.web.current_user import current_actor, may
from cpro.core.web.registry import registry
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.inspectors.models import SOON, Mandate, MandateState
from cpro.inspectors.queries import list_open_mandates, list_past_mandates
from cpro.inspectors.web.presenters import describe_diplomas
from cpro.users.emergency.queries import list_open_locks, list_shut_out
from cpro.users.models import Account
from cpro.users.operations import consent
from cpro.users.queries import list_reading_school, list_support_inside

#: Maximum rows of each table; the lists that the page links to show them all.
_SHOWN = 50
_VISITS_SHOWN = 20
#: Maximum number of objects named for one visit.
_OPENED_SHOWN = 12
_MONTH = timedelta(days=31)
#: What a role may read, by permission, in display order.
_READ = (
    (Permission.SCHOOL_RECORDS_READ, "travaux des apprenants"),
    (Permission.STUDENTS_VIEW, "élèves et divisions"),
    (Permission.USERS_VIEW, "comptes"),
    (Permission.ESTABLISHMENT_VIEW, "réglages"),
    (Permission.JOURNAL_VIEW, "journal"),
)
_REOPENED = "une fois l’accès rouvert"
#: What was done where a page or a list was not simply opened, by action.
_DONE = {"access:refused": "Accès refusé", "list:exported": "Export"}
_STATE_LEVELS = {"actif": "ok", "jamais activé": "info", "attend l’accord du chef": "warning", "fermé": "blocked"}


@dataclass(frozen=True)
class Access:
    """One row of a table."""

    name: str
    #: the name with what distinguishes the row from a namesake
    distinct_name: str
    detail: str
    state: str
    #: the display level of the state: ok, info, warning or blocked
    level: str
    #: the scope: diplomas and days, or the role
    open_to: str
    #: what the role may read, now or once something has happened
    reads: str
    last_seen: str
    #: the actions available to the reader: label, URL
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ShownVisit:
    """One visit of the support."""

    name: str
    entered: str
    left: str
    opened: Sequence[str]
    #: how many other objects were opened, as text; "" if all are named
    more: str
    #: the URL of the visit's audit entries
    url: str


def describe_page() -> dict[str, Any]:
    """Return the context of the page; a part that the person may not read is None."""
    return {
        "today": format_date(_today()),
        "inspectors": _list_inspectors() if may(Permission.MANDATES_VIEW) else None,
        "past": _list_past() if may(Permission.MANDATES_VIEW) else None,
        "support_reads": "\u202f; ".join(describe_reading(each) for each in roles_with(Permission.SCHOOLS_ENTER)),
        "module_is_on": is_module_on(get_current_establishment(), Module.INSPECTORS),
        "mandates_url": _mandates_url(),
        "accounts": _list_accounts() if may(Permission.USERS_VIEW) else None,
        "may_close": may(Permission.EMERGENCY_LOCK),
        "visits": _list_visits() if may(Permission.JOURNAL_VIEW) else None,
        "visits_since": format_day_of(_month_ago(), registry().timezone()),
        "most": _SHOWN,
        "most_visits": _VISITS_SHOWN,
    }


def _mandates_url() -> str:
    """Return the URL where accesses are opened, or only listed, depending on the person's permissions."""
    return url_for("inspectors.index" if may(Permission.MANDATES_EXPLAIN) else "mandats.index_view")


def describe_reading(role: Role) -> str:
    """Return what a role may read of the school, stating if pupils' work is excluded."""
    read = ", ".join(words for permission, words in _READ if role.can(permission))
    return read if role.can(Permission.SCHOOL_RECORDS_READ) else f"{read}\u202f; pas les travaux des apprenants"


def _describe_reading_once(reading: str, event: str) -> str:
    """Return what may be read now, or, if an event must come first, that nothing is until then."""
    return f"rien pour l’instant\u202f; {event}\u202f: {reading}" if event else reading


def _find_mandate_wait(mandate: Mandate, *, is_closed: bool) -> str:
    if is_closed:
        return _REOPENED
    return "dès le premier jour" if mandate.state_on(_today()) is MandateState.TO_COME else ""


def _find_account_wait(account: Account, *, is_closed: bool) -> str:
    """Return what must happen before an account may sign in, "" if it may."""
    if is_closed:
        return _REOPENED
    return "" if account.may_sign_in else "une fois l’accord donné"


def _inspectors_read() -> str:
    return "\u202f; ".join(describe_reading(each) for each in roles_with(Permission.MANDATE_ENTER))


def _list_past() -> list[Access]:
    """Return the mandates that were recently closed or ended."""
    mandates = list_past_mandates(_month_ago(), _today(), limit=_SHOWN)
    seen = find_last_seen({each.inspector_id for each in mandates}) if may(Permission.CONSULTATIONS_VIEW) else {}
    names = disambiguate([each.inspector_name for each in mandates], [each.id for each in mandates])
    return [
        Access(
            name=each.inspector_name,
            distinct_name=f"{name} (passé)",
            detail=each.purpose,
            state=f"fermé le {_instant(each.closed_at)}" if each.closed_at else "terminé",
            level="info",
            open_to=_open_to(each),
            reads="plus rien",
            last_seen=_instant(seen.get(each.inspector_id)),
            links=_consultations_of(each),
        )
        for each, name in zip(mandates, names, strict=True)
    ]


def _list_inspectors() -> list[Access]:
    mandates = list_open_mandates(_today(), limit=_SHOWN)
    seen = find_last_seen({each.inspector_id for each in mandates}) if may(Permission.CONSULTATIONS_VIEW) else {}
    is_closed = any(lock.role.can(Permission.MANDATE_ENTER) for lock in list_open_locks())
    names = disambiguate([each.inspector_name for each in mandates], [each.id for each in mandates])
    return [
        _describe_mandate(each, name, seen.get(each.inspector_id), is_closed=is_closed)
        for each, name in zip(mandates, names, strict=True)
    ]


def _describe_mandate(mandate: Mandate, distinct_name: str, last_seen: datetime | None, *, is_closed: bool) -> Access:
    state, level = _state_of(mandate, is_closed=is_closed)
    return Access(
        name=mandate.inspector_name,
        distinct_name=distinct_name,
        detail=mandate.purpose,
        state=state,
        level=level,
        open_to=_open_to(mandate),
        reads=_describe_reading_once(_inspectors_read(), _find_mandate_wait(mandate, is_closed=is_closed)),
        last_seen=_instant(last_seen),
        links=_links_on(mandate),
    )


def _state_of(mandate: Mandate, *, is_closed: bool) -> tuple[str, str]:
    """Return the state of a mandate as text, and its display level."""
    today = _today()
    if is_closed:
        return "fermé d’urgence", "blocked"
    if mandate.state_on(today) is MandateState.TO_COME:
        return MandateState.TO_COME.label, "info"
    if mandate.ends_on - today > SOON:
        return MandateState.RUNNING.label, "ok"
    return describe_end(mandate.ends_on, today), "warning"


def describe_end(ends_on: date, today: date) -> str:
    """Return how soon a running access ends."""
    days = (ends_on - today).days
    return f"se termine dans {plural(days, 'jour', 'jours')}" if days else "se termine aujourd’hui"


def _open_to(mandate: Mandate) -> str:
    return f"{describe_diplomas(mandate)}, du {format_date(mandate.starts_on)} au {format_date(mandate.ends_on)}"


def _links_on(mandate: Mandate) -> list[tuple[str, str]]:
    """Return the actions available to the person on a mandate that is not over."""
    links = _consultations_of(mandate)
    if may(Permission.MANDATES_MANAGE):
        if is_module_on(get_current_establishment(), Module.INSPECTORS):
            links.append(("Prolonger", url_for("inspectors.extend", mandate_id=mandate.id)))
        links.append(("Fermer", url_for("inspectors.close", mandate_id=mandate.id)))
    return links


def _consultations_of(mandate: Mandate) -> list[tuple[str, str]]:
    if not may(Permission.CONSULTATIONS_VIEW):
        return []
    return [("Consultations", url_for("inspectors.consultations", mandate_id=mandate.id))]


def _list_accounts() -> list[Access]:
    accounts = list_reading_school(limit=_SHOWN)
    names = disambiguate([each.label for each in accounts], [each.id for each in accounts])
    closed = list_shut_out([each.id for each in accounts])
    revocable = consent.list_revocable(accounts, current_actor()) if may(Permission.USERS_CONSENT) else set()
    return [
        _describe_account(each, name, is_closed=each.id in closed, is_revocable=each.id in revocable)
        for each, name in zip(accounts, names, strict=True)
    ]


def _describe_account(account: Account, distinct_name: str, *, is_closed: bool, is_revocable: bool) -> Access:
    state = "fermé" if is_closed else account.state
    since = format_day_of(account.activated_at or account.created_at, registry().timezone())
    return Access(
        name=account.label,
        distinct_name=distinct_name,
        detail=account.login,
        state="fermé d’urgence" if is_closed else state,
        level=_STATE_LEVELS[state],
        open_to=f"{account.role.label}, depuis le {since}",
        reads=_describe_reading_once(describe_reading(account.role), _find_account_wait(account, is_closed=is_closed)),
        last_seen=_instant(account.last_sign_in_at),
        links=_links_on_account(account, is_revocable=is_revocable),
    )


def _links_on_account(account: Account, *, is_revocable: bool) -> list[tuple[str, str]]:
    """Return the actions available to the person on an account; its own page has the others."""
    links = [("Voir le compte", url_for("utilisateurs.details_view", id=account.id))]
    url = url_for("utilisateurs.consent_view", id=account.id)
    if may(Permission.USERS_CONSENT) and account.is_pending:
        if refusal_of(consent.check_consent, account, current_actor()) is None:
            links.append(("Donner mon accord", url))
    elif is_revocable:
        links.append(("Retirer mon accord", url))
    return links


def _list_visits() -> list[ShownVisit]:
    visits = list_support_visits(_month_ago(), limit=_VISITS_SHOWN)
    inside = list_support_inside(get_current_establishment().id, now=clock.utcnow()) if visits else set()
    shown = []
    for visit in visits:  # latest first: a person currently inside is in their latest visit
        actor_id = visit.entered.actor_id
        shown.append(_describe_visit(visit, is_inside=actor_id in inside and visit.left_at is None))
        inside.discard(actor_id or 0)
    return shown


def _describe_visit(visit: Visit, *, is_inside: bool) -> ShownVisit:
    opened = list(dict.fromkeys(_name_opened(line) for line in visit.lines))
    beyond = len(opened) - _OPENED_SHOWN
    day = today_in(registry().timezone(), visit.entered.at).isoformat()
    return ShownVisit(
        name=labels.actor_name(visit.entered),
        entered=_instant(visit.entered.at),
        left="encore présent" if is_inside else _instant(visit.left_at) or "à la fin de sa session",
        opened=opened[:_OPENED_SHOWN],
        more=_name_rest(beyond, is_cut=visit.is_cut),
        url=url_for("journal.index_view", personne=f"platform:{visit.entered.actor_id}", du=day, au=day),
    )


def _name_rest(beyond: int, *, is_cut: bool) -> str:
    """Return how many unnamed objects were opened; for a visit that was only partly read, refer to its journal."""
    if is_cut:
        return "d’autres pages encore, dans le journal"
    return plural(beyond, "autre page", "autres pages") if beyond > 0 else ""


def _name_opened(line: AuditEntry) -> str:
    """Return what an audit entry reports: what was done to a page or list, or the kind of a record, then its name."""
    kind = _DONE.get(line.action) or labels.object_type_label(line.object_type)
    if line.action == "list:searched" and line.changes.get("sought", (None, ""))[1]:
        kind = "Recherche"
    name = labels.object_label(line, masked=not may(Permission.INE_READ))
    return kind if kind == name else f"{kind}\u202f: {name}"


def _instant(instant: datetime | None) -> str:
    return format_instant(instant, registry().timezone())


def _month_ago() -> datetime:
    return clock.utcnow() - _MONTH


def _today() -> date:
    return today_in(registry().timezone(), clock.utcnow())

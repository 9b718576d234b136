"""The incident sheet of a closing: what was done, and the audit figures required to notify the CNIL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import current_app

from cpro.audit.queries import Figures, count_actions
from cpro.core import clock
from cpro.core.clock import start_of
from cpro.core.documents import render_pdf
from cpro.core.errors import DomainError
from cpro.core.formatting import format_count, format_date, format_instant
from cpro.core.mail import public_link
from cpro.core.parsing import read_day
from cpro.core.storage import FileStorage
from cpro.core.web.current_user import current_actor
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.passport.letterhead import Letterhead, get_letterhead
from cpro.people.presenters.emergency import LOOKS_BACK
from cpro.students.queries import count_active_students
from cpro.users.emergency.messages import name_roles
from cpro.users.emergency.models import RoleLock
from cpro.users.emergency.queries import Incident

#: The deadline for notifying a violation once it is known (RGPD, article 33).
_NOTICE = timedelta(hours=72)
#: The first questions after a theft, as audit actions; shown even if there are none.
_FACTS = {
    "Sessions ouvertes": ("account:signed-in", "school:entered"),
    "Pages et fiches consultées par un inspecteur": ("page:opened", "record:opened", "list:searched"),
    "Listes exportées": ("list:exported",),
    "Passeports exportés, un par un ou par division": ("passport:issued", "passports:issued"),
    "Données d’un apprenant emportées par lui": ("personal_data:exported",),
    "Fiches d’activation préparées": ("accounts:sheets:drawn", "accounts:sheets:reset"),
    "Mots de passe choisis": ("account:password:changed",),
    "Comptes modifiés": ("account:changed", "account:address:confirmed"),
    "Pages refusées faute de droit": ("access:refused",),
}
_OTHERS = "Autres actions"
_REFUSED_SIGN_INS = "account:sign-in-refused"


def read_first_day(incident: Incident, typed: str) -> date:
    """Return the first day covered by the sheet: the typed one, or three days before the closing.

    Raises `DomainError` for an invalid day, or one after the closing.
    """
    locked_on = get_school_today(incident.locked_at)
    if not typed.strip():
        return locked_on - LOOKS_BACK
    day = read_day(typed)
    if day is None or day > locked_on:
        raise DomainError(
            f"Indiquez un jour jusqu’au {format_date(locked_on)}, celui de la fermeture\u202f: par exemple "
            f"{format_date(locked_on - LOOKS_BACK)}."
        )
    return day


def render_incident_sheet(incident: Incident, *, since: date) -> bytes:
    """Return the incident sheet of a closing in the current school, as a PDF/UA-1."""
    school = get_current_establishment()
    storage = FileStorage(current_app.config["CPRO_UPLOADS"])
    letterhead = get_letterhead(school, storage=storage, check_url=public_link("/verifier"))
    data = incident_data(incident, school, letterhead, since=since, now=clock.utcnow())
    pictures = {letterhead.logo.file: letterhead.logo.content} if letterhead.logo else {}
    return render_pdf("people/incident.typ", data, pictures=pictures)


def incident_data(
    incident: Incident, school: Establishment, letterhead: Letterhead, *, since: date, now: datetime
) -> dict[str, object]:
    """Return the template's data: figures, and no name except those of who closed and reopened."""
    timezone, logo = school.timezone, letterhead.logo
    alt = f"Logo de l’établissement {school.name}"
    first = start_of(since, timezone)
    return {
        "school": {
            "name": school.name or school.code,
            "lines": [*([f"UAI {letterhead.uai}"] if letterhead.uai else []), *letterhead.address],
        },
        "logo": {
            "file": logo.file,
            "width": logo.width,
            "height": logo.height,
            "alt": alt,
        }
        if logo
        else None,
        "locked_at": format_instant(incident.locked_at, timezone),
        "done": [
            ["Fermé le", format_instant(incident.locked_at, timezone)],
            ["Fermé par", incident.locked_by],
            ["Rôles fermés", name_roles(incident.roles)],
            ["Comptes fermés", format_count(incident.accounts)],
            ["Sessions terminées", format_count(incident.sign_ins)],
            ["Codes annulés", format_count(incident.codes)],
            *([f"Réouverture, {lock.role.people}", _describe_reopened(lock, timezone)] for lock in incident.locks),
        ],
        "since": format_instant(first, timezone),
        "facts": _list_facts(incident, first),
        "notice": [
            ["À notifier avant le", format_instant(incident.locked_at + _NOTICE, timezone)],
            ["Apprenants présents dans l’établissement", format_count(count_active_students())],
            ["Délégué à la protection des données", school.dpd_name],
            ["Son adresse", school.dpd_email],
        ],
        "printed": f"{format_instant(now, timezone)} par {current_actor().label}",
    }


def _describe_reopened(lock: RoleLock, timezone: str) -> str:
    if lock.reopened_at is None:
        return "toujours fermé"
    return f"le {format_instant(lock.reopened_at, timezone)}, par {lock.reopened_by}"


def _list_facts(incident: Incident, first: datetime) -> list[list[str]]:
    """Return the rows of the table: what, how many times, how many people, from how many network addresses."""
    closed = count_actions([role.value for role in incident.roles], since=first, until=incident.locked_at)
    strangers = count_actions(["anonymous"], since=first, until=incident.locked_at)
    named = {action for actions in _FACTS.values() for action in actions}
    rest = tuple(action for action in closed if action not in named)
    lines = [_line(label, closed, actions) for label, actions in (*_FACTS.items(), (_OTHERS, rest))]
    return [*lines, _line("Séries d’essais de connexion refusés (tous rôles)", strangers, (_REFUSED_SIGN_INS,))]


def _line(label: str, figures: Mapping[str, Figures], actions: tuple[str, ...]) -> list[str]:
    found = [figures.get(action, Figures()) for action in actions] or [Figures()]
    # People and addresses of several actions overlap: the highest count of one action is a safe minimum.
    counts = (sum(each.lines for each in found), max(e.people for e in found), max(e.origins for e in found))
    return [label, *map(format_count, counts)]

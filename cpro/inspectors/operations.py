"""Open, extend and close a mandate: actions reserved to the head.

Opening writes school rows (the mandate and its audit entry) and possibly platform rows (the inspector's account and its
code). They must be written together, so both are in the transaction of one platform session: only this feature does so,
and it names the school in every statement. The other two actions write only the school's rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.clock import last_day_of_school_year, today_in
from cpro.core.concurrency import check_fresh
from cpro.core.errors import Conflict, DomainError, FieldErrors, Forbidden, check_no_error
from cpro.core.formatting import format_date
from cpro.core.mail import Mail, enqueue
from cpro.core.mail.queries import select_times_written_about
from cpro.core.parsing import read_day
from cpro.core.permissions import Actor, Permission
from cpro.core.rate_limits import HOUR, RateLimit
from cpro.core.transactions import lock_schools
from cpro.core.validators import clean_mailed_text, normalise_email, read_line
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.extensions import db
from cpro.inspectors import messages, queries
from cpro.inspectors.models import Mandate, MandateDiploma, MandateState
from cpro.students.models import Diploma
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import accounts, codes
from cpro.users.roles import INSPECTOR

#: Academies and academic regions (including overseas), ministries (agriculture and the sea also have schools), and the
#: addresses reserved for demonstrations and tests (RFC 2606).
_ACADEMIC = re.compile(
    r"[^@]+@(?:[a-z0-9-]+\.)*(?:(?:ac|region-academique)-[a-z0-9-]+\.[a-z]{2}|gouv\.fr|[a-z0-9-]+\.example)"
)
_NOT_ACADEMIC = (
    "Indiquez l’adresse académique de la personne, par exemple prenom.nom@ac-lyon.fr : un accès inspecteur ne s’ouvre "
    "pas vers une autre adresse."
)


_MOST_OPENED, _MOST_WRITTEN = 20, 5
#: The mandates that a school may open: each sends a message outside the school.
_OPENING_LIMIT = RateLimit(
    _MOST_OPENED,
    HOUR,
    f"Votre établissement a ouvert {_MOST_OPENED} accès depuis une heure\u202f: celui-ci n’est pas ouvert. Ce que "
    "vous avez saisi est encore dans la page\u202f; réessayez dans {wait}.",
)
#: The messages about a mandate after which it is no longer extended; it may always be closed.
_EXTENSION_LIMIT = RateLimit(
    _MOST_WRITTEN,
    HOUR,
    f"{_MOST_WRITTEN} messages sont partis à cette personne depuis une heure\u202f: l’accès n’est pas prolongé. La "
    "date que vous avez choisie est encore dans la page\u202f; réessayez dans {wait}. Le fermer reste possible.",
)


class OnlyTheHead(Forbidden):
    """Raised when anyone but a head in place acts on a mandate."""

    message = "Seul le chef d’établissement ouvre, prolonge et ferme un accès inspecteur."


class ModuleOff(Conflict):
    """Raised on opening or extending a mandate while the module is switched off."""

    message = (
        "Le module « Accès inspecteur » est désactivé : réactivez-le d’abord, dans l’onglet Modules des paramètres."
    )


class MandateOver(DomainError):
    """Raised on extending or closing a mandate that is closed or ended."""


def open_mandate(
    session: Session,
    *,
    establishment_id: int,
    name: str,
    email: str,
    diploma_codes: Sequence[str],
    starts_on: str,
    ends_on: str,
    purpose: str,
    by: Actor,
    now: datetime,
) -> Mandate:
    """Open a mandate in a school, in a platform session; days are yyyy-mm-dd, no diploma code means all of them.

    An inspector unknown to the platform gets an account and a one-time invitation, any other only the message about the
    mandate: the school sees no difference. Raises `OnlyTheHead`, `ModuleOff`, `FieldErrors`, `LimitReached`.
    """
    lock_schools(session, [establishment_id, None])  # None: the inspector's account belongs to the platform
    school = session.get_one(Establishment, establishment_id, populate_existing=True)
    _refuse_all_but_the_head(session, school, by)
    _refuse_module_off(school)
    errors: dict[str, str] = {}
    typed_name = read_line(
        {"name": name}, "name", 150, errors, required="Indiquez le nom de l’inspecteur.", clean=clean_mailed_text
    )
    address = _academic_address(email, errors)
    first, last = _days(starts_on, ends_on, today_in(school.timezone, now), errors)
    aim = read_line(
        {"purpose": purpose},
        "purpose",
        300,
        errors,
        clean=clean_mailed_text,
        required="Indiquez l’objet de l’accès : il est dit à l’inspecteur.",
    )
    diplomas = _diplomas(session, school.id, diploma_codes, errors)
    account = _find_inspector(session, address, errors) if address else None
    if account is not None and not {"starts_on", "ends_on"} & errors.keys():
        _refuse_overlap(session, account.id, school.id, first, last, errors)
    check_no_error(errors)
    _OPENING_LIMIT.check(session, queries.select_times_opened(school.id), now=now)
    if account is None:
        account = _create_inspector(session, address, typed_name, by=by, now=now)
    mandate = Mandate(
        establishment_id=school.id,
        inspector_id=account.id,
        inspector_name=typed_name,
        email=address,
        all_diplomas=not diplomas,
        starts_on=first,
        ends_on=last,
        purpose=aim,
        opened_at=now,
        opened_by_id=by.id,
        opened_by_label=by.label,
    )
    session.add(mandate)
    session.flush()
    session.add_all(
        MandateDiploma(establishment_id=school.id, mandate_id=mandate.id, diploma_id=each.id) for each in diplomas
    )
    session.flush()
    labels = [each.short_label for each in diplomas]
    record(
        "mandate:opened",
        About("mandate", mandate.id, typed_name),
        by=by,
        now=now,
        changes={
            "email": (None, address),
            "diplomas": (None, labels or "tous les diplômes"),
            "starts_on": (None, first.isoformat()),
            "ends_on": (None, last.isoformat()),
            "purpose": (None, aim),
        },
        establishment_id=school.id,
        session=session,
    )
    invited = account.activated_at is None and account.is_active
    code = codes.create_invitation_code(session, account, now=now) if invited else None
    _send(messages.opening(mandate, school, labels, code=code), mandate, session=session, by=by, now=now)
    return mandate


def extension_values(mandate: Mandate) -> dict[str, str]:
    """Return the initial values of the extension form."""
    return {"ends_on": mandate.ends_on.isoformat()}


def extend_mandate(mandate: Mandate, *, ends_on: str, opened_on: str | None = None, by: Actor, now: datetime) -> None:
    """Set a later last day, within the school year of the mandate's first day, in the session of the school.

    Raises `OnlyTheHead`, `ModuleOff`, `MandateOver`, `FieldErrors`, `LimitReached`, and `StaleForm` if the mandate was
    extended since the form was `opened_on`.
    """
    school = _lock(mandate, by)
    check_fresh(extension_values(mandate), opened_on)
    check_extension(mandate, by, now=now)
    errors: dict[str, str] = {}
    last = _day(ends_on, "ends_on", errors)
    if last is not None and last <= mandate.ends_on:
        errors["ends_on"] = f"Choisissez un jour après le {format_date(mandate.ends_on)}, le dernier jour actuel."
    elif last is not None:
        _refuse_beyond_year(mandate.starts_on, last, errors)
        _refuse_overlap(
            db.session(), mandate.inspector_id, school.id, mandate.starts_on, last, errors, besides=mandate.id
        )
    if errors or last is None:
        raise FieldErrors(errors)
    _EXTENSION_LIMIT.check(db.session(), select_times_written_about(school.id, "mandate", mandate.id), now=now)
    before, mandate.ends_on = mandate.ends_on, last
    _record("mandate:extended", mandate, {"ends_on": (before.isoformat(), last.isoformat())}, by=by, now=now)
    _send(messages.extension(mandate, school), mandate, session=db.session(), by=by, now=now)


def close_mandate(mandate: Mandate, *, reason: str, by: Actor, now: datetime) -> None:
    """Close a mandate immediately, before or while it runs, in the session of the school.

    Raises `OnlyTheHead`, `MandateOver`, and `FieldErrors` without a reason.
    """
    school = _lock(mandate, by)
    check_closure(mandate, by, now=now)
    errors: dict[str, str] = {}
    typed = read_line(
        {"reason": reason}, "reason", 300, errors, required="Indiquez la raison : elle reste dans votre établissement."
    )
    check_no_error(errors)
    mandate.closed_at, mandate.closed_by_label, mandate.closing_reason = now, by.label, typed
    _record("mandate:closed", mandate, {"reason": (None, typed)}, by=by, now=now)
    _send(messages.closing(mandate, school), mandate, session=db.session(), by=by, now=now)


# --- Rules ---------------------------------------------------------------------------------------------------------


def check_extension(mandate: Mandate, by: Actor, *, now: datetime) -> None:
    """Raise as `extend_mandate` does if a mandate cannot be extended, regardless of the day."""
    _refuse_module_off(get_current_establishment())
    check_closure(mandate, by, now=now)


def check_closure(mandate: Mandate, by: Actor, *, now: datetime) -> None:
    """Raise as `close_mandate` does if a mandate cannot be closed, regardless of the reason."""
    school = get_current_establishment()
    _refuse_all_but_the_head(db.session(), school, by)
    _refuse_over(mandate, school, now)


def _lock(mandate: Mandate, by: Actor) -> Establishment:
    """Lock the school until the commit, refresh the mandate under that lock, and return the school."""
    school = lock_current_establishment()
    db.session.refresh(mandate)
    _refuse_all_but_the_head(db.session(), school, by)
    return school


def _refuse_all_but_the_head(session: Session, school: Establishment, by: Actor) -> None:
    actor = session.get(Account, by.id) if by.kind == "account" and by.id else None
    is_head = actor is not None and actor.can(Permission.MANDATES_MANAGE) and actor.may_sign_in
    if not is_head or actor is None or actor.establishment_id != school.id:
        raise OnlyTheHead


def _refuse_module_off(school: Establishment) -> None:
    if not is_module_on(school, Module.INSPECTORS):
        raise ModuleOff


def _refuse_over(mandate: Mandate, school: Establishment, now: datetime) -> None:
    state = mandate.state_on(today_in(school.timezone, now))
    if state is MandateState.CLOSED:
        raise MandateOver("Cet accès est déjà fermé.")
    if state is MandateState.ENDED:
        raise MandateOver(f"Cet accès a pris fin le {format_date(mandate.ends_on)} : ouvrez-en un nouveau au besoin.")


def _refuse_beyond_year(first: date, last: date, errors: dict[str, str]) -> None:
    limit = last_day_of_school_year(first)
    if last > limit:
        errors["ends_on"] = (
            f"Un accès dure au plus une année scolaire : celui-ci peut aller jusqu’au {format_date(limit)}."
        )


def _refuse_overlap(
    session: Session,
    inspector_id: int,
    establishment_id: int,
    first: date,
    last: date,
    errors: dict[str, str],
    *,
    besides: int | None = None,
) -> None:
    """Refuse a second mandate over the same days, so that each consultation belongs to exactly one mandate."""
    other = queries.find_overlapping(
        session, inspector_id, establishment_id=establishment_id, starts_on=first, ends_on=last, besides=besides
    )
    if other is not None:
        errors["ends_on" if besides else "email"] = (
            f"Un accès est déjà ouvert à cette personne du {format_date(other.starts_on)} au "
            f"{format_date(other.ends_on)} : prolongez-le, ou fermez-le d’abord."
        )


def _days(first_typed: str, last_typed: str, today: date, errors: dict[str, str]) -> tuple[date, date]:
    """Return the two days, today for an unreadable one; add what is wrong with them to `errors`."""
    first, last = _day(first_typed, "starts_on", errors), _day(last_typed, "ends_on", errors)
    if first is not None and first > date(last_day_of_school_year(today).year + 1, 8, 31):
        errors["starts_on"] = "Un accès s’ouvre pour cette année scolaire ou la suivante."
    elif last is not None and last < today:
        errors["ends_on"] = "Ce jour est passé."
    elif first is not None and last is not None and last < first:
        errors["ends_on"] = "Le dernier jour vient avant le premier."
    elif first is not None and last is not None:
        _refuse_beyond_year(first, last, errors)
    return first or today, last or today


def _day(typed: str, field: str, errors: dict[str, str]) -> date | None:
    day = read_day(typed)
    if day is None:
        errors[field] = "Indiquez un jour, par exemple 23/11/2026."
    return day


def _academic_address(typed: str, errors: dict[str, str]) -> str:
    try:
        address = normalise_email(typed).lower()
    except DomainError as refusal:
        errors["email"] = refusal.message
        return ""
    if not address:
        errors["email"] = "Indiquez l’adresse académique de l’inspecteur."
    elif not _ACADEMIC.fullmatch(address):
        errors["email"] = _NOT_ACADEMIC
    return address if "email" not in errors else ""


def _diplomas(
    session: Session, establishment_id: int, typed: Sequence[str], errors: dict[str, str]
) -> Sequence[Diploma]:
    """Return the diplomas of some codes, preferring the school's own to a national one of the same code."""
    found: dict[str, Diploma] = {}
    wanted = {code.strip() for code in typed if code.strip()}
    for diploma in session.scalars(
        select(Diploma)
        .where(
            Diploma.code.in_(wanted),
            Diploma.establishment_id.is_(None) | (Diploma.establishment_id == establishment_id),
        )
        .order_by(Diploma.establishment_id.is_not(None), Diploma.id)
    ):
        found[diploma.code] = diploma
    if wanted - found.keys():
        errors["diplomas"] = "Un des diplômes choisis n’existe plus : choisissez à nouveau."
    return sorted(found.values(), key=lambda each: each.short_label)


def _find_inspector(session: Session, address: str, errors: dict[str, str]) -> PlatformAccount | None:
    """Return the inspector's account of an address; a support address is refused like any unsuitable one."""
    account = session.scalars(select(PlatformAccount).where(PlatformAccount.email == address)).one_or_none()
    if account is not None and not account.can(Permission.MANDATE_ENTER):
        errors["email"] = _NOT_ACADEMIC
        return None
    return account


def _create_inspector(session: Session, address: str, name: str, *, by: Actor, now: datetime) -> PlatformAccount:
    """Create the account; if another school has just created it, return that one."""
    try:
        with session.begin_nested():
            return accounts.create_platform_account(session, email=address, role=INSPECTOR, name=name, by=by, now=now)
    except (IntegrityError, DomainError):
        return session.scalars(select(PlatformAccount).where(PlatformAccount.email == address)).one()


def _send(mail: Mail, mandate: Mandate, *, session: Session, by: Actor, now: datetime) -> None:
    about = ("mandate", mandate.id)
    enqueue(mail, by=by, now=now, session=session, establishment_id=mandate.establishment_id, about=about)


def _record(
    action: str, mandate: Mandate, changes: dict[str, tuple[object, object]], *, by: Actor, now: datetime
) -> None:
    record(action, About("mandate", mandate.id, mandate.inspector_name), by=by, now=now, changes=changes)

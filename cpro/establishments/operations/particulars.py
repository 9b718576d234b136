"""The tab Établissement, and what the command line may correct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cpro.audit.operations import differences
from cpro.core import events
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, check_no_error, check_password_given
from cpro.core.permissions import Actor
from cpro.core.validators import (
    clean_text,
    normalise_email,
    normalise_phone,
    normalise_postal_code,
    normalise_school_code,
    normalise_timezone,
    normalise_uai,
    normalise_website,
)
from cpro.establishments import queries
from cpro.establishments.models import Establishment
from cpro.establishments.operations.audit import record_about_school
from cpro.extensions import db


def _line(max_length: int) -> Callable[[str], str]:
    return lambda text: clean_text(text, max_length=max_length)


#: Each particular and the rule that normalises it; the order is the form's.
RULES: dict[str, Callable[[str], str]] = {
    "name": _line(150),
    "uai": normalise_uai,
    "email": normalise_email,
    "kind": _line(80),
    "address_line1": _line(120),
    "address_line2": _line(120),
    "postal_code": normalise_postal_code,
    "city": _line(100),
    "phone": normalise_phone,
    "website": normalise_website,
    "academy": _line(60),
    "signatory_name": _line(120),
    "signatory_function": _line(120),
    "dpd_name": _line(120),
    "dpd_email": normalise_email,
    "timezone": normalise_timezone,
    "dreets": _line(150),
    "mcpfa": _line(150),
    "greta_cfa": _line(150),
}


class UAITaken(DomainError):
    """The UAI belongs to another school."""

    message = (
        "Ce code UAI est déjà celui d’un autre établissement de la plateforme. "
        "S’il est bien le vôtre, prévenez l’équipe qui administre CPro."
    )
    field = "uai"


class UAILocked(DomainError):
    """The UAI cannot be changed: an import or a transfer relies on it."""

    message = (
        "Le code UAI ne peut plus changer : un import ou un transfert a déjà été fait avec lui. "
        "S’il est faux, l’équipe qui administre CPro peut le corriger."
    )
    field = "uai"


class CodeTaken(DomainError):
    """The code belongs to another school."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Le code « {code} » est déjà celui d’un établissement.", field="code")


def get_particulars(establishment: Establishment) -> dict[str, str]:
    """Return the particulars for their form, {field: text}; blank where unknown."""
    return {name: getattr(establishment, name) or "" for name in RULES}


def update_particulars(
    values: Mapping[str, str], *, opened_on: str | None, password_given: bool = False, by: Actor, now: datetime
) -> dict[str, tuple[str, str]]:
    """Save particulars of the current school and return what changed, {field: (old, new)}.

    `values` contains the fields to set (those of `RULES`); the others are unchanged. Changing the e-mail address is
    announced (`events.school_email_changed`) and requires that the person has just given their password
    (`PasswordNeeded`). Raises `FieldErrors` naming each refused field, `UAITaken`, `UAILocked`, and `StaleForm` when
    the particulars were saved since the form was `opened_on`.
    """
    clean = normalise(values)
    establishment = queries.lock_current_establishment()
    before = get_particulars(establishment)
    changes = differences(before, clean)
    if not changes:
        return {}
    check_fresh(before, opened_on, changes)
    if "uai" in changes and establishment.uai_locked_at is not None:
        raise UAILocked
    if "email" in changes and before["email"]:
        check_password_given(password_given, "Pour changer l’adresse électronique de l’établissement", by=by)
    _assign(db.session(), establishment, {name: clean[name] for name in changes})
    record_about_school("establishment:particulars:changed", establishment, changes, by=by, now=now)
    if "email" in changes:
        events.school_email_changed.send(
            establishment, earlier=before["email"], password_given=password_given, by=by, now=now
        )
    return changes


def is_email_changed(values: Mapping[str, str]) -> bool:
    """Return whether the values typed would change the existing e-mail address of the current school.

    The password is then required. Filling in a first address does not require it: that address alone receives no code.
    """
    stored = queries.get_current_establishment().email
    return bool(stored) and (values.get("email") or "") != stored


def create_establishment(
    session: Session,
    *,
    name: str,
    uai: str,
    code: str,
    head_email: str = "",
    has_official_mailbox: bool = True,
    by: Actor,
    now: datetime,
) -> Establishment:
    """Create a school, in a platform session.

    `head_email` is where a head's code is sent; without it the code goes to the official mailbox of the UAI, unless
    `has_official_mailbox` is false. Raises `FieldErrors`, `DomainError`, `UAITaken`, `CodeTaken`.
    """
    clean = normalise({"name": name, "uai": uai})
    proof = {"head_email": normalise_email(head_email)}
    code = normalise_school_code(code)
    if not code:
        raise DomainError("Indiquez le code de l’établissement : il sert à se connecter.", field="code")
    if session.scalars(select(Establishment.id).where(Establishment.code == code)).first():
        raise CodeTaken(code)
    establishment = Establishment(
        code=code, created_at=now, official_uai=(clean["uai"] or None) if has_official_mailbox else None, **proof
    )
    session.add(establishment)
    _assign(session, establishment, clean)
    record_about_school(
        "establishment:created",
        establishment,
        differences({}, {**clean, **proof, "code": code}),
        by=by,
        now=now,
        session=session,
    )
    return establishment


def update_uai(
    session: Session,
    establishment: Establishment,
    uai: str,
    *,
    has_official_mailbox: bool = True,
    by: Actor,
    now: datetime,
) -> None:
    """Change the UAI even when it is locked, for the command line, in a platform session.

    A head's code then goes to the official mailbox of this UAI unless a better source exists (see `proof`) or
    `has_official_mailbox` is false. Raises `DomainError` when the UAI is malformed or blank, `UAITaken`.
    """
    correct = normalise_uai(uai)
    if not correct:
        raise DomainError("Indiquez le code UAI : sept chiffres et une lettre.", field="uai")
    before = establishment.uai or ""
    establishment.official_uai = correct if has_official_mailbox else None
    _assign(session, establishment, {"uai": correct})
    record_about_school(
        "establishment:uai:corrected", establishment, {"uai": (before, correct)}, by=by, now=now, session=session
    )


def normalise(values: Mapping[str, str]) -> dict[str, str]:
    """Return the given particulars, each normalised by its rule, or raise `FieldErrors` naming all that are refused."""
    clean, errors = {}, {}
    for name, value in values.items():
        try:
            clean[name] = RULES[name](value or "")
        except DomainError as refusal:
            errors[name] = refusal.message
    check_no_error(errors)
    return clean


def _assign(session: Session, establishment: Establishment, values: Mapping[str, str]) -> None:
    """Set values and flush; only the database can see the UAI of other schools, so its error is translated."""
    for name, value in values.items():
        setattr(establishment, name, (value or None) if name == "uai" else value)
    try:
        session.flush()
    except IntegrityError as error:
        # PostgreSQL names the constraint, SQLite the column
        if "uq_establishment_uai" in str(error.orig) or "establishment.uai" in str(error.orig):
            raise UAITaken from error
        raise

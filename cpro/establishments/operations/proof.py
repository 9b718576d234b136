"""The address that proves who a head is: never one that the school's administrator could have typed alone.

Three sources, the latest one set first: the school's address once a signed-in head (or its earlier holder) confirmed
it, the address set by the platform's operator, the official mailbox of the UAI set by the command line.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from cpro.core.errors import DomainError
from cpro.core.permissions import Actor
from cpro.core.validators import normalise_email
from cpro.establishments.models import Establishment
from cpro.establishments.official_mailboxes import find_official_mailbox
from cpro.establishments.operations.audit import record_about_school


def find_proved_address(establishment: Establishment) -> str:
    """Return the address that heads' codes are sent to, or "" where no source gives one."""
    return (
        establishment.confirmed_email
        or establishment.head_email
        or find_official_mailbox(establishment.official_uai)
        or ""
    )


def update_head_email(session: Session, establishment: Establishment, email: str, *, by: Actor, now: datetime) -> None:
    """Set the address that a head's code is sent to, whatever was confirmed before, for the command line.

    Blank removes the setting. Raises `InvalidEmail`.
    """
    address = normalise_head_email(email)
    changes: dict[str, tuple[object, object]] = {"head_email": (establishment.head_email, address)}
    if establishment.confirmed_email:
        changes["confirmed_email"] = (establishment.confirmed_email, "")
    establishment.head_email, establishment.confirmed_email = address, ""
    session.flush()
    record_about_school("establishment:head-email:set", establishment, changes, by=by, now=now, session=session)


def normalise_head_email(text: str, *, besides: str = "") -> str:
    """Return a head's address as given on the command line, normalised.

    Raises `InvalidEmail`, and `DomainError` when it equals `besides`, the administrator's address: the administrator
    would receive the head's code.
    """
    address = normalise_email(text)
    if address and address.casefold() == normalise_email(besides).casefold():
        raise DomainError(
            "L’adresse du chef d’établissement est aussi celle de l’administrateur, qui recevrait son code : "
            "indiquez-en une autre.",
            field="head_email",
        )
    return address

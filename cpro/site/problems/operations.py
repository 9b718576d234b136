"""Send what somebody says of a problem to whoever runs the platform."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.audit.queries import count_lines_about
from cpro.core import mail
from cpro.core.errors import DomainError
from cpro.core.formatting import mask_ines
from cpro.core.permissions import Principal
from cpro.core.validators import clean_text
from cpro.establishments.models import Establishment

TEXT_MAX_LENGTH = 2000
#: How many messages somebody sends within an hour.
_MOST, _WITHIN = 5, timedelta(hours=1)
_DESCRIBED, _OBJECT = "problem:described", "problem"


class TooManyProblems(DomainError):
    """Refuse one message more from somebody who has just sent several."""

    status = 429
    message = (
        "Vous avez écrit cinq messages depuis une heure\u202f: rien de plus n’est parti. Ce que vous avez écrit est "
        "encore dans la page\u202f; réessayez plus tard."
    )


def send_problem(
    session: Session, text: str, *, number: str, to: str, by: Principal, origin: str, now: datetime
) -> None:
    """Send a message to the address of whoever runs the platform, with the number of an error page if there was one.

    In a platform unit of work: the support describes problems too. An INE is masked; who writes is named by the number
    of their account alone. Raises `DomainError` for a blank or too long text, `TooManyProblems`.
    """
    said = _clean(text)
    owner = f"{by.kind}:{by.id}"
    written = count_lines_about(
        session, _OBJECT, owner, establishment_id=by.establishment_id, since=now - _WITHIN, most=_MOST
    )
    if written >= _MOST:
        raise TooManyProblems
    school = session.get(Establishment, by.establishment_id) if by.establishment_id is not None else None
    actor = by.acting_from(origin)
    message = mail.Mail(
        to=to,
        subject=f"CPro\u202f: un problème décrit{f' (code {number})' if number else ''}",
        body=(
            f"{said}\n\n"
            f"Code de la page d’erreur\u202f: {number or 'aucun'}\n"
            f"Établissement\u202f: {_name(school)}\n"
            f"Compte\u202f: {by.role.label.lower()}, {owner}\n"
        ),
    )
    mail.enqueue(message, by=actor, now=now, session=session, establishment_id=by.establishment_id)
    record(
        _DESCRIBED,
        About(_OBJECT, owner, ""),
        by=actor,
        now=now,
        changes={"number": (None, number)} if number else None,
        establishment_id=by.establishment_id,
        session=session,
    )


def _clean(text: str) -> str:
    if len(text) > TEXT_MAX_LENGTH:
        raise DomainError(f"C’est trop long\u202f: {TEXT_MAX_LENGTH} caractères au plus.", field="text")
    try:
        lines = [clean_text(line, max_length=TEXT_MAX_LENGTH) for line in text.splitlines()]
    except DomainError as refusal:
        raise DomainError(refusal.message, field="text") from None
    said = mask_ines("\n".join(lines).strip())
    if not said:
        raise DomainError("Décrivez ce qui s’est passé.", field="text")
    return said


def _name(school: Establishment | None) -> str:
    return ", ".join(filter(None, (school.name or school.code, school.uai))) if school else "aucun"

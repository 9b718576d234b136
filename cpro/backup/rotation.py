"""What still depends on a former key of the server after a rotation, and what is sealed again under the current one.

A digest (a printed code, a recovery code) cannot be recomputed: it depends on its key until it is used, void or
replaced. Anything created before the server first ran with its key (`ServerKey.since`) depends on a former one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Cast, ColumnElement, String, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cpro.audit.models import AuditEntry
from cpro.core.mail import operations as mail
from cpro.core.mail.models import MailMessage
from cpro.core.secrets import Unreadable, reseal
from cpro.core.server_key import ServerKey
from cpro.users.operations import second_factor
from cpro.users.sign_in_models import ActivationCode, SecondFactor


@dataclass
class Sealed:
    """One kind of sealed data: how many items are under a former key, and how many no key opens."""

    #: French nouns that follow a number: singular, plural
    names: tuple[str, str]
    former: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Remains:
    """What depends on a former key."""

    since: datetime | None
    sealed: list[Sealed]
    #: activation codes still valid, and when the last of them expires
    codes: int
    codes_until: datetime | None
    #: people whose recovery codes were generated before
    recovery: int

    @property
    def is_nothing(self) -> bool:
        """Return whether former keys may be dropped, except the journal's."""
        return not (self.codes or self.recovery or any(each.former for each in self.sealed))


def find_remains(session: Session, *, now: datetime) -> Remains:
    """Return what depends on a former key, in a platform session."""
    since = session.scalar(select(ServerKey.since))
    sealed = [_judge(session, names, column, purpose, write=False) for names, column, purpose in _SEALED]
    if since is None:
        return Remains(None, sealed, 0, None, 0)
    good = and_(ActivationCode.created_at < since, ActivationCode.spent_at.is_(None), ActivationCode.expires_at > now)
    codes, until = session.execute(select(func.count(), func.max(ActivationCode.expires_at)).where(good)).one()
    return Remains(since, sealed, codes, until, _count_recovery_codes(session, since))


def reseal_all(session: Session) -> list[Sealed]:
    """Seal under the current key what is under a former one, in a platform session; return the counts by kind."""
    return [_judge(session, names, column, purpose, write=True) for names, column, purpose in _SEALED]


_SEALED: tuple[tuple[tuple[str, str], InstrumentedAttribute[str], str], ...] = (
    (("second facteur", "seconds facteurs"), SecondFactor.secret, second_factor.PURPOSE),
    (("message en attente", "messages en attente"), MailMessage.sealed_body, mail.PURPOSE),
)


def _judge(
    session: Session, names: tuple[str, str], column: InstrumentedAttribute[str], purpose: str, *, write: bool
) -> Sealed:
    found = Sealed(names)
    rows = select(column.class_).where(column != "").order_by(column.class_.id)
    for row in session.scalars(rows.with_for_update() if write else rows):
        try:
            anew = reseal(purpose, getattr(row, column.key))
        except Unreadable:
            found.unreadable += 1
            continue
        if anew is not None:
            found.former += 1
            if write:
                setattr(row, column.key, anew)
    if write:
        session.flush()
    return found


def _count_recovery_codes(session: Session, since: datetime) -> int:
    """Return how many people have recovery codes generated before an instant and not replaced since."""

    def is_of(object_type: str, column: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
        return and_(AuditEntry.object_type == object_type, AuditEntry.object_id == Cast(column, String))

    drawn_again = exists().where(
        AuditEntry.action == second_factor.CODES_DRAWN,
        AuditEntry.at >= since,
        or_(
            is_of("account", SecondFactor.account_id),
            is_of("platform_account", SecondFactor.platform_account_id),
        ),
    )
    older = select(func.count()).where(SecondFactor.confirmed_at < since, SecondFactor.recovery != "", ~drawn_again)
    return session.scalar(older) or 0

"""Bind the database to one server key, recognised by its fingerprint.

A server with another key would sign users out at each request, void the printed codes and write a journal that does
not verify: it refuses to start. The fingerprint is stored at the first start; it follows a key rotation, which is
recognised because the former key is kept in `CPRO_SECRET_KEY_FALLBACKS`. Nothing is checked at each request.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Mapped, Session, mapped_column

from cpro.core import tenancy
from cpro.core.errors import Conflict
from cpro.core.secrets import fingerprints
from cpro.core.tenancy import PlatformOnly
from cpro.core.transactions import platform_unit_of_work
from cpro.core.types import UTCDateTime
from cpro.extensions import Model, db

#: Primary key of the table's only row.
_ONLY = 1

#: What is lost for good when the key of the database is lost.
VOID = (
    "Ne valent plus\u202f: les codes d’activation et les codes de secours, les seconds facteurs (à réinitialiser), les "
    "connexions en cours, les messages en attente. Les lignes du journal écrites avant ne se vérifient qu’avec "
    "l’ancienne clé dans CPRO_JOURNAL_KEY."
)


class UnknownKey(Conflict):
    """The database belongs to another server key."""

    message = (
        "La clé de ce serveur (CPRO_SECRET_KEY) n’est pas celle de cette base de données\u202f: remettez l’ancienne, "
        "ou gardez-la dans CPRO_SECRET_KEY_FALLBACKS\u202f; si elle est perdue, «\u202fflask --app app keys adopt"
        "\u202f» prend celle-ci et dit ce qui ne vaut plus."
    )


class ServerKey(PlatformOnly, Model):
    """The fingerprint of the key under which the database is served."""

    __tablename__ = "server_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str] = mapped_column(String(64))
    #: when a server first served under it
    since: Mapped[datetime] = mapped_column(UTCDateTime)


def is_known(session: Session) -> bool:
    """Return whether the database, in a platform session, belongs to this server's key, to a former one, or to none."""
    found = session.scalar(select(ServerKey.fingerprint))
    return found is None or found in fingerprints()


def check_key() -> None:
    """Raise `UnknownKey` if commands must not run under this server's key.

    A database that does not answer, or does not have this table yet, is left for later checks to report.
    """
    try:
        with tenancy.platform_session("is the key that of the database") as session:
            known = is_known(session)
    except (OperationalError, ProgrammingError):
        return
    if not known:
        raise UnknownKey


def claim_key(*, now: datetime) -> None:
    """Check that this server may start, and store its key's fingerprint if it is new. Raises `UnknownKey`.

    A database that does not answer is checked at the next start.
    """
    check_key()
    try:
        with tenancy.platform_session("whose database it is") as session:
            is_noted = session.scalar(select(ServerKey.fingerprint)) == fingerprints()[0]
        if not is_noted:
            with platform_unit_of_work("start: noting whose database it is") as work:
                if not is_known(work.session):
                    raise UnknownKey
                adopt_key(work.session, now=now)
    except IntegrityError:  # two first starts at the same time
        check_key()
    except (OperationalError, ProgrammingError):
        return
    finally:
        db.engine.dispose()  # a server that forks after this must not share the connection


def adopt_key(session: Session, *, now: datetime) -> None:
    """Bind the database, in a platform session, to this server's key."""
    row = session.get(ServerKey, _ONLY)
    if row is None:
        session.add(ServerKey(id=_ONLY, fingerprint=fingerprints()[0], since=now))
    else:
        row.fingerprint, row.since = fingerprints()[0], now
    session.flush()

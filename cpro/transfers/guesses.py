"""Limit guessing: knowing an INE must not let a school find its name and birth date by trial and error.

Each run tells whether two schools describe the same pupil. A school could correct its pupil, run, correct it again, and
read the answer as often as it likes. So each identity that differed is recorded, as a digest; once a school has tried
`TRIES` of them under one INE within `PERIOD`, its pupil differs from any other, whatever its identity, until the oldest
try expires. People may still confirm, which asks the other school, and that school is notified of the tries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cpro.core.secrets import keyed_hash
from cpro.core.validators import fold
from cpro.transfers.identity import Pupil
from cpro.transfers.models import TriedIdentity
from cpro.transfers.pairs import Pair, Verdict

#: Correcting a typing error takes one or two.
TRIES = 5
PERIOD = timedelta(days=1)
#: How long an identity is not recorded again.
KEPT = timedelta(days=30)


class Known(NamedTuple):
    """An INE in a school."""

    establishment_id: int
    ine_digest: str


class Tried(NamedTuple):
    """An identity that a school gave under an INE."""

    establishment_id: int
    ine_digest: str
    identity_digest: str

    @property
    def known(self) -> Known:
        """Return the INE in the school."""
        return Known(self.establishment_id, self.ine_digest)


#: The INE for which a school reached the limit, and until when.
Held = Mapping[Known, datetime]


def tried_by(pupil: Pupil) -> Tried:
    """Return the identity that a pupil's row tries."""
    born = pupil.birth_date.isoformat() if pupil.birth_date else ""
    names = "|".join(fold(name) for name in (pupil.last_name, pupil.usage_name, pupil.first_name))
    return Tried(*_known(pupil), keyed_hash("tried identity", f"{names}|{born}"))


def find_held(session: Session, *, now: datetime) -> Held:
    """Return the INE for which a school reached the limit; there are few."""
    moments: dict[Known, list[datetime]] = {}
    for school, ine, at in session.execute(
        select(TriedIdentity.establishment_id, TriedIdentity.ine_digest, TriedIdentity.tried_at)
        .where(TriedIdentity.tried_at > now - PERIOD)
        .order_by(TriedIdentity.tried_at)
    ):
        moments.setdefault(Known(school, ine), []).append(at)
    return {known: tried[-TRIES] + PERIOD for known, tried in moments.items() if len(tried) >= TRIES}


def is_held(held: Held, *pupils: Pupil) -> bool:
    """Return whether the comparison of any of these pupils is suspended."""
    schools = {known.establishment_id for known in held}
    return any(each.establishment_id in schools and _known(each) in held for each in pupils)


def find_untried(session: Session, verdicts: Iterable[Verdict], *, now: datetime) -> dict[Pair, set[Tried]]:
    """Return the differing identities of verdicts that are not recorded yet, by pair.

    Those of a school that reached the limit are not compared; an offer shows its pupil's identity.
    """
    held = find_held(session, now=now)
    tried = {
        each.pair: {key for key in (tried_by(each.source), tried_by(each.destination)) if key.known not in held}
        for each in verdicts
        if each.identities_differ and each.state and each.source and each.destination
        if each.pair.source_id != each.pair.destination_id and not (each.stored and each.stored.is_offer)
    }
    noted = session.execute(
        select(TriedIdentity.establishment_id, TriedIdentity.ine_digest, TriedIdentity.identity_digest).where(
            TriedIdentity.ine_digest.in_({key.ine_digest for keys in tried.values() for key in keys})
        )
    )
    known = {Tried(*row) for row in noted} if tried else set()
    return {pair: keys - known for pair, keys in tried.items() if keys - known}


def note(session: Session, tried: Collection[Tried], *, now: datetime) -> Held:
    """Record identities that differed; return the INE for which a school has now reached the limit, and until when.

    The schools must be locked.
    """
    if not tried:
        return {}
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{**each._asdict(), "tried_at": now} for each in sorted(tried)]
    session.execute(dialect.insert(TriedIdentity).on_conflict_do_nothing(), rows)
    reached = {each.known for each in tried}
    return {known: until for known, until in find_held(session, now=now).items() if known in reached}


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete expired tries."""
    session.execute(delete(TriedIdentity).where(TriedIdentity.tried_at < now - KEPT))


def _known(pupil: Pupil) -> Known:
    return Known(pupil.establishment_id, keyed_hash("tried ine", pupil.ine or ""))

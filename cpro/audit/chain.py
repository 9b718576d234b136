"""The chain of the journal: each line stores the digest of the previous one, school by school.

A line that is changed, removed, inserted or moved breaks the chain from there on, and the head records how many lines
there must be. Digests are keyed: the database alone cannot compute one. Lines written before the key existed (plain
SHA-256) verify as long as no keyed line precedes them. Why the chain is per school, what it costs and what it does not
prove: docs/decisions/0004-journal.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry, AuditHead
from cpro.core.secrets import journal_hashes
from cpro.core.transactions import lock_schools

#: The message of the database's triggers (migration 0003).
_REFUSAL = "the journal is append-only"
#: The message of PostgreSQL for a role that may only insert lines.
_NO_RIGHT = "42501"
_PAGE = 1000
#: How many lines a chain has, and the digest of the last one.
End = tuple[int, str]
_EMPTY: End = (0, "")
_COVERED = ("actor_kind", "actor_id", "actor_label", "actor_role", "origin", "action", "object_type", "object_id")


@dataclass(frozen=True)
class Flaw:
    """One defect of the journal, as a French sentence; `entry_id` is the line, None for the journal as a whole."""

    entry_id: int | None
    sentence: str


def append(session: Session, entries: Collection[AuditEntry]) -> None:
    """Append lines to the chains of their schools, locked against other writers until the commit."""
    heads = _lock_heads(session, {entry.establishment_id for entry in entries})
    for entry in entries:
        head = heads[entry.establishment_id]
        entry.number = head.lines + 1
        entry.digest = next(journal_hashes(_written_out(entry, after=head.digest)))
        head.lines, head.digest = entry.number, entry.digest
        session.add(entry)


def _written_out(entry: AuditEntry, *, after: str) -> bytes:
    """Return the bytes that the digest of a line covers, including the digest of the previous line (`after`)."""
    covered: dict[str, Any] = {name: getattr(entry, name) for name in _COVERED}
    covered |= {
        "after": after,
        "number": entry.number,
        "establishment_id": entry.establishment_id,
        "at": entry.at.isoformat(),
        "object_label": entry.object_label,
        # Serialise as the database will return it: tuples become lists, keys become text.
        "changes": json.loads(json.dumps(entry.changes)),
    }
    return json.dumps(covered, sort_keys=True, ensure_ascii=True).encode()


def check(session: Session) -> Iterator[Flaw]:
    """Yield the first flaw of each chain of the journal, all schools together, in a platform session.

    Also try to change and to delete the last line: the database must refuse. The attempt is rolled back.
    """
    heads_before = _heads(session)
    ends: dict[int | None, End] = {}
    broken: set[int | None] = set()
    keyed: set[int | None] = set()
    last_id = None
    for entry in _lines(session):
        last_id, school = entry.id, entry.establishment_id
        number, digest = ends.get(school, _EMPTY)
        if school not in broken:
            sentence = _flaw_of(entry, number, digest, keyed)
            if sentence:
                broken.add(school)
                yield Flaw(entry.id, f"Ligne {entry.id} ({_describe_owner(school)}) : {sentence}")
        ends[school] = (entry.number, entry.digest)
    heads = _heads(session)
    for school in sorted({*heads_before, *ends} - broken, key=lambda each: each or 0):
        # The application keeps writing meanwhile: the end found lies between the heads read before and after the lines.
        least, found, most = (each.get(school, _EMPTY) for each in (heads_before, ends, heads))
        if found not in (least, most) and not least[0] < found[0] < most[0]:
            yield Flaw(None, f"Fin du journal ({_describe_owner(school)}) : {_end_flaw(least, found)}")
    if last_id is not None:
        yield from _check_refusals(session, last_id)


def count_lines(session: Session) -> int:
    """Return how many lines the journal has, all schools together, according to its heads."""
    return session.scalar(select(func.coalesce(func.sum(AuditHead.lines), 0))) or 0


def _lock_heads(session: Session, school_ids: set[int | None]) -> dict[int | None, AuditHead]:
    """Return the heads of chains by school, created if need be.

    The lock is the school's row, which the action already holds.
    """
    lock_schools(session, school_ids)
    wanted = [AuditHead.establishment_id.in_(school_ids - {None})]
    if None in school_ids:
        wanted.append(AuditHead.establishment_id.is_(None))
    found = session.scalars(select(AuditHead).where(or_(*wanted)).execution_options(populate_existing=True))
    heads = {head.establishment_id: head for head in found}
    for school_id in school_ids - heads.keys():
        heads[school_id] = AuditHead(establishment_id=school_id, lines=0, digest="")
        session.add(heads[school_id])
    return heads


def _heads(session: Session) -> dict[int | None, End]:
    rows = session.execute(select(AuditHead.establishment_id, AuditHead.lines, AuditHead.digest))
    return {school: (lines, digest) for school, lines, digest in rows}


def _lines(session: Session) -> Iterator[AuditEntry]:
    """Yield every line by id, one page at a time, without keeping them in memory."""
    after = 0
    while True:
        page = session.scalars(select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(_PAGE))
        entries = page.all()
        if not entries:
            return
        yield from entries
        after = entries[-1].id
        session.expunge_all()


def _flaw_of(entry: AuditEntry, number: int, digest: str, keyed: set[int | None]) -> str:
    """Return what is wrong with a line that follows line `number` of its chain, or "" if nothing is.

    `keyed` contains the chains that already have a keyed line; this one is added if keyed. No plain line may follow.
    """
    if entry.number <= number:
        return "elle a été ajoutée ou déplacée sans passer par CPro."
    if entry.number != number + 1:
        missing = entry.number - number - 1
        return f"{missing} ligne{'s' if missing > 1 else ''} manque{'nt' if missing > 1 else ''} juste avant elle."
    written = _written_out(entry, after=digest)
    if entry.digest in journal_hashes(written):
        keyed.add(entry.establishment_id)
        return ""
    if entry.establishment_id not in keyed and entry.digest == hashlib.sha256(written).hexdigest():
        return ""
    return "son contenu n’est plus celui qui a été écrit."


def _end_flaw(head: End, end: End) -> str:
    if head[0] == end[0]:
        return "les empreintes diffèrent."
    return f"lignes écrites : {head[0]} ; lignes trouvées : {end[0]}."


def _check_refusals(session: Session, entry_id: int) -> Iterator[Flaw]:
    attempts = {
        "modifier": update(AuditEntry).where(AuditEntry.id == entry_id).values(origin=AuditEntry.origin),
        "supprimer": delete(AuditEntry).where(AuditEntry.id == entry_id),
    }
    for verb, statement in attempts.items():
        session.rollback()
        try:
            session.execute(statement, execution_options={"synchronize_session": False})
        except DBAPIError as refusal:
            if _REFUSAL not in str(refusal.orig) and getattr(refusal.orig, "sqlstate", "") != _NO_RIGHT:
                raise
            continue
        finally:
            session.rollback()
        yield Flaw(None, f"La base de données a laissé {verb} une ligne : ses déclencheurs ont été retirés.")


def _describe_owner(school_id: int | None) -> str:
    return "plateforme" if school_id is None else f"établissement n° {school_id}"

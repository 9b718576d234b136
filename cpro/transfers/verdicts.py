"""Apply verdicts, pair by pair or in batches: rows, sides, copies and journal, all in one transaction.

The rows of the schools concerned are locked first, in the order of their ids, and the pairs judged again under those
locks: two concurrent runs, or a run and a switch, are serialised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, ScalarSelect, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from cpro.core.formatting import person_name
from cpro.core.transactions import lock_schools
from cpro.core.validators import fold
from cpro.establishments.models import Establishment
from cpro.records.models import Fiche, FicheState
from cpro.students.models import choose_name
from cpro.transfers import guesses, matching
from cpro.transfers.copies import NAMES, CopiedRecords, copy_records
from cpro.transfers.identity import Pupil
from cpro.transfers.models import Direction, SchoolPair, Transfer, TransferSide, TransferState
from cpro.transfers.notifications import notify_of_guesses
from cpro.transfers.pairs import Pair, School, Verdict

_SEEN_BY_BOTH = frozenset(TransferState) - {TransferState.WAITING_SOURCE, TransferState.WAITING_DESTINATION}
#: States whose sides say whether the identities differ: to confirm, confirmed, or agreed to.
_COMPARED = frozenset({TransferState.CONFLICT, TransferState.AGREEMENT, TransferState.DONE})


@dataclass
class Applied:
    """The figures of what a transaction wrote."""

    #: transfers completed, {id of the destination school: how many}
    received: dict[int, int] = field(default_factory=dict)
    copied_records: dict[int, CopiedRecords] = field(default_factory=dict)
    #: those transfers
    transfer_ids: Sequence[int] = ()
    #: pairs whose row changed in another way
    changed: int = 0

    @property
    def copied(self) -> int:
        """Return how many transfers were completed."""
        return sum(self.received.values())

    @property
    def records(self) -> int:
        """Return how many records were copied."""
        return sum(each.total for each in self.copied_records.values())


def apply_verdicts(
    session: Session, pairs: Collection[Pair], *, asked: Collection[Pair] = (), now: datetime
) -> Applied:
    """Judge some pairs again and write their verdicts, copies included; return the figures.

    `asked` contains the closed pairs that are asked for again. The caller writes the journals of the schools. The UAI
    of schools between which something was copied are locked.
    """
    lock_schools(session, {id_ for pair in pairs for id_ in (pair.source_id, pair.destination_id)})
    judged = matching.judge(session, pairs, asked=asked, now=now)
    applied = _apply(session, [each for each in judged if _is_to_apply(each, asked)], now)
    _note_guesses(session, judged, now)
    return applied


def _apply(session: Session, verdicts: Sequence[Verdict], now: datetime) -> Applied:
    if not verdicts:
        return Applied()
    pairs = [each.pair for each in verdicts]
    schools = matching.load_schools(session, {id_ for p in pairs for id_ in (p.source_id, p.destination_id)})
    _end([each.stored.id for each in verdicts if each.over and each.stored], session, now)
    _forget([each.stored.id for each in verdicts if each.stored and not each.over and not each.state], session, now)
    ids = _write_transfers(session, [each for each in verdicts if each.state], now)
    write_sides(session, [(ids[each.pair], each) for each in verdicts if each.state], schools, now)
    copied = [each.pair for each in verdicts if each.state is TransferState.DONE]
    applied = _copy(session, copied, ids, now)
    applied.changed = len(verdicts) - len(copied)
    return applied


def _note_guesses(session: Session, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Record the identities that differ; suspend those of a school that reached the limit, and notify the other."""
    untried = guesses.find_untried(session, verdicts, now=now)
    held = guesses.note(session, {tried for each in untried.values() for tried in each}, now=now)
    for pair, tried in untried.items() if held else ():
        for known in sorted({each.known for each in tried} & set(held)):
            notify_of_guesses(session, pair, by_school=known.establishment_id, until=held[known], now=now)


def write_in_bulk(session: Session, statement: Any) -> None:
    """Execute an UPDATE or a DELETE without updating the objects of the session; callers refresh those they need."""
    session.execute(statement, execution_options={"synchronize_session": False})


def describe_pupil(pupil: Pupil) -> str:
    """Return a pupil's name as shown in lists: « TOPAZE Lou »."""
    return person_name(choose_name(pupil.last_name, pupil.usage_name), pupil.first_name)


def make_search_key(label: str, other_name: str, other_uai: str | None) -> str:
    """Return the search key of a side: its pupil and the other school."""
    return fold(f"{label} {other_name} {other_uai or ''}")[:400]


# --- Rows ----------------------------------------------------------------------------------------------------------


def _is_to_apply(verdict: Verdict, asked: Collection[Pair]) -> bool:
    return verdict.changes_something or (verdict.pair in asked and verdict.state is TransferState.DONE)


def _end(transfer_ids: Sequence[int], session: Session, now: datetime) -> None:
    """Mark the transfers of some pairs as over, making room for the next; their copies stay."""
    if not transfer_ids:
        return
    session.execute(update(Transfer).where(Transfer.id.in_(transfer_ids)).values(is_current=False))
    session.execute(update(TransferSide).where(TransferSide.transfer_id.in_(transfer_ids)).values(is_current=False))


def _forget(transfer_ids: Sequence[int], session: Session, now: datetime) -> None:
    """Delete rows that only reflected the schools' data, which has changed since; none of their copies is left.

    The first transfer of two schools, cancelled and asked for again since, is referred to by their pair: its row is
    kept, without any side, as one that is over.
    """
    if not transfer_ids:
        return
    session.execute(delete(TransferSide).where(TransferSide.transfer_id.in_(transfer_ids)))
    named = session.scalars(select(SchoolPair.transfer_id).where(SchoolPair.transfer_id.in_(transfer_ids))).all()
    ended = {"state": TransferState.CANCELLED, "is_current": False, "recorded_at": now}
    session.execute(update(Transfer).where(Transfer.id.in_(named)).values(ended))
    session.execute(delete(Transfer).where(Transfer.id.in_(set(transfer_ids).difference(named))))


def _write_transfers(session: Session, verdicts: Sequence[Verdict], now: datetime) -> dict[Pair, int]:
    """Write the rows of the pairs and return their ids."""
    ids: dict[Pair, int] = {}
    changed, created = [], []
    for verdict in verdicts:
        if verdict.stored and not verdict.over:
            ids[verdict.pair] = verdict.stored.id
            changed.append({"id": verdict.stored.id, **_state_values(verdict, now)})
        else:
            created.append(verdict)
    if changed:
        session.execute(update(Transfer), changed)
    if created:
        rows = [{**each.pair._asdict(), **_state_values(each, now), "created_at": now} for each in created]
        _insert(session, Transfer, rows)
        found = session.execute(
            select(Transfer.source_student_id, Transfer.destination_student_id, Transfer.id).where(
                Transfer.is_current, Transfer.source_student_id.in_([each.pair.source_student_id for each in created])
            )
        )
        by_pupils = {(source, destination): transfer_id for source, destination, transfer_id in found}
        ids |= {each.pair: by_pupils[each.pair.source_student_id, each.pair.destination_student_id] for each in created}
    return ids


def _state_values(verdict: Verdict, now: datetime) -> dict[str, Any]:
    assert verdict.state is not None
    is_done = verdict.state is TransferState.DONE
    return {
        "state": verdict.state,
        "done_at": now if is_done else None,
        "recorded_at": None,
        "departed_on": verdict.source.departed_on if is_done and verdict.source else None,
    }


def write_sides(
    session: Session, verdicts: Sequence[tuple[int, Verdict]], schools: Mapping[int, School], now: datetime
) -> None:
    """Write the sides of transfers, given as (transfer id, verdict), for the schools that have activated transfers."""
    if not verdicts:
        return
    known = {
        (transfer_id, direction): (side_id, label)
        for transfer_id, direction, side_id, label in session.execute(
            select(TransferSide.transfer_id, TransferSide.direction, TransferSide.id, TransferSide.student_label).where(
                TransferSide.transfer_id.in_([transfer_id for transfer_id, _verdict in verdicts])
            )
        )
    }
    changed, created, gone = [], [], []
    for transfer_id, verdict in verdicts:
        for direction in Direction:
            side_id, label = known.get((transfer_id, direction), (None, ""))
            if not _sees(verdict, direction):
                gone += [side_id] if side_id else []
            elif side_id:
                named = _other_school(verdict, direction, schools, label)
                changed.append({"id": side_id, **_side_state(verdict, now), **named})
            else:
                created.append(_new_side(transfer_id, verdict, direction, schools, now))
    if gone:
        session.execute(delete(TransferSide).where(TransferSide.id.in_(gone)))
    if changed:
        session.execute(update(TransferSide), changed)
    if created:
        _insert(session, TransferSide, created)


def _sees(verdict: Verdict, direction: Direction) -> bool:
    """Return whether a school sees the pair: one that has not activated transfers sees nothing of others."""
    if verdict.state in _SEEN_BY_BOTH:
        return True
    return (verdict.state is TransferState.WAITING_DESTINATION) == (direction is Direction.SOURCE)


def _side_state(verdict: Verdict, now: datetime) -> dict[str, Any]:
    assert verdict.state is not None
    return {
        "state": verdict.state,
        "identities_differ": verdict.identities_differ and verdict.state in _COMPARED,
        "changed_at": now,
        "done_at": now if verdict.state is TransferState.DONE else None,
    }


def _new_side(
    transfer_id: int, verdict: Verdict, direction: Direction, schools: Mapping[int, School], now: datetime
) -> dict[str, Any]:
    is_source = direction is Direction.SOURCE
    pupil = verdict.source if is_source else verdict.destination
    assert pupil is not None
    label = describe_pupil(pupil)
    return {
        **_side_state(verdict, now),
        **_other_school(verdict, direction, schools, label),
        "establishment_id": verdict.pair.source_id if is_source else verdict.pair.destination_id,
        "transfer_id": transfer_id,
        "direction": direction,
        "student_id": pupil.id,
        "student_label": label,
        "created_at": now,
    }


def _other_school(verdict: Verdict, direction: Direction, schools: Mapping[int, School], label: str) -> dict[str, str]:
    """Return the columns of a side about the other school, and its search key: empty for one that it may not name."""
    other = schools[verdict.pair.destination_id if direction is Direction.SOURCE else verdict.pair.source_id]
    name, uai = (other.name, other.uai or "") if verdict.names_other_to(direction) else ("", "")
    return {"other_name": name, "other_uai": uai, "search_key": make_search_key(label, name, uai)}


# --- Copies --------------------------------------------------------------------------------------------------------


def _copy(session: Session, pairs: Sequence[Pair], ids: Mapping[Pair, int], now: datetime) -> Applied:
    applied = Applied()
    if not pairs:
        return applied
    transfer_ids = [ids[pair] for pair in pairs]
    copy_records(session, transfer_ids)
    applied.copied_records = write_figures(session, transfer_ids)
    applied.transfer_ids = transfer_ids
    applied.received = dict(Counter(pair.destination_id for pair in pairs))
    _lock_uais(session, {id_ for pair in pairs for id_ in (pair.source_id, pair.destination_id)}, now)
    _note_school_pairs(session, pairs, ids, now)
    return applied


def write_figures(session: Session, transfer_ids: Sequence[int]) -> dict[int, CopiedRecords]:
    """Write the numbers of copies on the sides of some transfers, and return them by destination school.

    Three statements for any number of transfers: rows are counted in the database.
    """
    *updates, sums = _figures_statements()
    of_these = {"transfer_ids": list(transfer_ids)}
    for each in updates:
        session.execute(each, of_these, execution_options={"synchronize_session": False})
    rows = session.execute(sums, of_these)
    return {school: CopiedRecords(**dict(zip(NAMES.values(), figures, strict=True))) for school, *figures in rows}


@cache
def _figures_statements() -> tuple[Executable, ...]:
    """Return the statements of `write_figures`; cached, since a run sends them hundreds of times."""
    here = aliased(TransferSide)
    of_these = TransferSide.transfer_id.in_(bindparam("transfer_ids", expanding=True))
    destination, source = (TransferSide.direction == each for each in (Direction.DESTINATION, Direction.SOURCE))
    counted = {
        name: select(func.count())
        .where(kind.establishment_id == TransferSide.establishment_id, kind.received_in == TransferSide.id)
        .scalar_subquery()
        for kind, name in NAMES.items()
    }
    repeated = {
        name: select(getattr(here, name))
        .where(here.transfer_id == TransferSide.transfer_id, here.direction == Direction.DESTINATION)
        .scalar_subquery()
        for name in NAMES.values()
    }
    return (
        update(TransferSide).where(of_these, destination).values(counted),
        update(TransferSide).where(of_these, source).values(repeated | {"left_out": _count_left_out()}),
        select(TransferSide.establishment_id, *(func.sum(getattr(TransferSide, name)) for name in NAMES.values()))
        .where(of_these, destination)
        .group_by(TransferSide.establishment_id),
    )


def _count_left_out() -> ScalarSelect[int]:
    """Return how many fiches of the departed pupil were not validated, and so stay in the source school."""
    return (
        select(func.count())
        .where(
            Fiche.establishment_id == TransferSide.establishment_id,
            Fiche.student_id == TransferSide.student_id,
            Fiche.state != FicheState.VALIDATED,
        )
        .scalar_subquery()
    )


def _lock_uais(session: Session, establishment_ids: Collection[int], now: datetime) -> None:
    write_in_bulk(
        session,
        update(Establishment)
        .where(
            Establishment.id.in_(establishment_ids),
            Establishment.uai.is_not(None),
            Establishment.uai_locked_at.is_(None),
        )
        .values(uai_locked_at=now),
    )


def _note_school_pairs(session: Session, pairs: Sequence[Pair], ids: Mapping[Pair, int], now: datetime) -> None:
    """Record the pairs of schools with their first transfer: their heads are notified."""
    first: dict[tuple[int, int], int] = {}
    for pair in pairs:
        one, other = sorted((pair.source_id, pair.destination_id))
        first.setdefault((one, other), ids[pair])
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(SchoolPair).on_conflict_do_nothing(index_elements=["first_id", "second_id"])
    session.execute(
        statement,
        [
            {"first_id": one, "second_id": other, "transfer_id": transfer_id, "created_at": now}
            for (one, other), transfer_id in first.items()
        ],
    )


def _insert(session: Session, model: type[Transfer] | type[TransferSide], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows into the table directly: for hundreds of rows, faster than through the mapped class."""
    table = model.__table__
    assert isinstance(table, Table)
    columns = {attribute.key: attribute.columns[0].name for attribute in model.__mapper__.column_attrs}
    session.execute(insert(table), [{columns[name]: value for name, value in row.items()} for row in rows])

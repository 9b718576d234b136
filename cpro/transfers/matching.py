"""Find the pairs of pupils with the same INE, all schools together, and decide what each pair calls for, for a run.

Everything here reads across schools, in a platform session. The statements propose pairs whose row is missing or no
longer right; `judge` decides, pair by pair, and is called again under the schools' locks before anything is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from cpro.establishments.models import Establishment
from cpro.students.models import Origin, Student
from cpro.transfers import guesses
from cpro.transfers.guesses import Held
from cpro.transfers.identity import Pupil, differ
from cpro.transfers.lifecycle import MATCHED
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState
from cpro.transfers.pairs import Pair, School, StoredTransfer, Verdict

_PAGE = 5000
#: States in which each run judges a pair again: what they depend on is not visible to the statements below.
_DOUBTFUL = frozenset({TransferState.BLOCKED, TransferState.CONFLICT, TransferState.AGREEMENT})
_CLOSED = frozenset({TransferState.CANCELLED, TransferState.REFUSED})


def find_pairs(
    session: Session, *, establishment_id: int | None = None, ines: Collection[str] | None = None
) -> set[Pair]:
    """Return the pairs whose verdict may have changed: all, or those of the INE known in a school, or of given INE.

    One statement for each of: departed and present, present twice, rows whose pair no longer exists.
    """
    found: set[Pair] = set()
    found.update(Pair(*row) for row in session.execute(_departed_and_present(establishment_id, ines)))
    found.update(_read_present_twice(session, _present_twice(establishment_id, ines)))
    for destination_id, destination_student_id, source_id, source_student_id in session.execute(
        _no_longer(establishment_id, ines)
    ):
        if destination_student_id is not None:
            found.add(Pair(destination_id, destination_student_id, source_id, source_student_id))
    return found


#: Makes PostgreSQL count pupils along the index of INE instead of sorting them all: row-level security hides the number
#: of rows from its planner, which then assumes that there are few to sort.
_ALONG_THE_INDEX = {"enable_sort": "off", "enable_hashagg": "off", "max_parallel_workers_per_gather": "0"}


def _read_present_twice(session: Session, statement: Select[int, int, int, int]) -> list[Pair]:
    if session.get_bind().dialect.name != "postgresql":
        return [Pair(*row) for row in session.execute(statement)]
    with session.begin_nested() as while_reading:
        for setting, value in _ALONG_THE_INDEX.items():
            session.execute(select(func.set_config(setting, value, True)))
        pairs = [Pair(*row) for row in session.execute(statement)]
        while_reading.rollback()  # restores the settings
    return pairs


def judge(session: Session, pairs: Iterable[Pair], *, asked: Collection[Pair] = (), now: datetime) -> list[Verdict]:
    """Return the verdict on each pair from the current rows; `asked` has the closed pairs that are asked for again."""
    verdicts: list[Verdict] = []
    ordered, held = sorted(set(pairs)), guesses.find_held(session, now=now)
    for start in range(0, len(ordered), _PAGE):
        verdicts += _judge_page(session, ordered[start : start + _PAGE], asked, held)
    return verdicts


def list_twins(session: Session, source_student_ids: Collection[int]) -> set[Pair]:
    """Return the pairs stored as twins, among those of some pupils."""
    columns = [getattr(Transfer, name) for name in Pair._fields]
    rows = session.execute(
        select(*columns).where(
            Transfer.is_current,
            Transfer.source_student_id.in_(source_student_ids),
            Transfer.state == TransferState.TWINS,
        )
    )
    return {Pair._make(row) for row in rows}


def load_schools(session: Session, ids: Collection[int]) -> dict[int, School]:
    """Return schools by id."""
    columns = [getattr(Establishment, name) for name in School._fields]
    return {row.id: School._make(row) for row in session.execute(select(*columns).where(Establishment.id.in_(ids)))}


def load_pupils(session: Session, ids: Collection[int]) -> dict[int, Pupil]:
    """Return pupils by id."""
    columns = [getattr(Student, name) for name in Pupil._fields]
    return {row.id: Pupil._make(row) for row in session.execute(select(*columns).where(Student.id.in_(ids)))}


# --- Statements ----------------------------------------------------------------------------------------------------


def _within(
    ine: InstrumentedAttribute[str | None], establishment_id: int | None, ines: Collection[str] | None
) -> list[ColumnElement[bool]]:
    """Return the conditions on the INE to look for; none for a run on all schools."""
    if ines is not None:
        return [ine.in_(ines)]
    if establishment_id is None:
        return []
    known = aliased(Student)
    return [ine.in_(select(known.ine).where(known.establishment_id == establishment_id, known.ine.is_not(None)))]


def _departed_and_present(establishment_id: int | None, ines: Collection[str] | None) -> Select[int, int, int, int]:
    source, destination = aliased(Student), aliased(Student)
    source_enabled, destination_enabled = _is_on(source.establishment_id), _is_on(destination.establishment_id)
    state = Transfer.state
    return (
        select(destination.establishment_id, destination.id, source.establishment_id, source.id)
        .join(destination, and_(destination.ine == source.ine, destination.is_active, destination.ine.is_not(None)))
        .outerjoin(
            Transfer,
            and_(
                Transfer.source_student_id == source.id,
                Transfer.destination_student_id == destination.id,
                Transfer.is_current,
            ),
        )
        .where(
            ~source.is_active,
            source.ine.is_not(None),
            source.establishment_id != destination.establishment_id,
            or_(
                and_(Transfer.id.is_(None), or_(source_enabled, destination_enabled)),
                state.in_(_DOUBTFUL | {TransferState.TWINS}),
                and_(
                    state == TransferState.DONE,
                    ~Transfer.is_offer,
                    Transfer.departed_on.is_distinct_from(source.departed_on),
                    source_enabled,
                    destination_enabled,
                ),
                and_(state == TransferState.WAITING_SOURCE, source_enabled),
                and_(state == TransferState.WAITING_DESTINATION, destination_enabled),
            ),
            *_within(source.ine, establishment_id, ines),
        )
    )


def _is_on(establishment_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition of a school that activated transfers; they are few: the database keeps them in memory."""
    school = aliased(Establishment)
    return establishment_id.in_(select(school.id).where(school.transfers_enabled))


def _present_twice(establishment_id: int | None, ines: Collection[str] | None) -> Select[int, int, int, int]:
    one, other, counted = aliased(Student), aliased(Student), aliased(Student)
    twice = (
        select(counted.ine)
        .where(counted.is_active, counted.ine.is_not(None), *_within(counted.ine, establishment_id, ines))
        .group_by(counted.ine)
        .having(func.count() > 1)
        .cte("twice")
    )
    return (
        select(other.establishment_id, other.id, one.establishment_id, one.id)
        .select_from(twice)
        .join(one, and_(one.ine == twice.c.ine, one.is_active, one.ine.is_not(None)))
        .join(other, and_(other.ine == twice.c.ine, other.is_active, other.ine.is_not(None), other.id > one.id))
        .outerjoin(
            Transfer,
            and_(
                Transfer.source_student_id == one.id, Transfer.destination_student_id == other.id, Transfer.is_current
            ),
        )
        .where(
            _is_on(one.establishment_id),
            _is_on(other.establishment_id),
            or_(Transfer.id.is_(None), Transfer.state.not_in(_CLOSED | {TransferState.TWINS})),
        )
    )


def _no_longer(establishment_id: int | None, ines: Collection[str] | None) -> Select[int, int | None, int, int]:
    source, destination = aliased(Student), aliased(Student)
    state = Transfer.state
    parted = or_(
        source.id.is_(None),
        destination.id.is_(None),
        source.ine.is_(None),
        destination.ine.is_(None),
        source.ine != destination.ine,
    )
    either_on = or_(_is_on(Transfer.source_id), _is_on(Transfer.destination_id))
    both_on = and_(_is_on(Transfer.source_id), _is_on(Transfer.destination_id))
    conditions: list[ColumnElement[bool]] = [
        or_(
            and_(state == TransferState.DONE, or_(source.is_active, ~destination.is_active)),
            and_(
                state.in_(MATCHED - {TransferState.TWINS}),
                or_(parted, source.is_active, ~destination.is_active, ~either_on),
            ),
            and_(state.in_(_DOUBTFUL), ~both_on),
            and_(
                state == TransferState.TWINS,
                or_(parted, ~source.is_active, ~destination.is_active, ~both_on),
            ),
        ),
    ]
    if ines is not None:
        conditions.append(or_(source.ine.in_(ines), destination.ine.in_(ines)))
    elif establishment_id is not None:
        conditions.append(or_(Transfer.source_id == establishment_id, Transfer.destination_id == establishment_id))
    return (
        select(Transfer.destination_id, Transfer.destination_student_id, Transfer.source_id, Transfer.source_student_id)
        .outerjoin(source, source.id == Transfer.source_student_id)
        .outerjoin(destination, destination.id == Transfer.destination_student_id)
        .where(Transfer.is_current, Transfer.destination_student_id.is_not(None), *conditions)
    )


# --- Verdicts ------------------------------------------------------------------------------------------------------


def _judge_page(session: Session, pairs: Sequence[Pair], asked: Collection[Pair], held: Held) -> list[Verdict]:
    pupils = load_pupils(
        session, {id_ for pair in pairs for id_ in (pair.source_student_id, pair.destination_student_id)}
    )
    schools = load_schools(session, {id_ for pair in pairs for id_ in (pair.source_id, pair.destination_id)})
    stored = _load_stored(session, pairs)
    present = _count_present(session, {pupil.ine for pupil in pupils.values() if pupil.ine})
    verdicts = []
    for pair in pairs:
        source, destination = pupils.get(pair.source_student_id), pupils.get(pair.destination_student_id)
        row = stored.get((pair.source_student_id, pair.destination_student_id))
        over = _is_over(row, source, destination)
        if row is not None and not over and _keeps(row, is_asked=pair in asked):
            verdicts.append(Verdict(pair, source, destination, row, row.state))
            continue
        they_differ = bool(
            source and destination and (differ(source, destination) or guesses.is_held(held, source, destination))
        )
        state = _get_state(pair, source, destination, schools, present, None if over else row, they_differ)
        verdicts.append(Verdict(pair, source, destination, row, state, over=over, identities_differ=they_differ))
    return verdicts


def _load_stored(session: Session, pairs: Sequence[Pair]) -> dict[tuple[int, int | None], StoredTransfer]:
    columns = [getattr(Transfer, name) for name in StoredTransfer._fields if name != "identities_differ"]
    rows = session.execute(
        select(*columns, TransferSide.identities_differ)
        .outerjoin(
            TransferSide,
            and_(TransferSide.transfer_id == Transfer.id, TransferSide.direction == Direction.DESTINATION),
        )
        .where(Transfer.is_current, Transfer.source_student_id.in_({p.source_student_id for p in pairs}))
    )
    return {(row.source_student_id, row.destination_student_id): StoredTransfer._make(row) for row in rows}


def _count_present(session: Session, ines: Collection[str]) -> dict[str, int]:
    """Return how many active pupils have each INE, in any school."""
    rows = session.execute(
        select(Student.ine, func.count())
        .where(Student.is_active, Student.ine.is_not(None), Student.ine.in_(ines))
        .group_by(Student.ine)
    )
    return {ine: count for ine, count in rows if ine is not None}


def _is_over(row: StoredTransfer | None, source: Pupil | None, destination: Pupil | None) -> bool:
    """Return whether a copy that was made is over: the pupil went back, or left on another day."""
    if row is None or row.state is not TransferState.DONE or source is None or destination is None:
        return False
    went_back = source.is_active or not destination.is_active
    return went_back or (not row.is_offer and row.departed_on != source.departed_on)


def _keeps(row: StoredTransfer, *, is_asked: bool) -> bool:
    """Return whether a row stays as it is whatever the data says."""
    return not is_asked and row.state not in MATCHED


def _get_state(
    pair: Pair,
    source: Pupil | None,
    destination: Pupil | None,
    schools: dict[int, School],
    present: dict[str, int],
    row: StoredTransfer | None,
    they_differ: bool,
) -> TransferState | None:
    """Return the state that a pair without a copy should have, or None when no transfer should be stored."""
    if source is None or destination is None or not destination.is_active:
        return None
    is_offer = row is not None and row.is_offer
    if not is_offer and (source.ine is None or source.ine != destination.ine):
        return None
    source_enabled, destination_enabled = (
        schools[pair.source_id].transfers_enabled,
        schools[pair.destination_id].transfers_enabled,
    )
    if source.is_active:
        are_twins = source_enabled and destination_enabled and source.id < destination.id and not is_offer
        return TransferState.TWINS if are_twins else None
    if source.establishment_id == destination.establishment_id:
        return None
    if not source_enabled or not destination_enabled:
        if not source_enabled and not destination_enabled:
            return None
        return TransferState.WAITING_DESTINATION if source_enabled else TransferState.WAITING_SOURCE
    if destination.ine and present.get(destination.ine, 0) > 1:
        return TransferState.BLOCKED
    return _get_open_state(destination, row, they_differ)


def _get_open_state(destination: Pupil, row: StoredTransfer | None, they_differ: bool) -> TransferState:
    """Return which decision is missing; where identities differ, one school's decision alone never leads to a copy."""
    if they_differ and (row is None or row.confirmed_at is None):
        return TransferState.CONFLICT
    if (they_differ or destination.came_by is not Origin.SIECLE) and (row is None or row.agreed_at is None):
        return TransferState.AGREEMENT
    return TransferState.DONE

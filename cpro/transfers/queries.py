"""What a school reads of its own transfers: its sides, under the ordinary filter, in its own session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from cpro.core import tenancy
from cpro.core.lists import hold_words
from cpro.core.search import find_words
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.students.models import Student
from cpro.students.queries import kept_since
from cpro.transfers.errors import NoSuchTransfer
from cpro.transfers.identity import Pupil
from cpro.transfers.lifecycle import PENDING, TO_DECIDE, Event, check_event, find_refusal
from cpro.transfers.matching import load_pupils
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState


@dataclass(frozen=True)
class Figures:
    """How many transfers of the school are in each situation."""

    #: DONE, by direction
    received: int
    sent: int
    #: that wait for this school: to confirm, to agree, to link
    to_decide: int
    #: that wait for the other school, or for files
    waiting: int


@dataclass(frozen=True)
class ToDecide:
    """How many transfers wait for the school, by what they wait for."""

    conflicts: int
    agreements: int
    offers: int
    blocked: int


@dataclass(frozen=True)
class FirstTransfer:
    """The first transfer between the school and another one."""

    side_id: int
    other_name: str
    other_uai: str
    done_at: datetime


def get_side(side_id: int) -> TransferSide:
    """Return a side of the school, or raise `NoSuchTransfer`."""
    found = db.session.get(TransferSide, side_id)
    if found is None:
        raise NoSuchTransfer
    return found


def check_open(event: Event, side: TransferSide, *, now: datetime) -> None:
    """Raise as `lifecycle.check_event`, for the page of an event: before it is shown, and once it is sent."""
    with tenancy.platform_session("transfers: may this happen?") as session:
        check_event(session, event, side, now=now)


def list_identities(side: TransferSide, *, now: datetime) -> list[Pupil]:
    """Return whom to compare before a decision on identities that differ: the school's own pupil, then the other's.

    The other's is read across schools, for the school of origin alone and once it is asked for its agreement.
    """
    if not side.identities_differ or side.student_id is None:
        return []
    is_asked = find_refusal(Event.AGREE, side, now=now) is None
    with tenancy.platform_session("transfers: identities to compare") as session:
        transfer = session.get(Transfer, side.transfer_id)
        if transfer is None:
            return []
        ids = [side.student_id, *([transfer.destination_student_id] if is_asked else [])]
        pupils = load_pupils(session, [each for each in ids if each])
    return [pupils[each] for each in ids if each in pupils]


def count_sides() -> Figures:
    """Return the figures of the school, in one statement."""
    direction = TransferSide.direction
    done = TransferSide.state == TransferState.DONE
    conditions = (
        and_(done, direction == Direction.DESTINATION),
        and_(done, direction == Direction.SOURCE),
        _waits_for_us(),
        and_(_is_pending(), ~_waits_for_us()),
    )
    sums = (func.coalesce(func.sum(case((condition, 1), else_=0)), 0) for condition in conditions)
    return Figures(*db.session.execute(select(*sums).select_from(TransferSide)).one())


def list_closed(direction: Direction, *, limit: int, offset: int = 0, sought: str = "") -> Sequence[TransferSide]:
    """Return sides DONE, CANCELLED, REFUSED or EXPIRED, the latest first; `sought` looks in pupil and other school."""
    return db.session.scalars(
        select(TransferSide)
        .where(
            TransferSide.direction == direction,
            ~_is_pending(),
            *find_words(TransferSide, sought),
        )
        .order_by(TransferSide.changed_at.desc(), TransferSide.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def list_candidates(*, limit: int, offset: int = 0, sought: str = "") -> Sequence[TransferSide]:
    """Return the sides that are pending, those that wait for this school first, then by pupil, offers among them."""
    return db.session.scalars(
        select(TransferSide)
        .where(_is_pending(), *find_words(TransferSide, sought))
        .order_by(case((_waits_for_us(), 0), else_=1), TransferSide.search_key, TransferSide.id)
        .limit(limit)
        .offset(offset)
    ).all()


def list_without_destination(today: date, *, limit: int, offset: int = 0) -> Sequence[Student]:
    """Return departed pupils with an INE, within the retention period, of whom no transfer is known, by name."""
    since = kept_since(get_current_establishment().retention_years, today)
    return db.session.scalars(
        select(Student)
        .where(
            ~Student.is_active,
            Student.ine.is_not(None),
            or_(Student.departed_on.is_(None), Student.departed_on >= since),
            ~_has_side(),
        )
        .order_by(Student.search_key, Student.id)
        .limit(limit)
        .offset(offset)
    ).all()


def list_transfers_of(student_id: int) -> Sequence[TransferSide]:
    """Return what the school sees of the transfers of one of its pupils, oldest first."""
    return db.session.scalars(
        select(TransferSide).where(TransferSide.student_id == student_id).order_by(TransferSide.id)
    ).all()


def list_offerable(*, limit: int, sought: str = "") -> Sequence[Student]:
    """Return departed pupils whom no school waits for nor received, by name: those an offer may name."""
    held = (TransferState.OFFERED, TransferState.DONE)
    return db.session.scalars(
        select(Student)
        .where(
            ~Student.is_active,
            Student.merged_into_id.is_(None),
            ~_has_side(TransferSide.state.in_(held)),
            *find_words(Student, sought),
        )
        .order_by(Student.search_key, Student.id)
        .limit(limit)
    ).all()


def list_linkable(side: TransferSide, *, limit: int, sought: str = "") -> Sequence[Student]:
    """Return active pupils of the school whom an offered side may be, born that day first, then named so.

    `sought` keeps those whose name holds all of its words.
    """
    words = hold_words(side.student_label, Student.search_key)
    named = or_(*words) if words else Student.id.is_(None)
    likeness = case(
        (and_(Student.birth_date == side.offered_birth_date, named), 0),
        (Student.birth_date == side.offered_birth_date, 1),
        (and_(*words) if words else Student.id.is_(None), 2),
        (named, 3),
        else_=4,
    )
    return db.session.scalars(
        select(Student)
        .where(Student.is_active, *find_words(Student, sought))
        .order_by(likeness, Student.search_key, Student.id)
        .limit(limit)
    ).all()


def list_chosen(ids: Sequence[int], *, present: bool) -> Sequence[Student]:
    """Return the pupils of the school among some ids, all present or all departed, by name."""
    return db.session.scalars(
        select(Student)
        .where(Student.id.in_(ids), Student.is_active if present else ~Student.is_active)
        .order_by(Student.search_key, Student.id)
    ).all()


def may_offer() -> bool:
    """Return whether the school sees the list of offers: it, or a school with transfers on, does not use SIECLE.

    Whether another school does is asked across schools: yes or no, never which.
    """
    own = get_current_establishment()
    if not own.uses_siecle:
        return True
    with tenancy.platform_session("transfers: does a school without SIECLE exchange?") as session:
        found = session.scalars(
            select(Establishment.id)
            .where(Establishment.transfers_enabled, ~Establishment.uses_siecle, Establishment.id != own.id)
            .limit(1)
        ).first()
    return found is not None


def count_to_decide() -> ToDecide:
    """Return what waits for the school, in one statement."""
    counts: Counter[tuple[Direction, TransferState]] = Counter()
    for direction, state, count in db.session.execute(
        select(TransferSide.direction, TransferSide.state, func.count())
        .where(TransferSide.state.in_(PENDING))
        .group_by(TransferSide.direction, TransferSide.state)
    ):
        counts[direction, state] = count
    return ToDecide(
        conflicts=counts[Direction.DESTINATION, TransferState.CONFLICT],
        agreements=counts[Direction.SOURCE, TransferState.AGREEMENT],
        offers=counts[Direction.DESTINATION, TransferState.OFFERED],
        blocked=sum(
            counts[direction, state]
            for direction in Direction
            for state in (TransferState.TWINS, TransferState.BLOCKED)
        ),
    )


def list_first_transfers(since: datetime, *, limit: int) -> Sequence[FirstTransfer]:
    """Return the first transfer with each school met since an instant, the latest first."""
    first = (
        select(func.min(TransferSide.id).label("id"))
        .where(TransferSide.done_at.is_not(None))
        .group_by(TransferSide.other_uai, TransferSide.other_name)
        .subquery()
    )
    rows = db.session.execute(
        select(TransferSide.id, TransferSide.other_name, TransferSide.other_uai, TransferSide.done_at)
        .join(first, first.c.id == TransferSide.id)
        .where(TransferSide.done_at >= since)
        .order_by(TransferSide.done_at.desc(), TransferSide.id)
        .limit(limit)
    )
    return [FirstTransfer(id_, name, uai, done_at) for id_, name, uai, done_at in rows if done_at is not None]


def count_by_month(bounds: Sequence[datetime]) -> list[tuple[int, int]]:
    """Return, for each period between two bounds, how many transfers the school received and how many it sent."""
    sums = []
    for start, end in pairwise(bounds):
        inside = and_(TransferSide.done_at >= start, TransferSide.done_at < end)
        for direction in (Direction.DESTINATION, Direction.SOURCE):
            counted = and_(inside, TransferSide.direction == direction)
            sums.append(func.coalesce(func.sum(case((counted, 1), else_=0)), 0))
    row = db.session.execute(
        select(*sums)
        .select_from(TransferSide)
        .where(
            TransferSide.state == TransferState.DONE,
            TransferSide.done_at >= bounds[0],
            TransferSide.done_at < bounds[-1],
        )
    ).one()
    return list(zip(row[::2], row[1::2], strict=True))


def _is_pending() -> ColumnElement[bool]:
    return TransferSide.state.in_(PENDING)


def _waits_for_us() -> ColumnElement[bool]:
    """Return the condition of the sides that wait for a person of the school."""
    return or_(
        *(
            and_(
                TransferSide.direction == direction,
                TransferSide.state.in_(states),
            )
            for direction, states in TO_DECIDE.items()
        )
    )


def _has_side(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of a pupil of whom the source school knows a current transfer."""
    return (
        select(TransferSide.id)
        .where(
            TransferSide.student_id == Student.id,
            TransferSide.direction == Direction.SOURCE,
            TransferSide.is_current,
            *conditions,
        )
        .exists()
    )

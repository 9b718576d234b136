"""Read a school's own transfers: its sides, under the ordinary filter, in its own session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.counts import Counted, count_together
from cpro.core.lists import ListState, Page, contains_words, find_page_from
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor, Principal
from cpro.core.search import find_words
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.students.models import Student
from cpro.students.queries import kept_since
from cpro.transfers.errors import NoSuchTransfer
from cpro.transfers.identity import Pupil
from cpro.transfers.lifecycle import CANCEL_PERIOD, PENDING, TO_DECIDE, Event, check_event, find_refusal
from cpro.transfers.matching import load_pupils
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState

#: The journal line of a first transfer that a person of the school checked.
CHECKED = "transfer:checked"
#: How many of the latest transfers are searched for the first one with a school.
_FIRSTS_AMONG = 1_000


@dataclass(frozen=True)
class Figures:
    """How many transfers of the school are in each situation."""

    #: DONE, by direction
    received: int
    sent: int
    #: waiting for this school: to confirm, to agree, to link
    to_decide: int
    #: waiting for the other school, or for an import
    waiting: int


@dataclass(frozen=True)
class FirstTransfer:
    """The first transfer between the school and another one."""

    side_id: int
    direction: Direction
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
    """Raise as `lifecycle.check_event`, for the page of an event: before it is shown, and once it is submitted."""
    with tenancy.platform_session("transfers: may this happen?") as session:
        check_event(session, event, side, now=now)


def list_identities(side: TransferSide, *, now: datetime) -> list[Pupil]:
    """Return the identities to compare before a decision where they differ: the school's own pupil, then the other's.

    The other's is read across schools, only for the source school and once it is asked for its agreement.
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
    """Return the counts of the school's transfers, in one statement."""
    asked: dict[tuple[str, Direction], Counted] = {}
    for way in Direction:
        sides = select(TransferSide.id).where(TransferSide.direction == way)
        asked["done", way] = Counted(sides.where(TransferSide.state == TransferState.DONE))
        asked["ours", way] = Counted(sides.where(TransferSide.state.in_(TO_DECIDE[way])))
        asked["theirs", way] = Counted(sides.where(TransferSide.state.in_(PENDING - TO_DECIDE[way])))
    counts = count_together(asked)
    return Figures(
        received=counts["done", Direction.DESTINATION],
        sent=counts["done", Direction.SOURCE],
        to_decide=sum(counts["ours", way] for way in Direction),
        waiting=sum(counts["theirs", way] for way in Direction),
    )


def find_closed(asked: ListState, direction: Direction) -> Page[TransferSide]:
    """Return a page of the sides DONE, CANCELLED, REFUSED or EXPIRED, latest first.

    A search looks at the pupil's name and the other school.
    """
    closed = select(TransferSide).where(
        TransferSide.direction == direction, ~_is_pending(), *find_words(TransferSide, asked.search)
    )
    return find_page_from(asked, closed, TransferSide.changed_at.desc(), TransferSide.id.desc())


def find_pending(asked: ListState) -> Page[TransferSide]:
    """Return a page of the pending sides: those that wait for this school first, then by pupil, offers included.

    No index has this order: pending sides are sorted at each request. They are few: a decision or a run ends them.
    """
    pending = select(TransferSide).where(_is_pending(), *find_words(TransferSide, asked.search))
    rank = case((_waits_for_us(), 0), else_=1)
    return find_page_from(asked, pending, rank, TransferSide.search_key, TransferSide.id)


def list_without_destination(today: date, *, limit: int) -> Sequence[Student]:
    """Return departed pupils with an INE, within the retention period and without a known transfer, by name."""
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
    ).all()


def list_transfers_of(student_id: int) -> Sequence[TransferSide]:
    """Return the school's sides of the transfers of one of its pupils, oldest first."""
    return db.session.scalars(
        select(TransferSide).where(TransferSide.student_id == student_id).order_by(TransferSide.id)
    ).all()


def list_offerable(*, limit: int, sought: str = "") -> Sequence[Student]:
    """Return departed pupils without a waiting or received transfer, by name: those that may be offered."""
    held = (TransferState.OFFERED, TransferState.DONE)
    return db.session.scalars(
        select(Student)
        .where(
            ~Student.is_active,
            Student.is_unmerged(),
            ~_has_side(TransferSide.state.in_(held)),
            *find_words(Student, sought),
        )
        .order_by(Student.search_key, Student.id)
        .limit(limit)
    ).all()


def list_linkable(side: TransferSide, *, limit: int, sought: str = "") -> Sequence[Student]:
    """Return active pupils of the school who may match an offered side: same birth date first, then same name.

    `sought` keeps those whose name contains all of its words.
    """
    words = contains_words(side.student_label, Student.search_key)
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
    """Return the school's pupils among some ids, all present or all departed, by name."""
    return db.session.scalars(
        select(Student)
        .where(Student.id.in_(ids), Student.is_active if present else ~Student.is_active, Student.is_unmerged())
        .order_by(Student.search_key, Student.id)
    ).all()


def may_offer() -> bool:
    """Return whether the school sees the list of offers: it, or another school with transfers on, does not use SIECLE.

    The other schools are read across schools: the answer is yes or no, never which one.
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


def select_in_state(direction: Direction, state: TransferState) -> Select[int]:
    """Return the ids of the sides of the school that are in a state."""
    return select(TransferSide.id).where(TransferSide.direction == direction, TransferSide.state == state)


def select_to_decide() -> Select[int]:
    """Return the ids of the sides that wait for a decision of the school: identities, agreements, offered pupils."""
    received = and_(
        TransferSide.direction == Direction.DESTINATION,
        TransferSide.state.in_((TransferState.CONFLICT, TransferState.OFFERED)),
    )
    sent = and_(TransferSide.direction == Direction.SOURCE, TransferSide.state == TransferState.AGREEMENT)
    return select(TransferSide.id).where(or_(received, sent))


def select_blocked() -> Select[int]:
    """Return the ids of the sides that are blocked by an INE present twice."""
    return select(TransferSide.id).where(TransferSide.state.in_((TransferState.TWINS, TransferState.BLOCKED)))


def select_done_between(start: datetime, end: datetime, direction: Direction) -> Select[int]:
    """Return the ids of the transfers that the school received, or sent, in a period."""
    return select_in_state(direction, TransferState.DONE).where(
        TransferSide.done_at >= start, TransferSide.done_at < end
    )


def list_first_transfers(since: datetime, *, reader: Principal | Actor, limit: int) -> Sequence[FirstTransfer]:
    """Return the first transfer with each school met since an instant, latest first, unless the reader checked it.

    A person's check is their own: nobody takes a transfer out of another's sight. They are searched for among the
    latest transfers.
    """
    checked = db.session.scalars(
        select(AuditEntry.object_id).where(
            AuditEntry.action == CHECKED,
            AuditEntry.at >= since,
            AuditEntry.actor_kind == reader.kind,
            AuditEntry.actor_id == reader.id,
        )
    ).all()
    recent = (
        select(TransferSide.id)
        .where(TransferSide.done_at >= since)
        .order_by(TransferSide.done_at.desc(), TransferSide.id.desc())
        .limit(_FIRSTS_AMONG)
    )
    earlier = aliased(TransferSide)
    is_first = ~exists().where(
        earlier.other_uai == TransferSide.other_uai,
        earlier.other_name == TransferSide.other_name,
        earlier.done_at.is_not(None),
        # As in `students.queries`: SQLite would use the index of ids instead of that of the other school.
        func.coalesce(earlier.id, 0) < TransferSide.id,
    )
    rows = db.session.execute(
        select(
            TransferSide.id,
            TransferSide.direction,
            TransferSide.other_name,
            TransferSide.other_uai,
            TransferSide.done_at,
        )
        .where(
            TransferSide.done_at >= since,
            TransferSide.state == TransferState.DONE,
            TransferSide.id.in_(recent),
            TransferSide.id.not_in([each for text in checked if (each := read_id(text))]),
            is_first,
        )
        .order_by(TransferSide.done_at.desc(), TransferSide.id)
        .limit(limit)
    )
    return [FirstTransfer(id_, way, name, uai, at) for id_, way, name, uai, at in rows if at is not None]


def is_to_check(side: TransferSide, now: datetime, *, reader: Principal | Actor) -> bool:
    """Return whether a transfer is the first with a school, may still be cancelled, and the reader did not check it."""
    firsts = list_first_transfers(now - CANCEL_PERIOD, reader=reader, limit=_FIRSTS_AMONG)
    return side.id in {first.side_id for first in firsts}


def was_checked(side: TransferSide) -> bool:
    """Return whether somebody of the school said that a first transfer was expected."""
    line = select(AuditEntry.id).where(
        AuditEntry.object_type == "transfer", AuditEntry.object_id == str(side.id), AuditEntry.action == CHECKED
    )
    return db.session.scalar(line.limit(1)) is not None


def _is_pending() -> ColumnElement[bool]:
    return TransferSide.state.in_(PENDING)


def _waits_for_us() -> ColumnElement[bool]:
    """Return the condition selecting sides that wait for a person of the school."""
    ways = (and_(TransferSide.direction == way, TransferSide.state.in_(states)) for way, states in TO_DECIDE.items())
    return or_(*ways)


def _has_side(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of a pupil who has a current transfer known to the source school."""
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

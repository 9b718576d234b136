"""Run the matching of pupils: find the pairs to judge, apply the verdicts in batches, record them in source schools.

A run may be killed at any point, repeated, or run beside another. Each batch is one short transaction, for one
destination school or several small ones, judged again under the locks; the next run does what a killed run left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import lock_schools, platform_unit_of_work
from cpro.transfers import guesses, matching
from cpro.transfers.models import Direction, SchoolPair, Transfer, TransferSide
from cpro.transfers.notifications import notify_heads
from cpro.transfers.pairs import Pair
from cpro.transfers.recording import named_to, record_copies
from cpro.transfers.verdicts import apply_verdicts, write_in_bulk

#: Pupils copied in one transaction, which locks the rows of their schools, or the single writer of SQLite: some
#: thousands of rows, a tenth of a second.
BATCH = 100
#: Schools whose journals are written in one transaction, which locks their rows.
_SCHOOLS_AT_ONCE = 20
_REASON = "transfers: run"
#: The actor shown in the journal of a school that did not request the run.
_AUTOMATIC = "Le transfert automatique"


@dataclass
class RunFigures:
    """The results of a run."""

    #: pairs with something to do
    pairs: int = 0
    transfers: int = 0
    records: int = 0
    #: pairs that now wait for a decision, or no longer do
    changed: int = 0

    def as_result(self) -> dict[str, int]:
        """Return the figures as the result of a job."""
        return asdict(self)


def run(
    *,
    by: Actor,
    clock: Callable[[], datetime],
    establishment_id: int | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> RunFigures:
    """Match and copy, for all schools or for the pupils whose INE one school has; return what was done.

    `by` belongs to the given school, or to the platform: other schools' journals name no person. Opens its own
    transactions: call it outside any. `progress` is called between two of them, with the number of pairs done.
    """

    def named(school_id: int) -> Actor:
        return named_to(by, is_own=school_id == establishment_id, otherwise=_AUTOMATIC)

    figures = RunFigures()
    pairs = _find(establishment_id, now=clock())
    touched = _ines_of_twins(pairs) if establishment_id is not None else set()
    _apply_all(pairs, figures, named=named, clock=clock, progress=progress)
    if touched:
        # When a pupil is no longer present twice, pupils of schools outside this run may be unblocked.
        _apply_all(_find(None, touched, now=clock()), figures, named=named, clock=clock, progress=progress)
    _record_sent(named=named, clock=clock, progress=progress)
    _notify_all_heads(clock)
    return figures


def _find(establishment_id: int | None, ines: set[str] | None = None, *, now: datetime) -> list[Pair]:
    """Return the pairs to judge, by destination school; takes no lock."""
    with tenancy.platform_session(_REASON) as session:
        pairs = matching.find_pairs(session, establishment_id=establishment_id, ines=ines)
        judged = matching.judge(session, pairs, now=now)
        untried = guesses.find_untried(session, judged, now=now)
        return sorted(each.pair for each in judged if each.changes_something or each.pair in untried)


def _ines_of_twins(pairs: list[Pair]) -> set[str]:
    """Return the INE of the pairs stored as twins, which a change of the school may have unblocked elsewhere."""
    with tenancy.platform_session(_REASON) as session:
        changed = matching.list_twins(session, {pair.source_student_id for pair in pairs})
        ids = {
            id_ for pair in pairs if pair in changed for id_ in (pair.source_student_id, pair.destination_student_id)
        }
        return {pupil.ine for pupil in matching.load_pupils(session, ids).values() if pupil.ine}


def _apply_all(
    pairs: list[Pair],
    figures: RunFigures,
    *,
    named: Callable[[int], Actor],
    clock: Callable[[], datetime],
    progress: Callable[[int, int], object],
) -> None:
    figures.pairs += len(pairs)
    done = 0
    for batch in _batches(pairs):
        with platform_unit_of_work(_REASON) as work:
            applied = apply_verdicts(work.session, batch, now=clock())
            record_copies(
                work.session,
                applied.received,
                Direction.DESTINATION,
                applied.transfer_ids,
                named=named,
                now=clock(),
            )
        figures.transfers += applied.copied
        figures.records += applied.records
        figures.changed += applied.changed
        done += len(batch)
        progress(done, len(pairs))


def _batches(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs of each transaction: those of a school, of a part of a large one, or of several small ones."""
    batch: list[Pair] = []
    for _establishment_id, group in groupby(pairs, key=lambda pair: pair.destination_id):
        received = list(group)
        for start in range(0, len(received), BATCH):
            part = received[start : start + BATCH]
            if batch and len(batch) + len(part) > BATCH:
                yield batch
                batch = []
            batch += part
    if batch:
        yield batch


def _record_sent(
    *, named: Callable[[int], Actor], clock: Callable[[], datetime], progress: Callable[[int, int], object]
) -> None:
    """Record in each source school what followed its pupils: one line for all that has no line yet."""
    with tenancy.platform_session(_REASON) as session:
        schools = sorted(
            session.scalars(
                select(Transfer.source_id)
                .where(Transfer.recorded_at.is_(None), Transfer.done_at.is_not(None))
                .distinct()
            )
        )
    for start in range(0, len(schools), _SCHOOLS_AT_ONCE):
        some = schools[start : start + _SCHOOLS_AT_ONCE]
        with platform_unit_of_work(_REASON) as work:
            _record_sent_by(work.session, some, named=named, now=clock())
        progress(start + len(some), len(schools))


def _notify_all_heads(clock: Callable[[], datetime]) -> None:
    """Notify the heads of the schools of new pairs; take no lock if there are none."""
    with tenancy.platform_session(_REASON) as session:
        remaining = session.scalars(select(SchoolPair.id).where(SchoolPair.notified_at.is_(None)).limit(1)).first()
    while remaining:
        with platform_unit_of_work(_REASON) as work:
            remaining = notify_heads(work.session, now=clock())


def _record_sent_by(
    session: Session, establishment_ids: Sequence[int], *, named: Callable[[int], Actor], now: datetime
) -> None:
    lock_schools(session, establishment_ids)
    sent = session.execute(
        select(TransferSide.establishment_id, Transfer.id)
        .join(Transfer, Transfer.id == TransferSide.transfer_id)
        .where(
            TransferSide.direction == Direction.SOURCE,
            TransferSide.establishment_id == Transfer.source_id,
            *_unrecorded(establishment_ids),
        )
        .order_by(TransferSide.establishment_id)
    ).all()  # a school recorded meanwhile by another run has none
    recorded = sorted({row.establishment_id for row in sent})
    record_copies(session, recorded, Direction.SOURCE, [row.id for row in sent], named=named, now=now)
    write_in_bulk(session, update(Transfer).where(*_unrecorded(recorded)).values(recorded_at=now))


def _unrecorded(establishment_ids: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions selecting what was copied from some schools and is not in their journals yet."""
    return Transfer.source_id.in_(establishment_ids), Transfer.recorded_at.is_(None), Transfer.done_at.is_not(None)

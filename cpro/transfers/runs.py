"""Run the matching of pupils: find the pairs to judge, apply the verdicts in batches, record them where pupils left.

A run may be killed anywhere, repeated, or run beside another. Each batch is one short transaction of one destination
school, judged again under the locks; whatever a killed run left undone is found by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work
from cpro.transfers import matching
from cpro.transfers.copies import CopiedRecords
from cpro.transfers.matching import Pair
from cpro.transfers.models import Direction, SchoolPair, Transfer, TransferSide
from cpro.transfers.notifications import notify_heads
from cpro.transfers.verdicts import (
    apply_verdicts,
    audit_changes,
    lock_schools,
    named_to,
    record_reception,
    write_in_bulk,
)

#: Pupils copied in one transaction, which keeps the rows of two schools, or the single writer of SQLite: some thousands
#: of rows, a tenth of a second.
BATCH = 100
_REASON = "transfers: run"
#: Who acts in the journal of a school that did not ask for the run.
_AUTOMATIC = "Transferts automatiques"


@dataclass
class RunFigures:
    """What a run did."""

    #: pairs that called for something
    pairs: int = 0
    transfers: int = 0
    records: int = 0
    #: pairs that wait for a decision, or no longer do
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
    """Match and copy, for all schools or for the pupils whose INE one school knows; return what was done.

    `by` is of the school named, or the platform's: other schools' journals name no person. Opens its own transactions:
    call it outside any. `progress` is called, between two of them, with how many pairs are done.
    """

    def named(school_id: int) -> Actor:
        return named_to(by, is_own=school_id == establishment_id, otherwise=_AUTOMATIC)

    figures = RunFigures()
    pairs = _find(establishment_id)
    touched = _ines_of_twins(pairs) if establishment_id is not None else set()
    _apply_all(pairs, figures, named=named, clock=clock, progress=progress)
    if touched:
        # A pupil no longer present twice may free pupils of schools that this run does not look at.
        _apply_all(_find(None, touched), figures, named=named, clock=clock, progress=progress)
    _record_sent(named=named, clock=clock, progress=progress)
    _notify_all_heads(clock)
    return figures


def _find(establishment_id: int | None, ines: set[str] | None = None) -> list[Pair]:
    """Return the pairs to judge, by destination school; takes no lock."""
    with tenancy.platform_session(_REASON) as session:
        pairs = matching.find_pairs(session, establishment_id=establishment_id, ines=ines)
        return sorted(each.pair for each in matching.judge(session, pairs) if each.changes_something)


def _ines_of_twins(pairs: list[Pair]) -> set[str]:
    """Return the INE of the pupils that the school said to be present twice, and no longer is alone to say so."""
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
    for establishment_id, batch in _batches(pairs):
        with platform_unit_of_work(_REASON) as work:
            applied = apply_verdicts(work.session, batch, now=clock())
            if applied.copied:
                record_reception(work.session, establishment_id, applied, by=named(establishment_id), now=clock())
        figures.transfers += applied.copied
        figures.records += applied.records
        figures.changed += applied.changed
        done += len(batch)
        progress(done, len(pairs))


def _batches(pairs: list[Pair]) -> Iterator[tuple[int, list[Pair]]]:
    for establishment_id, group in groupby(pairs, key=lambda pair: pair.destination_id):
        received = list(group)
        for start in range(0, len(received), BATCH):
            yield establishment_id, received[start : start + BATCH]


def _record_sent(
    *, named: Callable[[int], Actor], clock: Callable[[], datetime], progress: Callable[[int, int], object]
) -> None:
    """Record in each source school what followed its pupils: one line for all that has no line yet."""
    with tenancy.platform_session(_REASON) as session:
        schools = session.scalars(
            select(Transfer.source_id).where(Transfer.recorded_at.is_(None), Transfer.done_at.is_not(None)).distinct()
        ).all()
    for done, establishment_id in enumerate(sorted(schools), 1):
        with platform_unit_of_work(_REASON) as work:
            _record_sent_by(work.session, establishment_id, by=named(establishment_id), now=clock())
        progress(done, len(schools))


def _notify_all_heads(clock: Callable[[], datetime]) -> None:
    """Notify the heads of the schools that met; lock nothing when none did."""
    with tenancy.platform_session(_REASON) as session:
        remaining = session.scalars(select(SchoolPair.id).where(SchoolPair.notified_at.is_(None)).limit(1)).first()
    while remaining:
        with platform_unit_of_work(_REASON) as work:
            remaining = notify_heads(work.session, now=clock())


def _record_sent_by(session: Session, establishment_id: int, *, by: Actor, now: datetime) -> None:
    lock_schools(session, [establishment_id])
    mine = (
        Transfer.source_id == establishment_id,
        Transfer.recorded_at.is_(None),
        Transfer.done_at.is_not(None),
    )
    sides, *sums = session.execute(
        select(
            func.count(),
            *(
                func.coalesce(func.sum(column), 0)
                for column in (TransferSide.fiches, TransferSide.bilans, TransferSide.evaluations)
            ),
        ).where(
            TransferSide.establishment_id == establishment_id,
            TransferSide.direction == Direction.SOURCE,
            TransferSide.transfer_id.in_(select(Transfer.id).where(*mine)),
        )
    ).one()
    if not sides:
        return  # another run recorded it meanwhile
    record(
        "transfer:sent",
        About("transfers", establishment_id, ""),
        by=by,
        now=now,
        changes=audit_changes(sides, CopiedRecords(*sums)),
        establishment_id=establishment_id,
        session=session,
    )
    write_in_bulk(session, update(Transfer).where(*mine).values(recorded_at=now))

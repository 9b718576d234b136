"""From files to an import that waits to be confirmed: read and compared outside any write transaction.

Few bytes are analysed at once, and kept in one transaction; many, by a job, in short transactions, a batch at a time,
so that people go on signing in meanwhile.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice

from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.imports.diff.comparison import SIECLEAnalysis, TableAnalysis
from cpro.imports.diff.proposals import Answers
from cpro.imports.diff.sources import Sources, TableSources
from cpro.imports.errors import AnalysisOutdated
from cpro.imports.models import ImportRun, RunState
from cpro.imports.queries import fingerprint_of_data, get_run, school_day
from cpro.imports.runs import lifecycle, ticks
from cpro.imports.runs.exclusion import lock_imports_and_school

#: Findings kept in one transaction: some hundredths of a second of the single writer of SQLite.
_BATCH = 1000
#: How often an analysis begins again because somebody wrote while it read.
_ATTEMPTS = 3
#: Of Python's collector of cycles, usually and while a file is read.
_USUAL_THRESHOLDS = gc.get_threshold()
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

Analysis = SIECLEAnalysis | TableAnalysis


def prepare(sources: Sources, *, today: dt.date, answers: Answers | None = None) -> Analysis:
    """Return the analysis of these files, not yet run."""
    if isinstance(sources, TableSources):
        return TableAnalysis(sources, today=today, answers=answers)
    return SIECLEAnalysis(sources, today=today, answers=answers)


def foresee(sources: Sources, *, now: datetime) -> Analysis:
    """Return an analysis of which nothing is kept but the figures. Raises as `SIECLEAnalysis.run` does."""
    analysis = prepare(sources, today=school_day(now))
    for _ in analysis.run():
        pass
    return analysis


def analyse(
    sources: Sources,
    *,
    opens_student_accounts: bool = False,
    by: Actor,
    now: datetime,
    heartbeat: Callable[[], None] = lambda: None,
) -> int:
    """Open an import, compare its files with the school, keep what is found; return its number.

    Raises `ImportUnderWay`, and as `SIECLEAnalysis.run` does: the import is then failed, and nothing waits for it.
    """
    today = school_day(now)
    with unit_of_work():
        run_id = lifecycle.open_run(
            sources, opens_student_accounts=opens_student_accounts, today=today, by=by, now=now
        ).id
    try:
        analysis = fill(run_id, prepare(sources, today=today), heartbeat=heartbeat)
        with unit_of_work():
            conclude(run_id, analysis, now=now)
    except Exception:
        with unit_of_work():
            run = get_run(run_id)
            if run.state is RunState.DEPOSITED:
                lifecycle.close_run(run, RunState.FAILED)
        raise
    return run_id


def fill(run_id: int, analysis: Analysis, *, heartbeat: Callable[[], None]) -> Analysis:
    """Run an analysis and keep what it finds, a batch at a time; its figures are then known."""
    found = analysis.run()
    with _seldom_collected():
        while batch := list(islice(found, _BATCH)):
            heartbeat()
            with unit_of_work():
                lifecycle.add_findings(run_id, batch)
    return analysis


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the collector of cycles run less often: a file makes millions of objects, none of them in a cycle.

    It would walk all that the application holds, again and again, for a tenth of the time (CPython 3.11).
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *_USUAL_THRESHOLDS[1:])
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL_THRESHOLDS)


def conclude(run_id: int, analysis: Analysis, *, now: datetime) -> None:
    """Let an import be confirmed, ticked as it was before, in the caller's unit of work.

    Raises `NotToApply` when it was replaced.
    """
    run = get_run(run_id)
    lifecycle.conclude_analysis(
        run, counts=analysis.counts, confirmations_needed=analysis.confirmations_needed, now=now
    )
    ticks.tick_again(run, today=school_day(now))


def analyse_at_once(sources: Sources, *, kept_in: str, opens_student_accounts: bool, by: Actor, now: datetime) -> int:
    """Analyse a small deposit, then keep the import and all that was found in one transaction; return its number.

    A refused file leaves nothing, not even a line of the history. Raises as `analyse` does.
    """
    today = school_day(now)
    open_run = partial(
        lifecycle.open_run, sources, kept_in=kept_in, opens_student_accounts=opens_student_accounts, today=today, by=by
    )
    return _analyse_in_one_piece(lambda: open_run(now=now), sources, {}, today=today, now=now)


def analyse_again(run: ImportRun, sources: Sources, *, now: datetime) -> None:
    """Compare the kept files of a small import with the school as it is now, with the answers given so far."""
    run_id, today, answers = run.id, school_day(now), dict(run.answers)
    _analyse_in_one_piece(
        lambda: lifecycle.restart_run(get_run(run_id), today=today), sources, answers, today=today, now=now
    )


def _analyse_in_one_piece(
    open_run: Callable[[], ImportRun], sources: Sources, answers: Answers, *, today: dt.date, now: datetime
) -> int:
    for _attempt in range(_ATTEMPTS):
        compared_with = fingerprint_of_data(today)
        analysis = prepare(sources, today=today, answers=answers)
        found = list(analysis.run())
        with unit_of_work():
            lock_imports_and_school()
            if fingerprint_of_data(today) == compared_with:
                run_id = open_run().id
                lifecycle.add_findings(run_id, found)
                conclude(run_id, analysis, now=now)
                return run_id
    raise AnalysisOutdated

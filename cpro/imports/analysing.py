"""From files to an import that waits to be confirmed: read and compared outside any write transaction.

Few bytes are analysed at once, and kept in one transaction; many, by a job, in short transactions, a batch at a time,
so that people go on signing in meanwhile.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from cpro.core.commands import COMMAND_LINE
from cpro.core.errors import DomainError
from cpro.core.formatting import DEFAULT_TIMEZONE
from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_current_establishment
from cpro.imports import upload_files
from cpro.imports.admission import require_kind, require_may_import
from cpro.imports.analysis.proposals import Answers
from cpro.imports.analysis.siecle import SIECLEAnalysis
from cpro.imports.analysis.sources import SIECLESources, Sources, TableSources, gather, gather_all
from cpro.imports.analysis.tables import TableAnalysis
from cpro.imports.deposit.extraction import UnpackedFile, unpack
from cpro.imports.deposit.recognition import RecognisedFile, recognise
from cpro.imports.deposit.shapes import detect_shape
from cpro.imports.errors import FileRefused, Refusals
from cpro.imports.models import ImportRun, RunState
from cpro.imports.operations import runs, ticks
from cpro.imports.operations.exclusion import lock_imports_and_school
from cpro.imports.queries import fingerprint_of_data, get_run
from cpro.imports.refusals import AnalysisOutdated, FilesGone

#: Findings kept in one transaction: some hundredths of a second of the single writer of SQLite.
_BATCH = 1000
#: How often an analysis begins again because somebody wrote while it read.
_ATTEMPTS = 3
#: Of Python's collector of cycles, usually and while a file is read.
_USUAL_THRESHOLDS = gc.get_threshold()
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

Analysis = SIECLEAnalysis | TableAnalysis


@contextmanager
def receive(uploads: Sequence[tuple[str, Path]]) -> Iterator[SIECLESources]:
    """Yield the exports given to the command line, (name, path) each, unfolded into a folder that goes at the end.

    Raises `GateClosed`, FileRefused of some kind, and as `gather` and `require_kind` do.
    """
    school = get_current_establishment()
    require_may_import(school, by=COMMAND_LINE)
    with TemporaryDirectory(prefix="cpro-import-") as folder:
        refusals = Refusals(uses_siecle=True)
        files = _unfold(uploads, Path(folder), refusals)
        refusals.raise_if_any()
        sources = gather(files, uai=school.uai)
        require_kind(sources.kind, uses_siecle=school.uses_siecle)
        yield sources


def judge(uploads: Sequence[tuple[str, Path]], folder: Path, *, now: datetime) -> Sources:
    """Return what was deposited, exports or tables, unfolded into a folder. Raises as `recognise` and `gather_all`."""
    school = get_current_establishment()
    refusals = Refusals(uses_siecle=school.uses_siecle)
    files = _unfold(uploads, folder, refusals)
    if files or not refusals:
        with refusals.gathered(DomainError):
            sources = gather_all(files, uai=school.uai, uses_siecle=school.uses_siecle, today=school_day(now))
    refusals.raise_if_any()
    return sources


def _unfold(uploads: Sequence[tuple[str, Path]], folder: Path, refusals: Refusals) -> list[RecognisedFile]:
    """Return the files of a deposit that are recognised, and keep the refusal of each other."""
    recognised = []
    for file in unpack(uploads, folder, refusals):
        with refusals.gathered(FileRefused):
            recognised.append(recognise(file))
    return recognised


def read_kept(run: ImportRun, *, now: datetime) -> Sources:
    """Return the files of an import that is not over, judged again. Raises `FilesGone`, and as `judge` does."""
    if not run.kept_in:
        raise FilesGone
    folder = upload_files.get_folder(run.establishment_id, run.kept_in)
    paths = [(file["name"], folder / file.get("stored", "")) for file in run.files]
    if not all(path.is_file() for _name, path in paths):
        raise FilesGone
    school = get_current_establishment()
    files = [recognise(UnpackedFile(name, path, detect_shape(path))) for name, path in paths]
    return gather_all(files, uai=school.uai, uses_siecle=school.uses_siecle, today=school_day(now))


def school_day(now: datetime) -> dt.date:
    """Return the day it is in the school."""
    return now.astimezone(ZoneInfo(get_current_establishment().timezone or DEFAULT_TIMEZONE)).date()


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
        run_id = runs.open_run(sources, opens_student_accounts=opens_student_accounts, today=today, by=by, now=now).id
    try:
        analysis = fill(run_id, prepare(sources, today=today), heartbeat=heartbeat)
        with unit_of_work():
            conclude(run_id, analysis, now=now)
    except Exception:
        with unit_of_work():
            run = get_run(run_id)
            if run.state is RunState.DEPOSITED:
                runs.close_run(run, RunState.FAILED)
        raise
    return run_id


def fill(run_id: int, analysis: Analysis, *, heartbeat: Callable[[], None]) -> Analysis:
    """Run an analysis and keep what it finds, a batch at a time; its figures are then known."""
    found = analysis.run()
    with _seldom_collected():
        while batch := list(islice(found, _BATCH)):
            heartbeat()
            with unit_of_work():
                runs.add_findings(run_id, batch)
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
    runs.conclude_analysis(run, counts=analysis.counts, confirmations_needed=analysis.confirmations_needed, now=now)
    ticks.tick_again(run, today=school_day(now))


def analyse_at_once(sources: Sources, *, kept_in: str, opens_student_accounts: bool, by: Actor, now: datetime) -> int:
    """Analyse a small deposit, then keep the import and all that was found in one transaction; return its number.

    A refused file leaves nothing, not even a line of the history. Raises as `analyse` does.
    """
    today = school_day(now)
    open_run = partial(
        runs.open_run, sources, kept_in=kept_in, opens_student_accounts=opens_student_accounts, today=today, by=by
    )
    return _analyse_in_one_piece(lambda: open_run(now=now), sources, {}, today=today, now=now)


def analyse_again(run: ImportRun, sources: Sources, *, now: datetime) -> None:
    """Compare the kept files of a small import with the school as it is now, with the answers given so far."""
    run_id, today, answers = run.id, school_day(now), dict(run.answers)
    _analyse_in_one_piece(
        lambda: runs.restart_run(get_run(run_id), today=today), sources, answers, today=today, now=now
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
                runs.add_findings(run_id, found)
                conclude(run_id, analysis, now=now)
                return run_id
    raise AnalysisOutdated

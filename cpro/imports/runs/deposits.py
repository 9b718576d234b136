"""From a school's deposit to an import that waits for confirmation: checked, stored, read and compared.

Everything except storing happens outside write transactions. Small deposits are analysed before the response, large
ones by a worker. Few findings are stored in one transaction, many in short ones, in batches, so that pages and
sign-ins do not wait.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cpro.core.bulk_writes import bulk_insert
from cpro.core.capacity import Capacity
from cpro.core.commands import COMMAND_LINE
from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.core.storage import StorageUnavailable
from cpro.core.transactions import unit_of_work
from cpro.core.validators import fold
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.extensions import db
from cpro.imports.diff.comparison import SIECLEAnalysis, TableAnalysis
from cpro.imports.diff.proposals import Answers, Note, Proposal, Question, Yielded
from cpro.imports.diff.sources import Sources, TableSources, gather_all, size_of
from cpro.imports.errors import AnalysisOutdated, FileRefused, FilesGone
from cpro.imports.models import ImportChange, ImportFinding, ImportQuestion, ImportRun, RunState
from cpro.imports.parse.files.archives import detect_shape
from cpro.imports.parse.files.extraction import UnpackedFile, unpack
from cpro.imports.parse.files.recognition import RecognisedFile, recognise
from cpro.imports.queries import fingerprint_of_data, get_run, recall_answers
from cpro.imports.refusals import LeftFile, Refusals
from cpro.imports.runs import lifecycle, ticks, upload_files
from cpro.imports.runs.admission import lock_imports_and_school, require_may_import

#: Maximum bytes analysed before the response: the files of about eight thousand pupils, a few seconds.
AT_ONCE_SIZE = 8 * 1024 * 1024
#: One per process before its response, the others by a worker: each takes a whole processor for seconds.
_ANALYSES = Capacity(1)
#: Files unpacked and recognised at the same time.
_JUDGEMENTS = Capacity(2)
#: Far more than the number of kinds of files.
MAX_FILES = 30
#: Findings stored in one transaction: some hundredths of a second of SQLite's single writer.
_BATCH = 1000
#: How often an analysis restarts because data changed while it was reading.
_ATTEMPTS = 3
#: Thresholds of Python's garbage collector, normally and while a file is read.
_USUAL_THRESHOLDS = gc.get_threshold()
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

Analysis = SIECLEAnalysis | TableAnalysis
#: Rows to insert, by model.
_Rows = dict[type[ImportChange | ImportFinding | ImportQuestion], list[dict[str, Any]]]


class NothingDeposited(DomainError):
    """Refuse a form without a file."""

    message = "Choisissez d’abord un ou plusieurs fichiers sur votre ordinateur."
    field = "files"


class TooManyFiles(DomainError):
    """Refuse more files than any deposit contains."""

    message = f"Plus de {MAX_FILES} fichiers ont été choisis : ne déposez que ceux de l’export."
    field = "files"


def deposit(uploads: Sequence[upload_files.Upload], *, opens_student_accounts: bool, by: Actor, now: datetime) -> int:
    """Check and analyse a deposit, or have it analysed; return the import's number. A refusal writes nothing.

    Raises `GateClosed`, `NothingDeposited`, `TooManyFiles`, `StorageUnavailable`, `ImportUnderWay`, `Overloaded`,
    FileRefused subclasses, and as `gather_all` and the analysis.
    """
    school = get_current_establishment()
    school_id, today = school.id, get_school_today(now)
    require_may_import(school, by=by)
    sent = [upload for upload in uploads if upload.filename]
    if not sent:
        raise NothingDeposited
    if len(sent) > MAX_FILES:
        raise TooManyFiles
    try:
        with upload_files.create_folder(school_id) as folder:
            received = folder.receive(sent)
            with _JUDGEMENTS.take():
                sources = judge(received, folder.path, now=now)
            folder.keep_only([each.file.path.name for each in sources.files.values()])
            open_run = partial(
                lifecycle.open_run,
                sources,
                kept_in=folder.token,
                opens_student_accounts=opens_student_accounts,
                today=today,
                by=by,
                now=now,
            )
            with _may_analyse_now(sources) as is_now:
                if is_now:
                    run_id = _analyse_at_once(open_run, sources, recall_answers(), today=today, now=now)
                else:
                    with unit_of_work(school_first=False):
                        run = open_run()
                        lifecycle.send_to_analysis(run, by=by, now=now)
                        run_id = run.id
            folder.is_kept = True
    except OSError as error:
        raise StorageUnavailable("Les fichiers n’ont pas pu être lus par le serveur", error) from error
    return run_id


def renew(run: ImportRun, *, by: Actor, now: datetime) -> int | None:
    """Analyse the stored files of an import again, immediately or by a job, whose number is then returned.

    Answers already given are kept. Raises `FilesGone`, `NotToApply`, and as `deposit` does for the files themselves.
    """
    run_id, today, answers = run.id, get_school_today(now), dict(run.answers)
    sources = read_kept(run, now=now)
    with _may_analyse_now(sources) as is_now:
        if is_now:
            _analyse_at_once(
                lambda: lifecycle.restart_run(get_run(run_id), today=today), sources, answers, today=today, now=now
            )
            return None
    with unit_of_work(school_first=False):
        job: Job = lifecycle.send_to_analysis(get_run(run_id), by=by, now=now)
        return job.id


@contextmanager
def _may_analyse_now(sources: Sources) -> Iterator[bool]:
    """Yield whether a deposit is analysed before the response: it is small, and no other analysis is running here."""
    if size_of(sources) > AT_ONCE_SIZE:
        yield False
        return
    with _ANALYSES.take_if_free() as is_free:
        yield is_free


# --- Judged ----------------------------------------------------------------------------------------------------------


@contextmanager
def receive(uploads: Sequence[tuple[str, Path]], *, now: datetime) -> Iterator[Sources]:
    """Yield the files given to the command line, (name, path) each, unpacked into a folder deleted at the end.

    Raises `GateClosed`, and as `judge` does.
    """
    require_may_import(get_current_establishment(), by=COMMAND_LINE)
    with TemporaryDirectory(prefix="cpro-import-") as folder:
        yield judge(uploads, Path(folder), now=now)


def judge(uploads: Sequence[tuple[str, Path]], folder: Path, *, now: datetime) -> Sources:
    """Return the deposited files, exports or tables, unpacked into a folder, and those left aside.

    Raises as `recognise` and `gather_all` do; for useless files only if there is nothing else.
    """
    school = get_current_establishment()
    refusals = Refusals(uses_siecle=school.uses_siecle)
    files = _unfold(uploads, folder, refusals)
    if files or not refusals:
        with refusals.gathered(DomainError):
            sources = gather_all(files, uai=school.uai, uses_siecle=school.uses_siecle, today=get_school_today(now))
    refusals.raise_if_any(useful=bool(files))
    return replace(sources, left=(*sources.left, *refusals.left))


def _unfold(uploads: Sequence[tuple[str, Path]], folder: Path, refusals: Refusals) -> list[RecognisedFile]:
    """Return the recognised files of a deposit, and collect the refusals of the others."""
    recognised = []
    for file in unpack(uploads, folder, refusals):
        with refusals.gathered(FileRefused):
            recognised.append(recognise(file))
    return recognised


def read_kept(run: ImportRun, *, now: datetime) -> Sources:
    """Return the files of an import that is not over, checked again. Raises `FilesGone`, and as `judge` does."""
    if not run.kept_in:
        raise FilesGone
    folder = upload_files.get_folder(run.establishment_id, run.kept_in)
    paths = [(file["name"], folder / file.get("stored", "")) for file in run.used_files]
    if not all(path.is_file() for _name, path in paths):
        raise FilesGone
    school = get_current_establishment()
    files = [recognise(UnpackedFile(name, path, detect_shape(path))) for name, path in paths]
    sources = gather_all(files, uai=school.uai, uses_siecle=school.uses_siecle, today=get_school_today(now))
    return replace(sources, left=tuple(LeftFile(file["name"], file["left"]) for file in run.left_files))


# --- Analysed --------------------------------------------------------------------------------------------------------


def prepare(sources: Sources, *, today: dt.date, answers: Answers | None = None) -> Analysis:
    """Return the analysis of these files, not yet run."""
    if isinstance(sources, TableSources):
        return TableAnalysis(sources, today=today, answers=answers)
    return SIECLEAnalysis(sources, today=today, answers=answers)


def foresee(sources: Sources, *, now: datetime) -> Analysis:
    """Run an analysis whose figures alone are kept. Raises as `SIECLEAnalysis.run` does."""
    analysis = prepare(sources, today=get_school_today(now))
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
    """Open an import, compare its files with the school, store the findings; return its number.

    Raises `ImportUnderWay`, and as `SIECLEAnalysis.run`; the import is then marked as failed, and nothing waits for it.
    """
    today = get_school_today(now)
    with unit_of_work(school_first=False):
        run_id = lifecycle.open_run(
            sources, opens_student_accounts=opens_student_accounts, today=today, by=by, now=now
        ).id
    with _failed_unless_concluded(run_id):
        analysis = fill(run_id, prepare(sources, today=today, answers=recall_answers()), heartbeat=heartbeat)
        with unit_of_work(school_first=False):
            conclude(run_id, analysis, now=now)
    return run_id


@contextmanager
def _failed_unless_concluded(run_id: int) -> Iterator[None]:
    """Close an import as failed if its analysis does not complete in the block."""
    try:
        yield
    except Exception:
        with unit_of_work(school_first=False):
            run = get_run(run_id)
            if run.state is RunState.DEPOSITED:
                lifecycle.close_run(run, RunState.FAILED)
        raise


def _analyse_at_once(
    open_run: Callable[[], ImportRun], sources: Sources, answers: Answers, *, today: dt.date, now: datetime
) -> int:
    """Analyse a small deposit, then store the import and all its findings in one transaction; return its number.

    A refused file leaves nothing, not even a line in the history. Raises as `analyse` does, and `AnalysisOutdated`.
    """
    for _attempt in range(_ATTEMPTS):
        compared_with = fingerprint_of_data(today)
        analysis = prepare(sources, today=today, answers=answers)
        found = list(analysis.run())
        with unit_of_work(school_first=False):
            lock_imports_and_school()
            if fingerprint_of_data(today) != compared_with:
                continue
            run_id = open_run().id
            if len(found) <= _BATCH:
                _keep(_list_rows(run_id, found))
                conclude(run_id, analysis, now=now)
                return run_id
        with _failed_unless_concluded(run_id):
            _keep_by_batches(run_id, iter(found))
            with unit_of_work(school_first=False):
                conclude(run_id, analysis, now=now)
        return run_id
    raise AnalysisOutdated


def fill(run_id: int, analysis: Analysis, *, heartbeat: Callable[[], None]) -> Analysis:
    """Run an analysis and store its findings in batches; its figures are then known."""
    with _seldom_collected():
        _keep_by_batches(run_id, analysis.run(), heartbeat=heartbeat)
    return analysis


def conclude(run_id: int, analysis: Analysis, *, now: datetime) -> None:
    """Make an import ready to be confirmed, with its previous ticks, in the caller's unit of work.

    Raises `NotToApply` when it was replaced.
    """
    run = get_run(run_id)
    lifecycle.conclude_analysis(
        run,
        counts=analysis.counts,
        confirmations_needed=analysis.confirmations_needed,
        settled=analysis.settled,
        now=now,
    )
    ticks.tick_again(run, today=get_school_today(now))


def _keep_by_batches(run_id: int, found: Iterator[Yielded], *, heartbeat: Callable[[], None] = lambda: None) -> None:
    """Store the findings in short transactions: each batch is computed before its transaction begins."""
    while batch := list(islice(found, _BATCH)):
        heartbeat()
        rows = _list_rows(run_id, batch)
        with unit_of_work(school_first=False):
            _keep(rows)


def _keep(rows: _Rows) -> None:
    for model, of_model in rows.items():
        bulk_insert(db.session(), model, of_model)


def _list_rows(run_id: int, found: Sequence[Yielded]) -> _Rows:
    """Return the findings of an analysis as rows to insert."""
    return {
        ImportChange: [
            {
                "run_id": run_id,
                "object_type": each.object_type,
                "object_id": each.object_id,
                "object_key": each.object_key,
                "object_label": each.object_label,
                "search_key": fold(each.object_label)[:210],
                "action": each.action,
                "is_selected": each.is_selected,
                "changes": each.changes,
            }
            for each in found
            if isinstance(each, Proposal)
        ],
        ImportFinding: [
            {
                "run_id": run_id,
                "severity": each.code.severity.name,
                "code": each.code.name,
                "file_kind": each.file_kind,
                "line": each.line,
                "object_label": each.label[:210].strip(),
                "search_key": fold(each.label)[:210],
                "sentence": each.sentence[:400],
            }
            for each in found
            if isinstance(each, Note)
        ],
        ImportQuestion: [
            {
                **each._asdict(),
                "run_id": run_id,
                "person": each.person[:300],
                "sentence": each.sentence[:400],
                "candidates": [list(candidate) for candidate in each.candidates],
            }
            for each in found
            if isinstance(each, Question)
        ],
    }


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Run the garbage collector less often: a file creates millions of objects, none of them in a cycle.

    Otherwise it traverses the whole application again and again, for a tenth of the time (CPython 3.11).
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *_USUAL_THRESHOLDS[1:])
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL_THRESHOLDS)

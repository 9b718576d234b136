"""What a school deposits by the page or the command line: judged, kept while the import is not over, analysed.

Few bytes are analysed before the answer; more, by a worker, so that nobody waits in front of a blank page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cpro.core.commands import COMMAND_LINE
from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.core.storage import StorageUnavailable
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_current_establishment
from cpro.imports.diff.sources import SIECLESources, Sources, gather, gather_all, require_kind, size_of
from cpro.imports.errors import FileRefused, FilesGone, Refusals
from cpro.imports.models import ImportRun
from cpro.imports.parse.files.extraction import UnpackedFile, unpack
from cpro.imports.parse.files.recognition import RecognisedFile, recognise
from cpro.imports.parse.files.shapes import detect_shape
from cpro.imports.queries import get_run, school_day
from cpro.imports.runs import lifecycle, upload_files
from cpro.imports.runs.admission import require_may_import
from cpro.imports.runs.analysis import analyse_again, analyse_at_once

#: Bytes analysed before the answer: the files of some eight thousand pupils, a few seconds.
AT_ONCE_SIZE = 8 * 1024 * 1024
#: Far more than there are kinds of files.
MAX_FILES = 30


class NothingDeposited(DomainError):
    """Refuse a form without a file."""

    def __init__(self) -> None:
        super().__init__("Choisissez d’abord un ou plusieurs fichiers sur votre ordinateur.", field="files")


class TooManyFiles(DomainError):
    """Refuse more files than any deposit has."""

    def __init__(self) -> None:
        super().__init__(
            f"Plus de {MAX_FILES} fichiers ont été choisis : ne déposez que ceux de l’export.", field="files"
        )


def deposit(uploads: Sequence[upload_files.Upload], *, opens_student_accounts: bool, by: Actor, now: datetime) -> int:
    """Judge and analyse what was sent, or have it analysed; return the import's number. A refusal writes nothing.

    Raises `GateClosed`, `NothingDeposited`, `TooManyFiles`, `StorageUnavailable`, `ImportUnderWay`, FileRefused of some
    kind, and whatever `gather_all` and the analysis raise.
    """
    school = get_current_establishment()
    school_id = school.id
    require_may_import(school, by=by)
    sent = [upload for upload in uploads if upload.filename]
    if not sent:
        raise NothingDeposited
    if len(sent) > MAX_FILES:
        raise TooManyFiles
    try:
        with upload_files.create_folder(school_id) as folder:
            sources = judge(folder.receive(sent), folder.path, now=now)
            folder.keep_only([file["stored"] for file in sources.described])
            if size_of(sources) <= AT_ONCE_SIZE:
                run_id = analyse_at_once(
                    sources, kept_in=folder.token, opens_student_accounts=opens_student_accounts, by=by, now=now
                )
            else:
                with unit_of_work():
                    run = lifecycle.open_run(
                        sources,
                        kept_in=folder.token,
                        opens_student_accounts=opens_student_accounts,
                        today=school_day(now),
                        by=by,
                        now=now,
                    )
                    lifecycle.send_to_analysis(run, by=by, now=now)
                    run_id = run.id
            folder.is_kept = True
    except OSError as error:
        raise StorageUnavailable("Les fichiers n’ont pas pu être lus par le serveur", error) from error
    return run_id


def renew(run: ImportRun, *, by: Actor, now: datetime) -> int | None:
    """Analyse the kept files of an import again, at once or by a job, whose number is then returned.

    Answers already given hold. Raises `FilesGone`, `NotToApply`, and as `deposit` does for the files themselves.
    """
    run_id = run.id
    sources = read_kept(run, now=now)
    if size_of(sources) <= AT_ONCE_SIZE:
        analyse_again(run, sources, now=now)
        return None
    with unit_of_work():
        job: Job = lifecycle.send_to_analysis(get_run(run_id), by=by, now=now)
        return job.id


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

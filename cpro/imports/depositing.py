"""What a school deposits through the page: judged at once, kept while the import is not over, analysed.

Few bytes are analysed before the answer; more, by a worker, so that nobody waits in front of a blank page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.core.storage import StorageUnavailable
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_current_establishment
from cpro.imports import upload_files
from cpro.imports.admission import require_may_import
from cpro.imports.analysing import analyse_again, analyse_at_once, judge, read_kept, school_day
from cpro.imports.analysis.sources import size_of
from cpro.imports.models import ImportRun
from cpro.imports.operations import runs
from cpro.imports.queries import get_run

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
                    run = runs.open_run(
                        sources,
                        kept_in=folder.token,
                        opens_student_accounts=opens_student_accounts,
                        today=school_day(now),
                        by=by,
                        now=now,
                    )
                    runs.send_to_analysis(run, by=by, now=now)
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
        job: Job = runs.send_to_analysis(get_run(run_id), by=by, now=now)
        return job.id

"""From files to an import that waits to be confirmed: read and compared outside any write transaction.

What is found is kept in short transactions, a batch at a time, so that people go on signing in meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from cpro.core.formatting import DEFAULT_TIMEZONE
from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_current_establishment
from cpro.imports.analysis.siecle import SIECLEAnalysis
from cpro.imports.analysis.sources import SIECLESources, gather
from cpro.imports.deposit.recognition import recognise
from cpro.imports.deposit.unpacking import unpack
from cpro.imports.models import RunState
from cpro.imports.operations import runs
from cpro.imports.queries import get_run

_BATCH = 5000


@contextmanager
def receive(uploads: Sequence[tuple[str, Path]]) -> Iterator[SIECLESources]:
    """Yield the exports among what was sent, (name, path) each, unfolded into a folder that goes at the end.

    Raises FileRefused of some kind, and whatever `gather` raises.
    """
    with TemporaryDirectory(prefix="cpro-import-") as folder:
        files = [recognise(file) for file in unpack(uploads, Path(folder))]
        yield gather(files, uai=get_current_establishment().uai)


def school_day(now: datetime) -> dt.date:
    """Return the day it is in the school."""
    return now.astimezone(ZoneInfo(get_current_establishment().timezone or DEFAULT_TIMEZONE)).date()


def foresee(sources: SIECLESources, *, now: datetime) -> SIECLEAnalysis:
    """Return an analysis of which nothing is kept but the figures. Raises as `SIECLEAnalysis.run` does."""
    analysis = SIECLEAnalysis(sources, today=school_day(now))
    for _ in analysis.run():
        pass
    return analysis


def analyse(
    sources: SIECLESources,
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
        run_id = runs.open_run(
            files=sources.described,
            school_year=sources.school_year,
            opens_student_accounts=opens_student_accounts,
            today=today,
            by=by,
            now=now,
        ).id
    analysis = SIECLEAnalysis(sources, today=today)
    try:
        found = analysis.run()
        while batch := list(islice(found, _BATCH)):
            heartbeat()
            with unit_of_work():
                runs.add_findings(run_id, batch)
        with unit_of_work():
            runs.conclude_analysis(
                get_run(run_id),
                counts=analysis.counts,
                confirmations_needed=analysis.confirmations_needed,
                now=now,
            )
    except Exception:
        with unit_of_work():
            run = get_run(run_id)
            if run.state is RunState.DEPOSITED:
                runs.close_run(run, RunState.FAILED)
        raise
    return run_id

"""Apply an import: staged outside any transaction, written in one short transaction, entirely or not at all.

`apply` and `apply_now` open their own units of work: call them outside any.

People working in the school meanwhile neither wait nor lose anything: its row and the end of its journal are locked
at the very end, and the import is then refused if anything its analysis depends on has changed.

A pupil who leaves keeps their account: their data is frozen, and they may still export it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cpro.core import events
from cpro.core.errors import DomainError
from cpro.core.permissions import Actor
from cpro.core.staging import Staging, staging
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_current_establishment, get_school_today, lock_current_establishment
from cpro.extensions import db
from cpro.imports.apply import accounts, pupils, staff, structure
from cpro.imports.errors import AnalysisOutdated, NotToApply
from cpro.imports.models import ImportRun, RunState
from cpro.imports.queries import fingerprint_of_data, get_run
from cpro.imports.runs import lifecycle
from cpro.imports.runs.admission import lock_imports, require_may_import
from cpro.imports.runs.lifecycle import check_confirmations, close_run, get_version, record_about_run

Clock = Callable[[], dt.datetime]
#: Work to commit together with an import, given the session and the import's result.
Finish = Callable[[Session, Mapping[str, Any]], object]


@dataclass
class Application:
    """An import ready to be written: its rows are in the temporary tables of the session's connection."""

    run_id: int
    #: of the analysis it was staged from (`get_version`)
    version: str
    confirmations: Sequence[str]
    created: pupils.Created
    corrected: pupils.Corrected
    opened: accounts.Opened
    #: {id of the change: login} of the staff to create
    logins: dict[int, str]


def apply(
    run_id: int,
    *,
    confirmations: Sequence[str],
    by: Actor,
    clock: Clock,
    heartbeat: Callable[[], None] = lambda: None,
    finish: Finish = lambda session, result: None,
) -> dict[str, Any]:
    """Write an import that is « en cours d’application » and return its figures.

    `heartbeat` is called between two pages of the preparation. Raises as `prepare_application` and
    `write_application`; nothing is written then.
    """
    now = clock()
    today = get_school_today(now)
    with staging(db.session()) as staged:
        prepared = prepare_application(
            staged, run_id, confirmations=confirmations, today=today, by=by, now=now, heartbeat=heartbeat
        )
        with unit_of_work(school_first=False) as work:
            counts = write_application(staged, prepared, today=today, by=by, now=clock())
            finish(work.session, counts)
    return counts


def apply_now(run_id: int, *, confirmations: Sequence[str], by: Actor, clock: Clock) -> dict[str, Any]:
    """Apply an analysed import immediately, without a job; if refused, it is unchanged. Raises as `apply`."""
    with unit_of_work(school_first=False):
        lifecycle.begin_application(get_run(run_id))
    try:
        return apply(run_id, confirmations=confirmations, by=by, clock=clock)
    except DomainError:
        with unit_of_work(school_first=False):
            lifecycle.give_up_application(get_run(run_id))
        raise


def prepare_application(
    staged: Staging,
    run_id: int,
    *,
    confirmations: Sequence[str],
    today: dt.date,
    by: Actor,
    now: dt.datetime,
    heartbeat: Callable[[], None],
) -> Application:
    """Compute everything that an import writes, outside any unit of work; `today` is the school's day.

    Raises `NotToApply`, `GateClosed`, `ConfirmationMissing`, and `AnalysisOutdated` when the data changed since the
    analysis.
    """
    run = get_run(run_id)
    _judge(run, confirmations, today=today, by=by)
    opener = accounts.Opener(staged, run, now)
    opener.open_to_present(heartbeat)
    created = pupils.new_pupils(staged)
    pupils.stage_created(staged, created, run, account_for=opener.open_to_new, heartbeat=heartbeat)
    corrected = pupils.stage_corrected(staged, run, heartbeat=heartbeat)
    prepared = Application(
        run_id, get_version(run), confirmations, created, corrected, opener.finish(), dict(opener.logins)
    )
    staged.keep()
    return prepared


def write_application(
    staged: Staging, prepared: Application, *, today: dt.date, by: Actor, now: dt.datetime
) -> dict[str, Any]:
    """Write a staged import, inside a unit of work on the same session, and return its figures.

    Raises as `prepare_application` does, and `ImportUnderWay`; `AnalysisOutdated` says what changed since.
    """
    lock_imports()
    run = get_run(prepared.run_id)
    _judge(run, prepared.confirmations, today=today, by=by)
    if get_version(run) != prepared.version:
        raise NotToApply
    try:
        _write(staged, prepared, run, now)
        establishment = lock_current_establishment()
        # Every action writes a journal line, and the journal is now locked: any change made meanwhile is visible.
        if run.fingerprint != fingerprint_of_data(today):
            raise AnalysisOutdated
        staff.write_heads(run, prepared.logins, now)
    except IntegrityError as error:
        # A concurrent writer that takes no lock was faster: a number or a login is taken.
        raise AnalysisOutdated from error
    run.confirmations_given, run.applied_at = list(prepared.confirmations), now
    run.counts = {**run.counts, "accounts_opened": prepared.opened.count}
    close_run(run, RunState.APPLIED)
    if establishment.uai_locked_at is None:
        establishment.uai_locked_at = now
    events.import_applied.send(establishment_id=establishment.id, run_id=run.id, by=by, now=now)
    record_about_run("applied", run, _audit_changes(run.counts), by=by, now=now)
    if run.settled is not None:
        run.settled_with = fingerprint_of_data(today)  # including its own journal line
    return run.counts


def _judge(run: ImportRun, confirmations: Sequence[str], *, today: dt.date, by: Actor) -> None:
    if run.state is not RunState.APPLYING:
        raise NotToApply
    require_may_import(get_current_establishment(), by=by)
    check_confirmations(run, confirmations)
    if run.fingerprint != fingerprint_of_data(today):
        raise AnalysisOutdated


def _write(staged: Staging, prepared: Application, run: ImportRun, now: dt.datetime) -> None:
    """Write every selected change except those of heads. Raises `AnalysisOutdated` when one no longer applies."""
    structure.write_structure(run)
    all_done = (
        accounts.insert_opened(staged, prepared.opened, now=now)
        and pupils.insert_created(staged, prepared.created, now=now)
        and pupils.write_corrected(staged, prepared.corrected)
        and accounts.link_opened(staged, run, prepared.opened)
    )
    if not all_done:
        raise AnalysisOutdated
    staff.write_teachers(run, prepared.logins, now)


def _audit_changes(counts: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the figures of one audit line: the non-zero ones."""
    changes = {
        f"{family}_{name}": (None, number)
        for family in ("students", "staff")
        for name, number in counts[family].items()
        if number
    }
    changes |= {name: (None, number) for name, number in counts.get("structure", {}).items() if number}
    if counts["accounts_opened"]:
        changes["accounts_opened"] = (None, counts["accounts_opened"])
    return changes

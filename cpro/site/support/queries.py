"""Outcome of the last imports, e-mails and jobs, of a school or of all of them; in a platform session."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.jobs.handlers import find_handler
from cpro.core.jobs.models import Job, JobState
from cpro.core.mail.models import MailMessage, MailState
from cpro.core.parsing import read_id
from cpro.establishments.models import Establishment
from cpro.imports.models import REFUSED_DEPOSIT, ImportRun, RunState
from cpro.users.emergency.models import RoleLock
from cpro.users.models import Account, PlatformAccount

#: How far back items are counted: finished e-mails and nightly jobs are deleted after the same period.
PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class Works:
    """Items of one kind: counts by state, the oldest unfinished one, the last failure with its reason and school."""

    title: str
    counts: Sequence[tuple[str, int]]
    last_at: datetime | None
    waits_since: datetime | None
    failed_at: datetime | None = None
    failure: str = ""
    failed_school: str = ""


def list_works(session: Session, school_id: int | None, *, now: datetime) -> list[Works]:
    """Return the outcome of imports, e-mails and jobs over the last thirty days."""
    since = now - PERIOD
    return [read(session, school_id, since) for read in (_imports, _refused_deposits, _mails, _jobs)]


def list_last_imports(session: Session, school_ids: Collection[int]) -> Sequence[Row[int, RunState, datetime]]:
    """Return the school, the state and the last instant of the newest import of each school."""
    newest = (
        select(func.max(ImportRun.id))
        .where(ImportRun.establishment_id.in_(school_ids))
        .group_by(ImportRun.establishment_id)
    )
    at = func.coalesce(ImportRun.undone_at, ImportRun.applied_at, ImportRun.created_at)
    return session.execute(
        select(ImportRun.establishment_id, ImportRun.state, at).where(ImportRun.id.in_(newest))
    ).all()


def count_closed_roles(session: Session, school_ids: Collection[int]) -> dict[int, int]:
    """Return the number of roles closed by the emergency lock, by school; those without any are left out."""
    found = session.execute(
        select(RoleLock.establishment_id, func.count())
        .where(RoleLock.establishment_id.in_(school_ids), RoleLock.reopened_at.is_(None))
        .group_by(RoleLock.establishment_id)
    )
    return {school_id: number for school_id, number in found}


def count_failed_jobs(
    session: Session, school_ids: Collection[int], *, since: datetime
) -> Sequence[Row[int | None, int]]:
    """Return each school that has jobs that failed since then, and their number."""
    return session.execute(
        select(Job.establishment_id, func.count())
        .where(Job.establishment_id.in_(school_ids), Job.state == JobState.FAILED, Job.created_at > since)
        .group_by(Job.establishment_id)
    ).all()


def count_waiting_messages(session: Session, school_ids: Collection[int]) -> Sequence[Row[int | None, int, datetime]]:
    """Return each school that has messages not yet sent, their number, and the instant of the oldest."""
    return session.execute(
        select(MailMessage.establishment_id, func.count(), func.min(MailMessage.created_at))
        .where(MailMessage.establishment_id.in_(school_ids), MailMessage.settled_at.is_(None))
        .group_by(MailMessage.establishment_id)
    ).all()


def name_school(session: Session, school_id: int | None) -> str:
    """Return the name of a school, "" for none or one that no longer exists."""
    school = session.get(Establishment, school_id) if school_id is not None else None
    return school.name or school.code if school else ""


def name_schools(session: Session, ids: Collection[int | None]) -> dict[int | None, str]:
    """Return the names of schools, by id."""
    schools = session.scalars(select(Establishment).where(Establishment.id.in_(ids)))
    return {each.id: each.name or each.code for each in schools}


def name_account(session: Session, known: str) -> str:
    """Return the label of the account stored with an error page ("account:12"); "" when nobody was signed in."""
    kind, _colon, number = known.partition(":")
    account_id = read_id(number)
    if account_id is None:
        return ""
    account: Account | PlatformAccount | None
    account = session.get(PlatformAccount, account_id) if kind == "platform" else session.get(Account, account_id)
    if account is None:
        return f"un compte supprimé depuis (n°\u202f{number})"
    return f"{account.label}, {account.role.label} (compte n°\u202f{number})"


def _imports(session: Session, school_id: int | None, since: datetime) -> Works:
    counts = _count(session, ImportRun, RunState, school_id, since)
    waits = (RunState.DEPOSITED, RunState.ANALYSED, RunState.APPLYING)
    failed = _last(session, ImportRun, school_id, ImportRun.state == RunState.FAILED, ImportRun.created_at > since)
    job = session.get(Job, failed.job_id) if failed is not None and failed.job_id is not None else None
    return Works(
        "Imports",
        counts,
        _latest(session, ImportRun, school_id, since),
        _oldest(session, ImportRun, school_id, ImportRun.state.in_(waits), since),
        failed.created_at if failed else None,
        job.error if job else "",
        _school_of(session, failed),
    )


def _refused_deposits(session: Session, school_id: int | None, since: datetime) -> Works:
    """Return the deposits refused at once, which leave no import: the journal names the file and the reason."""
    conditions = [*_of(AuditEntry, school_id), AuditEntry.action == REFUSED_DEPOSIT, AuditEntry.at > since]
    number = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    last = session.scalars(select(AuditEntry).where(*conditions).order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    return Works(
        "Dépôts refusés",
        [("refusé", number)] if number else [],
        last.at if last else None,
        None,
        last.at if last else None,
        str(last.changes["refusal"][1]) if last else "",
        _school_of(session, last),
    )


def _mails(session: Session, school_id: int | None, since: datetime) -> Works:
    failed = _last(
        session, MailMessage, school_id, MailMessage.state == MailState.REFUSED, MailMessage.settled_at > since
    )
    return Works(
        "Messages électroniques",
        _count(session, MailMessage, MailState, school_id, since),
        _latest(session, MailMessage, school_id, since),
        _oldest(session, MailMessage, school_id, MailMessage.settled_at.is_(None), since),
        failed.settled_at if failed else None,
        failed.refusal if failed else "",
        _school_of(session, failed),
    )


def _jobs(session: Session, school_id: int | None, since: datetime) -> Works:
    failed = _last(session, Job, school_id, Job.state == JobState.FAILED, Job.created_at > since)
    handler = find_handler(failed.kind) if failed else None
    reason = [handler.label if handler else "", failed.error if failed else ""]
    return Works(
        "Traitements",
        _count(session, Job, JobState, school_id, since),
        _latest(session, Job, school_id, since),
        _oldest(session, Job, school_id, Job.state.in_((JobState.WAITING, JobState.RUNNING)), since),
        failed.finished_at or failed.created_at if failed else None,
        "\u202f: ".join(filter(None, reason)),
        _school_of(session, failed),
    )


def _school_of(session: Session, row: Any) -> str:
    return name_school(session, row.establishment_id) if row is not None else ""


def _of(model: Any, school_id: int | None) -> list[Any]:
    return [] if school_id is None else [model.establishment_id == school_id]


def _count(session: Session, model: Any, states: Any, school_id: int | None, since: datetime) -> list[tuple[str, int]]:
    """Return each non-empty state, in the order of the life cycle, with its count."""
    counted = select(model.state, func.count()).where(*_of(model, school_id), model.created_at > since)
    found = {state: number for state, number in session.execute(counted.group_by(model.state))}
    return [(state.label, found[state]) for state in states if state in found]


def _latest(session: Session, model: Any, school_id: int | None, since: datetime) -> datetime | None:
    asked = select(func.max(model.created_at)).where(*_of(model, school_id), model.created_at > since)
    found: datetime | None = session.scalar(asked)
    return found


def _oldest(session: Session, model: Any, school_id: int | None, waits: Any, since: datetime) -> datetime | None:
    asked = select(func.min(model.created_at)).where(*_of(model, school_id), waits, model.created_at > since)
    found: datetime | None = session.scalar(asked)
    return found


def _last(session: Session, model: Any, school_id: int | None, *conditions: Any) -> Any:
    found = select(model).where(*_of(model, school_id), *conditions).order_by(model.id.desc()).limit(1)
    return session.scalars(found).one_or_none()

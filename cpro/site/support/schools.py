"""What a school did last, and what stands still there: shown in the support's list of schools. No pupil is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.core.formatting import DEFAULT_TIMEZONE, describe_duration, format_day_of, plural
from cpro.core.jobs.models import Job, JobState
from cpro.core.mail.models import MailMessage
from cpro.imports.models import ImportRun
from cpro.site.support.queries import PERIOD
from cpro.users.queries import find_last_sign_ins


def describe_schools(session: Session, school_ids: Sequence[int], now: datetime) -> dict[int, dict[str, str]]:
    """Return, by school, the title and the text of each fact; four statements, however many schools."""
    imports, stuck = _list_imports(session, school_ids), _list_stuck(session, school_ids, now)
    sign_ins = find_last_sign_ins(session, school_ids, now=now)
    return {
        each: {
            "Dernier import": imports.get(each, "aucun"),
            "Dernière connexion": _describe_sign_in(sign_ins.get(each), now),
            "En souffrance": ", ".join(stuck.get(each, [])) or "rien",
        }
        for each in school_ids
    }


def _list_imports(session: Session, school_ids: Sequence[int]) -> Mapping[int, str]:
    last = (
        select(func.max(ImportRun.id))
        .where(ImportRun.establishment_id.in_(school_ids))
        .group_by(ImportRun.establishment_id)
    )
    at = func.coalesce(ImportRun.undone_at, ImportRun.applied_at, ImportRun.created_at)
    found = session.execute(select(ImportRun.establishment_id, ImportRun.state, at).where(ImportRun.id.in_(last)))
    return {school_id: f"{state.label}, le {_day(at)}" for school_id, state, at in found}


def _describe_sign_in(at: datetime | None, now: datetime) -> str:
    return f"le {_day(at)} (il y a {describe_duration(now - at)})" if at else "personne ne s’est encore connecté"


def _list_stuck(session: Session, school_ids: Sequence[int], now: datetime) -> Mapping[int, list[str]]:
    """Return the jobs that failed over the last thirty days, then the messages not yet sent."""
    stuck: dict[int, list[str]] = {}
    failed = (
        select(Job.establishment_id, func.count())
        .where(Job.establishment_id.in_(school_ids), Job.state == JobState.FAILED, Job.created_at > now - PERIOD)
        .group_by(Job.establishment_id)
    )
    for school_id, number in session.execute(failed):
        text = plural(number, "traitement interrompu", "traitements interrompus")
        stuck.setdefault(school_id, []).append(f"{text} en {PERIOD.days} jours")
    waiting = (
        select(MailMessage.establishment_id, func.count(), func.min(MailMessage.created_at))
        .where(MailMessage.establishment_id.in_(school_ids), MailMessage.settled_at.is_(None))
        .group_by(MailMessage.establishment_id)
    )
    for school_id, number, since in session.execute(waiting):
        text = plural(number, "message attend", "messages attendent")
        stuck.setdefault(school_id, []).append(f"{text} depuis {describe_duration(now - since)}")
    return stuck


def _day(instant: datetime) -> str:
    return format_day_of(instant, DEFAULT_TIMEZONE)

"""What a school did last, and what stands still there: shown in the support's list of schools. No pupil is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cpro.core.formatting import DEFAULT_TIMEZONE, describe_age, format_day_of, plural
from cpro.site.support import queries
from cpro.users.queries import find_last_sign_ins


def describe_schools(session: Session, school_ids: Sequence[int], now: datetime) -> dict[int, dict[str, str]]:
    """Return, by school, the title and the text of each fact; five statements, however many schools."""
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
    return {
        school_id: f"{state.label}, le {_day(at)}"
        for school_id, state, at in queries.list_last_imports(session, school_ids)
    }


def _describe_sign_in(at: datetime | None, now: datetime) -> str:
    return f"le {_day(at)} (il y a {describe_age(now - at)})" if at else "personne ne s’est encore connecté"


def _list_stuck(session: Session, school_ids: Sequence[int], now: datetime) -> Mapping[int | None, list[str]]:
    """Return the roles closed, then the jobs that failed over the last thirty days, then the messages not yet sent."""
    stuck: dict[int | None, list[str]] = {
        closed_id: [f"accès fermé d’urgence à {plural(closed, 'rôle', 'rôles')}"]
        for closed_id, closed in queries.count_closed_roles(session, school_ids).items()
    }
    for school_id, number in queries.count_failed_jobs(session, school_ids, since=now - queries.PERIOD):
        text = plural(number, "traitement interrompu", "traitements interrompus")
        stuck.setdefault(school_id, []).append(f"{text} en {queries.PERIOD.days} jours")
    for school_id, number, since in queries.count_waiting_messages(session, school_ids):
        text = plural(number, "message attend", "messages attendent")
        stuck.setdefault(school_id, []).append(f"{text} depuis {describe_age(now - since)}")
    return stuck


def _day(instant: datetime) -> str:
    return format_day_of(instant, DEFAULT_TIMEZONE)

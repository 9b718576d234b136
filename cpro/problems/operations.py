"""Store a user's problem, mail it to the platform's operator, and record that the support handled it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core import mail
from cpro.core.errors import DomainError, Forbidden
from cpro.core.formatting import mask_ines
from cpro.core.permissions import Actor, Permission, Principal
from cpro.core.rate_limits import HOUR, RateLimit
from cpro.core.transactions import lock_schools
from cpro.core.validators import clean_text
from cpro.establishments.models import Establishment
from cpro.problems.models import Problem
from cpro.problems.queries import get_problem, select_times_written

TEXT_MAX_LENGTH = 2000
#: How long a problem is kept once it is handled, and in any case.
KEPT_HANDLED, KEPT = timedelta(days=30), timedelta(days=180)
#: The problems that a person may send.
_LIMIT = RateLimit(
    5,
    HOUR,
    "Vous avez écrit cinq messages depuis une heure\u202f: rien de plus n’est parti. Ce que vous avez écrit est "
    "encore dans la page\u202f; réessayez dans {wait}.",
)


def describe_problem(
    session: Session, text: str, *, number: str, to: str, by: Principal, origin: str, now: datetime
) -> Problem:
    """Store a problem for the support, with the number of an error page if there was one; return it.

    It is also mailed to the address of the platform's operator, if one is set. In a platform unit of work: the support
    describes problems too. INEs are masked; the author is named only by their account number. Raises `DomainError` for
    a blank or too long text, `LimitReached`.
    """
    said, number = _clean(text), mask_ines(number)
    account = f"{by.kind}:{by.id}"
    _LIMIT.check(session, select_times_written(account), now=now)
    problem = Problem(
        school_id=by.establishment_id, account=account, role=by.role.value, at=now, text=said, number=number
    )
    session.add(problem)
    session.flush()
    actor = by.acting_from(origin)
    if to:
        mail.enqueue(
            _write_mail(session, problem, to=to, role=by.role.label),
            by=actor,
            now=now,
            session=session,
            establishment_id=problem.school_id,
        )
    changes = {"number": (None, number)} if number else None
    _record("problem:described", problem, problem.school_id, by=actor, now=now, session=session, changes=changes)
    return problem


def handle_problem(session: Session, problem_id: int, *, school_id: int | None, by: Actor, now: datetime) -> Problem:
    """Mark a problem as handled and return it; one already handled is unchanged.

    In a platform unit of work; `school_id` is the school entered, None for all. Raises `NotFound`, `Forbidden`.
    """
    problem = _lock(session, problem_id, school_id, by=by)
    if problem.handled_at is None:
        problem.handled_at, problem.handled_by = now, by.label[:200]
        _record("problem:handled", problem, _find_journal(problem), by=by, now=now, session=session)
    return problem


def reopen_problem(session: Session, problem_id: int, *, school_id: int | None, by: Actor, now: datetime) -> Problem:
    """Mark a problem as not handled and return it; see `handle_problem`."""
    problem = _lock(session, problem_id, school_id, by=by)
    if problem.handled_at is not None:
        problem.handled_at, problem.handled_by = None, ""
        _record("problem:reopened", problem, _find_journal(problem), by=by, now=now, session=session)
    return problem


def sweep(session: Session, *, now: datetime) -> int:
    """Delete the problems handled thirty days ago, and those described a hundred and eighty days ago; return how many.

    In a platform unit of work.
    """
    is_over = or_(Problem.handled_at < now - KEPT_HANDLED, Problem.at < now - KEPT)
    return len(session.scalars(delete(Problem).where(is_over).returning(Problem.id)).all())


def _lock(session: Session, problem_id: int, school_id: int | None, *, by: Actor) -> Problem:
    """Lock the journal to write to, then the problem, and return it."""
    if not by.can(Permission.PROBLEMS_HANDLE):
        raise Forbidden("Seul le support traite les problèmes décrits.")
    lock_schools(session, [_find_journal(get_problem(session, problem_id, school_id))])
    return get_problem(session, problem_id, school_id, locked=True)


def _write_mail(session: Session, problem: Problem, *, to: str, role: str) -> mail.Mail:
    school = session.get(Establishment, problem.school_id) if problem.school_id is not None else None
    number = problem.number
    return mail.Mail(
        to=to,
        subject=f"CPro\u202f: un problème décrit{f' (code {number})' if number else ''}",
        body=(
            f"{problem.text}\n\n"
            f"Problème décrit\u202f: {problem.label}\n"
            f"Code de la page d’erreur\u202f: {number or 'aucun'}\n"
            f"Établissement\u202f: {_name(school)}\n"
            f"Compte\u202f: {role.lower()}, {problem.account}\n"
        ),
    )


def _find_journal(problem: Problem) -> int | None:
    """Return the school whose journal records the support's action: the author's school.

    None, the platform's journal, for an inspector's problem: within a school, only the head knows of inspectors.
    """
    return problem.school_id if problem.account.startswith("account:") else None


def _record(
    action: str,
    problem: Problem,
    school_id: int | None,
    *,
    by: Actor,
    now: datetime,
    session: Session,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Record an action on a problem, naming its author, in the journal of a school or of the platform."""
    about = About("problem", problem.account, problem.label)
    record(action, about, by=by, now=now, changes=changes, establishment_id=school_id, session=session)


def _clean(text: str) -> str:
    if len(text) > TEXT_MAX_LENGTH:
        raise DomainError(f"C’est trop long\u202f: {TEXT_MAX_LENGTH} caractères au plus.", field="text")
    try:
        lines = [clean_text(line, max_length=TEXT_MAX_LENGTH) for line in text.splitlines()]
    except DomainError as refusal:
        raise DomainError(refusal.message, field="text") from None
    said = mask_ines("\n".join(lines).strip())
    if not said:
        raise DomainError("Décrivez ce qui s’est passé.", field="text")
    return said


def _name(school: Establishment | None) -> str:
    return ", ".join(filter(None, (school.name or school.code, school.uai))) if school else "aucun"

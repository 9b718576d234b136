"""Read the problems, of a school or of all of them; in a platform session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.errors import NotFound
from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.permissions import Permission, roles_with
from cpro.problems.models import Problem
from cpro.users.models import PlatformAccount

#: Maximum number of their own problems shown to a person.
_OWN_SHOWN = 10


def find_problems(session: Session, asked: ListState, school_id: int | None, *, handled: bool) -> Page[Problem]:
    """Return a page of the problems that are open, or of those handled, the latest first."""
    found = _select(school_id, handled=handled)
    return find_page_from(asked, found, Problem.id.desc(), read=lambda statement: list(session.scalars(statement)))


def count_open(session: Session, school_id: int | None) -> int:
    """Return the number of open problems, as shown to people."""
    counted = Counted(_select(school_id, handled=False).with_only_columns(Problem.id), MOST_WAITING)
    return counted.read(session.scalar(select(counted.number)) or 0)


def get_problem(session: Session, problem_id: int, school_id: int | None, *, locked: bool = False) -> Problem:
    """Return the current state of a problem, limited to one school when it is given; or raise `NotFound`."""
    found = select(Problem).where(Problem.id == problem_id, *_of(school_id))
    if locked:
        found = found.with_for_update().execution_options(populate_existing=True)
    problem = session.scalars(found).one_or_none()
    if problem is None:
        raise NotFound("Ce problème n’existe pas, ou n’est plus gardé.")
    return problem


def list_own(session: Session, account: str) -> Sequence[Problem]:
    """Return the last problems described by an account ("account:12")."""
    own = select(Problem).where(Problem.account == account).order_by(Problem.at.desc(), Problem.id.desc())
    return session.scalars(own.limit(_OWN_SHOWN)).all()


def select_times_written(account: str) -> Select[datetime]:
    """Return the statement that selects when an account described its problems."""
    return select(Problem.at).where(Problem.account == account)


def has_readers(session: Session) -> bool:
    """Return whether the platform has an account that can read the problems."""
    readers = select(PlatformAccount.id).where(
        PlatformAccount.role.in_(roles_with(Permission.PROBLEMS_HANDLE)), PlatformAccount.is_active.is_(True)
    )
    return session.scalar(readers.limit(1)) is not None


def _select(school_id: int | None, *, handled: bool) -> Select[Problem]:
    is_so = Problem.handled_at.is_not(None) if handled else Problem.handled_at.is_(None)
    return select(Problem).where(is_so, *_of(school_id))


def _of(school_id: int | None) -> list[ColumnElement[bool]]:
    return [] if school_id is None else [Problem.school_id == school_id]

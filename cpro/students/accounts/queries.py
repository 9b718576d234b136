"""Queries on pupils and their accounts: who has one, which accounts have a pupil, and recent changes of links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Cast, ColumnElement, Select, String, and_, exists, func, not_, select
from sqlalchemy.orm import joinedload

from cpro.audit.models import AuditEntry
from cpro.core.counts import count_rows
from cpro.core.errors import NotFound
from cpro.core.formatting import person_name, plural, spoken_name
from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.permissions import Permission
from cpro.core.search import find_words
from cpro.core.ticked_rows import check_ticked_rows
from cpro.extensions import db
from cpro.students.models import Division, Student
from cpro.students.queries import find_division
from cpro.users.models import Account

MOST_LINKS_SHOWN = 200
LINKED, UNLINKED, LINKS_SEEN = "account:linked", "account:unlinked", "accounts:links:seen"


@dataclass(frozen=True)
class Selection:
    """A selection of pupils: given ids, a division, or all; the narrowest one given applies."""

    student_ids: tuple[int, ...] = ()
    #: code of the division
    division: str = ""
    is_everyone: bool = False


@dataclass(frozen=True)
class Candidates:
    """Effect of opening accounts for a selection: how many, and who is left out and why."""

    #: label of the selection: « les élèves de la division 2MELEC »
    label: str
    to_open: int
    with_account: int
    departed: int
    #: id of the division, if one was selected
    division_id: int | None = None


def has_no_account() -> ColumnElement[bool]:
    """Return the condition of the pupils for whom an account can be opened: present, without one."""
    return and_(Student.is_active, Student.account_id.is_(None))


def get_condition(selection: Selection) -> ColumnElement[bool]:
    """Return the condition of the pupils of a selection. Raises `NotFound` for a division that does not exist."""
    if selection.student_ids:
        return Student.id.in_(selection.student_ids)
    if selection.division:
        return and_(Student.division_id == _get_division(selection.division).id, Student.is_unmerged())
    return Student.is_unmerged()


def get_candidates(selection: Selection) -> Candidates:
    """Return the effect of opening accounts for a selection.

    Raises `NotFound` when the division, or one of the pupils, does not exist in the school.
    """
    active, departed, with_account = 0, 0, 0
    rows = db.session.execute(
        select(Student.is_active, Student.account_id.is_not(None), func.count(Student.id))
        .where(get_condition(selection))
        .group_by(Student.is_active, Student.account_id.is_not(None))
    )
    for is_active, has_account, number in rows:
        if has_account:
            with_account += number
        elif is_active:
            active += number
        else:
            departed += number
    if selection.student_ids:
        check_ticked_rows(active + departed + with_account, selection.student_ids)
    division = _get_division(selection.division) if selection.division and not selection.student_ids else None
    return Candidates(_label_of(selection), active, with_account, departed, division.id if division else None)


def list_to_open(selection: Selection) -> Sequence[Student]:
    """Return the pupils of a selection for whom an account would be opened, by name."""
    wanted = select(Student).where(get_condition(selection), has_no_account())
    return db.session.scalars(wanted.order_by(Student.search_key, Student.id)).all()


def list_left_out(selection: Selection) -> tuple[list[Student], list[Student]]:
    """Return the pupils of a selection for whom no account would be opened, by name: with one, and departed without."""
    wanted = select(Student).where(get_condition(selection), not_(has_no_account()))
    found = db.session.scalars(wanted.order_by(Student.search_key, Student.id)).all()
    return [each for each in found if each.account_id], [each for each in found if not each.account_id]


def select_without_account() -> Select[int]:
    """Return the ids of the pupils present who have no account."""
    return select(Student.id).where(has_no_account())


def count_without_account() -> int:
    """Return how many pupils present have no account."""
    return db.session.scalar(select(func.count(Student.id)).where(has_no_account())) or 0


def count_without_account_by_division() -> dict[int | None, int]:
    """Return how many pupils present have no account, {division id, or None for without: number}."""
    rows = db.session.execute(
        select(Student.division_id, func.count(Student.id)).where(has_no_account()).group_by(Student.division_id)
    )
    return {division_id: number for division_id, number in rows}


def get_student(student_id: int) -> Student:
    """Return a pupil of the school with their division, or raise `NotFound`."""
    found = db.session.scalars(
        select(Student).where(Student.id == student_id).options(joinedload(Student.division))
    ).one_or_none()
    if found is None:
        raise NotFound("Cet élève n’existe pas, ou n’est pas de votre établissement.")
    return found


def find_student_of(account_id: int) -> Student | None:
    """Return the pupil linked to an account, with their division, or None."""
    return db.session.scalars(
        select(Student).where(Student.account_id == account_id).options(joinedload(Student.division))
    ).first()


def get_account(account_id: int) -> Account:
    """Return an account of the school, or raise `NotFound`."""
    found = db.session.get(Account, account_id)
    if found is None:
        raise NotFound("Ce compte n’existe pas, ou n’est pas de votre établissement.")
    return found


def is_unlinked() -> ColumnElement[bool]:
    """Return the condition of the pupils' accounts that are not linked to a pupil."""
    return and_(Account.holds(Permission.OWN_RECORDS), ~exists().where(Student.account_id == Account.id))


def is_of_departed() -> ColumnElement[bool]:
    """Return the condition of the accounts of departed pupils."""
    return Account.id.in_(select(Student.account_id).where(Student.is_active.is_(False)))


def find_unlinked_accounts(asked: ListState) -> Page[Account]:
    """Return a page of the active pupils' accounts without a pupil, whose name contains each word sought, by name."""
    found = select(Account).where(is_unlinked(), Account.is_active, *find_words(Account, asked.search))
    return find_page_from(asked, found, Account.search_key, Account.id, by_name=True)


def select_accounts_of_pupils() -> Select[int]:
    """Return the ids of the accounts of pupils, open or not."""
    return select(Account.id).where(Account.holds(Permission.OWN_RECORDS))


def count_unlinked_accounts() -> int:
    """Return how many active pupils' accounts have no pupil; this reads every pupil's account."""
    return count_rows(select(Account.id).where(is_unlinked(), Account.is_active))


def find_students_without_account(asked: ListState) -> Page[Student]:
    """Return a page of the pupils present without account, whose names contain each word sought, by name."""
    return find_page_from(asked, _without_account(asked.search), Student.search_key, Student.id, by_name=True)


def list_students_without_account(*, limit: int, sought: str = "") -> Sequence[Student]:
    """Return the first of these pupils."""
    found = _without_account(sought).order_by(Student.search_key, Student.id)
    return db.session.scalars(found.limit(limit)).all()


def _without_account(sought: str) -> Select[Student]:
    found = select(Student).where(has_no_account(), *find_words(Student, sought))
    return found.options(joinedload(Student.division))


def list_accounts_of_students(student_ids: Sequence[int]) -> Sequence[Account]:
    """Return the accounts of pupils of the school, by name; pupils without one are omitted."""
    return db.session.scalars(
        select(Account)
        .join(Student, (Student.account_id == Account.id) & (Student.establishment_id == Account.establishment_id))
        .where(Student.id.in_(student_ids))
        .order_by(Student.search_key, Account.id)
    ).all()


def describe_student(student: Student) -> str:
    """Return a pupil's label in a list: « AGATE Noé (2MELEC) »."""
    division = student.division.code if student.division else "sans division"
    return f"{person_name(student.shown_name, student.first_name)} ({division})"


def name_in_sentence(student: Student) -> str:
    """Return a pupil's name within a sentence: « Noé AGATE »."""
    return spoken_name(student.first_name, student.shown_name)


def list_unseen_links() -> Sequence[AuditEntry]:
    """Return the links made and undone manually since a head last marked them as read, the latest first."""
    return db.session.scalars(
        select(AuditEntry).where(*_is_unseen_link()).order_by(AuditEntry.id.desc()).limit(MOST_LINKS_SHOWN)
    ).all()


def select_unseen_links() -> Select[int]:
    """Return the ids of the journal lines of these links."""
    return select(AuditEntry.id).where(*_is_unseen_link())


def _is_unseen_link() -> tuple[ColumnElement[bool], ...]:
    seen = select(func.coalesce(func.max(AuditEntry.id), 0)).where(AuditEntry.action == LINKS_SEEN).scalar_subquery()
    return AuditEntry.action.in_((LINKED, UNLINKED)), AuditEntry.id > seen


def _get_division(code: str) -> Division:
    division = find_division(code)
    if division is None:
        raise NotFound("Cette division n’existe pas dans votre établissement.")
    return division


def _label_of(selection: Selection) -> str:
    if len(selection.student_ids) == 1:
        return name_in_sentence(get_student(selection.student_ids[0]))
    if selection.student_ids:
        return plural(len(selection.student_ids), "élève choisi", "élèves choisis")
    return f"division {selection.division}" if selection.division else "tous les élèves"


def select_journal_ids(account_id: ColumnElement[int]) -> Select[str]:
    """Return the ids, as the journal writes them, of the pupils who sign in with an account."""
    return select(Cast(Student.id, String)).where(Student.account_id == account_id)

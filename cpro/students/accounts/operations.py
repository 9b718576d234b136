"""Open accounts for pupils who have none: the single rule for pages, imports and manual creation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, record
from cpro.core.bulk_writes import bulk_insert, bulk_update
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.formatting import spoken_name
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.core.validators import fold
from cpro.establishments.gate import require_open_gate
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.students.accounts import queries
from cpro.students.accounts.queries import Candidates, Selection
from cpro.students.models import Student, choose_name
from cpro.users.models import Account
from cpro.users.operations import manual
from cpro.users.operations.audit import record_about
from cpro.users.operations.logins import free_login, propose_login
from cpro.users.roles import PUPIL

OPEN_JOB = "students:open-accounts"
#: Number of accounts opened within the request, about a second; a worker opens more.
AT_ONCE = 3000
_PAGE = 2000
#: Fields typed for a pupil's account; the names are the pupil's.
_TYPED_BESIDE = ("civility", "email")


class NoAccountToOpen(DomainError):
    """All the pupils already have an account, or have left."""

    status = 409


@dataclass(frozen=True)
class OpenedAccount:
    """A newly opened account, and its pupil: id, last_name, usage_name, first_name, siecle_id."""

    account_id: int
    login: str
    student: Row[Any]


def account_names(student: Any) -> dict[str, str]:
    """Return the names of a pupil's account: the usage name when there is one."""
    return {"last_name": choose_name(student.last_name, student.usage_name), "first_name": student.first_name}


def open_or_send(selection: Selection, *, by: Actor, now: datetime) -> tuple[int, Job | None]:
    """Open the accounts of a selection and return how many, or enqueue many for a worker and return the job.

    Raises the same errors as `open_accounts`.
    """
    candidates = _check(selection)
    if candidates.to_open <= AT_ONCE:
        return open_accounts(selection, by=by, now=now), None
    return 0, jobs.enqueue(OPEN_JOB, {"selection": asdict(selection)}, by=by, now=now)


def open_accounts(selection: Selection, *, by: Actor, now: datetime) -> int:
    """Open an account, without a code, for each pupil of a selection who is present and has none; return how many.

    Raises `NotFound` for pupils or a division that the school does not have, `GateClosed`, `NoAccountToOpen`.
    """
    candidates = _check(selection)
    opened: list[OpenedAccount] = []
    try:
        number = write_accounts(queries.get_condition(selection), now=now, on_page=opened.extend)
    except IntegrityError as error:
        raise DomainError(
            "Quelqu’un a créé un compte au même instant : rien n’a été fait, demandez à nouveau.", field=None
        ) from error
    if number == 1:
        _record_single(opened[0], by=by, now=now)
    else:
        record(
            "accounts:opened",
            About("accounts", "", candidates.label),
            by=by,
            now=now,
            changes={"opened": (None, number)},
        )
    return number


def write_accounts(
    wanted: ColumnElement[bool],
    *,
    now: datetime,
    on_page: Callable[[Sequence[OpenedAccount]], object] = lambda page: None,
) -> int:
    """Write an account for each present pupil without one who meets `wanted`; return how many.

    Logins are built from the names, with a number for homonyms. `on_page` receives the accounts a page at a time.
    Nothing is recorded in the journal: the caller does it. Raises `IntegrityError` when a concurrent transaction that
    took no lock was faster. Pupils are linked to their accounts at the end: PostgreSQL plans only once how to check
    that an account exists, and would choose a bad plan while there are few.
    """
    session, links = db.session(), dict[int, int]()
    taken = set(session.scalars(select(Account.login)))
    last_id = session.scalar(select(func.max(Account.id))) or 0
    after = 0
    while students := _next_page(wanted, after):
        after = students[-1].id
        logins: dict[int, str] = {}
        for student in students:
            names = account_names(student)
            logins[student.id] = free_login(taken, propose_login(names["first_name"], names["last_name"]))
            taken.add(logins[student.id])
        bulk_insert(session, Account, (new_account(each, logins[each.id], now) for each in students))
        # The new accounts have the highest ids; queried by thousands of logins, PostgreSQL would compare each with
        # each.
        rows = session.execute(select(Account.login, Account.id).where(Account.id > last_id))
        ids = {login: id_ for login, id_ in rows}
        last_id = max(ids.values())
        page = [OpenedAccount(ids[logins[each.id]], logins[each.id], each) for each in students]
        on_page(page)
        links |= {each.student.id: each.account_id for each in page}
    pending = iter(links.items())
    while some := list(islice(pending, _PAGE)):
        bulk_update(session, Student, ({"id": id_, "account_id": account_id} for id_, account_id in some))
    return len(links)


def create_pupil_account(values: Mapping[str, str], student_id: int | None, *, by: Actor, now: datetime) -> Account:
    """Create the account of one pupil; `values` contains the input (civility, e-mail), the names are the pupil's.

    Raises `FieldErrors` on `student` when no pupil of the school without account is named, or when the names typed are
    another person's; and the errors of `manual.create_manual_account`.
    """
    require_open_gate(lock_current_establishment())
    student = db.session.get(Student, student_id) if student_id is not None else None
    if student is None:
        beside = {name: text for name, text in values.items() if name in _TYPED_BESIDE}
        raise FieldErrors({"student": _describe_missing_pupil(), **manual.list_errors(beside)})
    check_may_receive(student)
    _check_typed_names(values, student)
    return manual.create_manual_account(
        {**values, **account_names(student)},
        confirmed=True,  # the pupil is chosen explicitly, and has no other account
        by=by,
        now=now,
        alongside=lambda account: _link(account, student),
    )


def _describe_missing_pupil() -> str:
    if not queries.count_without_account():
        return "Tous les élèves présents ont déjà un compte : aucun autre ne s’ouvre tant qu’un élève n’est pas ajouté."
    return (
        "Choisissez l’élève à qui appartient ce compte : tapez son nom ci-dessous, puis validez pour réduire la liste."
    )


def check_may_receive(student: Student) -> None:
    """Raise `DomainError` on the field `student` unless a pupil is present and has no account."""
    name = queries.name_in_sentence(student)
    if student.account_id is not None:
        raise DomainError(f"{name} a déjà un compte.", field="student")
    if not student.is_active:
        raise DomainError(f"{name} a quitté l’établissement : aucun compte ne s’ouvre plus pour lui.", field="student")


def check_names(values: Mapping[str, str], student: Student) -> None:
    """Raise `DomainError` on the field `last_name` when an account would have other names than its pupil's."""
    for name, own in account_names(student).items():
        if name in values and fold(values[name] or "").strip() != fold(own).strip():
            raise DomainError(
                "Le nom d’un compte d’apprenant est celui de son élève, "
                f"{queries.name_in_sentence(student)} : corrigez d’abord l’élève.",
                field=name,
            )


def _check(selection: Selection) -> Candidates:
    require_open_gate(lock_current_establishment())
    candidates = queries.get_candidates(selection)
    if not candidates.to_open:
        raise NoAccountToOpen("Aucun compte n’est à ouvrir : chacun en a déjà un, ou a quitté l’établissement.")
    return candidates


def _check_typed_names(values: Mapping[str, str], student: Student) -> None:
    """Refuse names that are not the pupil's; the beginning of the pupil's name, typed for the search, is accepted."""
    typed = fold(f"{values.get('last_name', '')} {values.get('first_name', '')}").split()
    if not all(word in student.search_key for word in typed):
        raise DomainError(
            "Le nom saisi n’est pas celui de l’élève choisi : effacez-le, ou choisissez un autre élève.",
            field="student",
        )


def _link(account: Account, student: Student) -> Mapping[str, tuple[Any, Any]]:
    student.account_id = account.id
    db.session.flush()
    return {"student": (None, spoken_name(student.first_name, student.last_name))}


def _next_page(wanted: ColumnElement[bool], after: int) -> Sequence[Any]:
    columns = (Student.id, Student.last_name, Student.usage_name, Student.first_name, Student.siecle_id)
    return db.session.execute(
        select(*columns).where(wanted, queries.has_no_account(), Student.id > after).order_by(Student.id).limit(_PAGE)
    ).all()


def new_account(student: Any, login: str, now: datetime) -> dict[str, Any]:
    """Return the row of the account of a pupil, without a code."""
    names = account_names(student)
    return {
        "login": login,
        "role": PUPIL,
        **names,
        "search_key": fold(f"{names['last_name']} {names['first_name']} {login}"),
        "created_at": now,
    }


def _record_single(opened: OpenedAccount, *, by: Actor, now: datetime) -> None:
    account = db.session.get_one(Account, opened.account_id)
    changes = {
        "role": (None, PUPIL.value),
        "login": (None, opened.login),
        "student": (None, spoken_name(opened.student.first_name, opened.student.last_name)),
    }
    record_about(db.session(), "account:created", account, by=by, now=now, changes=changes)

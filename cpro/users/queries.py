"""Queries of accounts and sign-ins: those that receive a session work across schools, the others in one school."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Cast, ColumnElement, Select, String, and_, bindparam, exists, func, not_, or_, select
from sqlalchemy.orm import Session, undefer

from cpro.config import CODE_WAIT
from cpro.core.errors import NotFound
from cpro.core.permissions import Actor, Permission, Role, roles_with
from cpro.core.secrets import token_hash
from cpro.core.tenancy import platform_session
from cpro.core.transactions import lock_schools
from cpro.core.validators import trim
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.users.emergency.queries import shuts_account
from cpro.users.models import Account, PlatformAccount
from cpro.users.sign_in_life import has_life_left
from cpro.users.sign_in_models import ActivationCode, SecondFactor, SignIn

AnyAccount = Account | PlatformAccount
_ROW_ONLY: Any = {"key_share": True}


def find_account(session: Session, establishment: str, login: str) -> AnyAccount | None:
    """Return the account of a login in a school (code or UAI), or of the platform if the school is blank."""
    login, establishment = trim(login).lower(), trim(establishment)
    if not establishment:
        return session.scalars(select(PlatformAccount).where(PlatformAccount.email == login)).one_or_none()
    school = find_establishment(session, establishment)
    if school is None:
        return None
    return session.scalars(
        select(Account).where(Account.establishment_id == school.id, Account.login == login)
    ).one_or_none()


def has_email(text: str) -> ColumnElement[bool] | None:
    """Return the condition of the accounts with a full e-mail address, as typed in a search; None if it is not one."""
    return Account.email.in_({text, text.lower()}) if "@" in text else None


def find_establishment(session: Session, code_or_uai: str) -> Establishment | None:
    """Return the school of a code or UAI, ignoring case, or None."""
    text = trim(code_or_uai)
    return session.scalars(
        select(Establishment).where((Establishment.code == text.lower()) | (Establishment.uai == text.upper()))
    ).first()


def find_last_sign_ins(session: Session, school_ids: Collection[int], *, now: datetime) -> dict[int, datetime]:
    """Return when anybody of each school last signed in, by school; those where nobody ever did are left out."""
    last = (
        select(Account.sign_in_sort)
        .where(Account.establishment_id == Establishment.id, Account.sign_in_sort <= now)
        .order_by(Account.sign_in_sort.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = session.execute(select(Establishment.id, last).where(Establishment.id.in_(school_ids)))
    return {school_id: at for school_id, at in found if at is not None}


def is_unvisited(*, since: datetime, now: datetime) -> ColumnElement[bool]:
    """Return the condition of the schools where nobody has signed in since an instant."""
    return ~exists().where(Account.establishment_id == Establishment.id, Account.sign_in_sort.between(since, now))


def get_named_establishment(session: Session, code_or_uai: str) -> Establishment:
    """Return the school of a code or UAI, ignoring case. Raises `NotFound`."""
    school = find_establishment(session, code_or_uai)
    if school is None:
        raise NotFound(f"Aucun établissement ne porte le code « {code_or_uai} ».")
    return school


@dataclass(frozen=True)
class OpenSignIn:
    """A sign-in with what the guard needs, including the current school if there is one."""

    sign_in: SignIn
    account: AnyAccount
    school: Establishment | None
    #: whether the account has a confirmed second factor
    has_second_factor: bool


def find_sign_in(session: Session, token: str, *, awaits_code: bool = False) -> OpenSignIn | None:
    """Return the sign-in of a cookie's token with its account; None if it was ended, or the account or role is closed.

    A sign-in that still waits for the second-factor code gives no access, and is only found with `awaits_code`.
    """
    row = session.execute(_compose_sign_in(awaits_code), {"token_hash": token_hash(token)}).one_or_none()
    if row is None:
        return None
    sign_in, of_school, of_platform, school, has_second_factor, is_shut_out = row
    account: AnyAccount = of_school or of_platform
    if is_shut_out or not account.may_sign_in:
        return None
    return OpenSignIn(sign_in, account, school, has_second_factor)


@cache
def _compose_sign_in(awaits_code: bool) -> Any:
    """Return the statement of `find_sign_in`, composed once a process: every page executes it."""
    worked_in = func.coalesce(Account.establishment_id, SignIn.entered_establishment_id)
    is_own = or_(
        SecondFactor.account_id == SignIn.account_id, SecondFactor.platform_account_id == SignIn.platform_account_id
    )
    has_factor = exists().where(is_own, SecondFactor.confirmed_at.is_not(None)).correlate(SignIn)
    return (
        select(SignIn, Account, PlatformAccount, Establishment, has_factor, shuts_account())
        .outerjoin(Account, Account.id == SignIn.account_id)
        .outerjoin(PlatformAccount, PlatformAccount.id == SignIn.platform_account_id)
        .outerjoin(Establishment, Establishment.id == worked_in)
        .where(SignIn.token_hash == bindparam("token_hash"), SignIn.awaits_code.is_(awaits_code))
        .options(undefer(Establishment.logo_id))
    )


def find_pending_sign_in(session: Session, token: str, *, now: datetime) -> OpenSignIn | None:
    """Return the sign-in that waits for the second-factor code, or None once it has waited too long."""
    found = find_sign_in(session, token, awaits_code=True)
    return found if found and found.sign_in.created_at >= now - CODE_WAIT else None


def find_second_factor(session: Session, account: AnyAccount) -> SecondFactor | None:
    """Return the second factor of an account, confirmed or not, or None."""
    own = SecondFactor.platform_account_id if isinstance(account, PlatformAccount) else SecondFactor.account_id
    return session.scalars(select(SecondFactor).where(own == account.id)).one_or_none()


def is_demonstration(session: Session) -> bool:
    """Return whether the demonstration schools are loaded; only they have an address under `cpro.example`."""
    return bool(session.scalar(select(exists().where(PlatformAccount.email == "support@cpro.example"))))


def list_sign_ins(session: Session, account: AnyAccount, *, now: datetime) -> list[SignIn]:
    """Return the browsers signed in to an account, last used first."""
    return list(
        session.scalars(
            select(SignIn)
            .where(
                sign_ins_of(account),
                has_life_left(now),
                SignIn.awaits_code.is_(False),
            )
            .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
        )
    )


def list_support_inside(establishment_id: int, *, now: datetime) -> set[int]:
    """Return the ids of the support accounts that are signed in and in a school now."""
    with platform_session("who of the support is in the school") as session:
        inside = (
            select(SignIn.platform_account_id)
            .join(PlatformAccount, PlatformAccount.id == SignIn.platform_account_id)
            .where(
                SignIn.entered_establishment_id == establishment_id,
                PlatformAccount.role.in_(roles_with(Permission.SCHOOLS_ENTER)),
                has_life_left(now),
                SignIn.awaits_code.is_(False),
            )
        )
        return {each for each in session.scalars(inside) if each is not None}


def sign_ins_of(account: AnyAccount) -> ColumnElement[bool]:
    """Return the condition of the sign-ins of an account."""
    if isinstance(account, PlatformAccount):
        return SignIn.platform_account_id == account.id
    return SignIn.account_id == account.id


def find_live_code(session: Session, account: AnyAccount, hmacs: Collection[str]) -> ActivationCode | None:
    """Return the unspent code of an account that has one of these HMACs, expired or not, or None.

    Lock the account (`lock_account`) before spending it: the second of two concurrent requests then finds it spent.
    """
    return session.scalars(
        select(ActivationCode)
        .where(_codes_of(account), ActivationCode.code_hmac.in_(hmacs), ActivationCode.spent_at.is_(None))
        .execution_options(populate_existing=True)
    ).first()


def list_unspent_codes(session: Session, account: AnyAccount) -> list[ActivationCode]:
    """Return the codes of an account that could still be used, oldest first."""
    return list(
        session.scalars(
            select(ActivationCode)
            .where(_codes_of(account), ActivationCode.spent_at.is_(None))
            .order_by(ActivationCode.id)
        )
    )


def select_times_created(account: AnyAccount, *, expiring_by: datetime) -> Select[datetime]:
    """Return the statement that selects when an account's codes were created, of those that expire by an instant."""
    return select(ActivationCode.created_at).where(_codes_of(account), ActivationCode.expires_at <= expiring_by)


def _codes_of(account: AnyAccount) -> ColumnElement[bool]:
    if isinstance(account, PlatformAccount):
        return ActivationCode.platform_account_id == account.id
    return ActivationCode.account_id == account.id


def get_account(session: Session, kind: str, account_id: int) -> AnyAccount:
    """Return the account of a principal's kind and id; it exists as long as its sign-in does."""
    if kind == "platform":
        return session.get_one(PlatformAccount, account_id)
    return session.get_one(Account, account_id)


def find_owner(session: Session, kind: str, account_id: int) -> AnyAccount | None:
    """Return the account that a browser was signed in to, or None if it was deleted."""
    if kind == "platform":
        return session.get(PlatformAccount, account_id)
    return session.get(Account, account_id)


def lock_account(session: Session, kind: str, account_id: int) -> AnyAccount:
    """Return an account refreshed and locked until the commit; its school (or the platform) is locked first.

    FOR NO KEY UPDATE: inserting rows that refer to it does not wait.
    """
    if kind == "platform":
        lock_schools(session, [None])
        return session.get_one(PlatformAccount, account_id, with_for_update=_ROW_ONLY, populate_existing=True)
    lock_schools(session, [session.scalar(select(Account.establishment_id).where(Account.id == account_id))])
    return session.get_one(Account, account_id, with_for_update=_ROW_ONLY, populate_existing=True)


def is_pending() -> ColumnElement[bool]:
    """Return the condition of the accounts that need the head's consent and have not got it, closed ones included."""
    return and_(Account.consent_needed, Account.consented_at.is_(None))


def select_pending() -> Select[int]:
    """Return the ids of the accounts of the school that wait for the head's consent: closed ones wait for nothing."""
    return _select_ids(is_pending(), Account.is_active)


def select_heads() -> Select[int]:
    """Return the ids of the heads' accounts of the school that are open."""
    return select(Account.id).where(Account.is_active, Account.holds(Permission.USERS_CONSENT))


def select_activated_heads() -> Select[int]:
    """Return the ids of the heads' accounts that were activated."""
    return select_heads().where(Account.activated_at.is_not(None))


def select_teachers() -> Select[int]:
    """Return the ids of the teachers' accounts that are open."""
    return select(Account.id).where(Account.is_active, Account.holds(Permission.PUPILS_EVALUATE))


def find_first(accounts: Select[int]) -> int | None:
    """Return the first id of some accounts, or None."""
    return db.session.scalar(accounts.order_by(None).order_by(Account.id).limit(1))


def is_without_code(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the people who have neither a password nor a valid code.

    Heads are counted separately (`select_heads`), as their codes are not printed. People waiting for the head's consent
    are not counted.
    """
    good = exists().where(
        ActivationCode.account_id == Account.id, ActivationCode.spent_at.is_(None), ActivationCode.expires_at > now
    )
    return and_(
        Account.is_active,
        Account.password_hash.is_(None),
        ~Account.holds(Permission.SCHOOL_RECORDS_READ),
        not_(is_pending()),
        not_(good),
    )


def select_without_code(now: datetime) -> Select[int]:
    """Return the ids of the people who cannot sign in for lack of a code; see `is_without_code`."""
    return _select_ids(is_without_code(now))


def is_to_be_seen() -> ColumnElement[bool]:
    """Return the condition of the teachers' accounts opened by the administrator that no head has reviewed yet.

    An account that waits for consent is reviewed by the head who consents.
    """
    return and_(Account.unseen_by_head, not_(is_pending()))


def select_unseen_teachers() -> Select[int]:
    """Return the ids of the accounts in use that a head has to review; see `is_to_be_seen`."""
    return _select_ids(is_to_be_seen(), Account.is_active)


def _select_ids(*conditions: Any) -> Select[int]:
    """Return ids of accounts by name, in the order of the list's indexes, which also make counting fast."""
    return select(Account.id).where(*conditions).order_by(Account.search_key, Account.id)


def list_accounts_of(session: Session, establishment_id: int) -> Iterator[Account]:
    """Yield the accounts of a school by role, then by name."""
    found = select(Account).where(Account.establishment_id == establishment_id)
    return iter(session.scalars(found.order_by(Account.role, Account.search_key, Account.id)))


def list_platform_accounts(session: Session, role: Role | None = None) -> Iterator[PlatformAccount]:
    """Yield the accounts of the platform, of one role or of both, by role, then by address."""
    found = select(PlatformAccount).order_by(PlatformAccount.role, PlatformAccount.email)
    return iter(session.scalars(found.where(PlatformAccount.has_role(role)) if role else found))


def find_account_by_id(account_id: int) -> Account | None:
    """Return an account of the current school, or None."""
    return db.session.get(Account, account_id)


def list_accounts(ids: Sequence[int]) -> Sequence[Account]:
    """Return accounts of the current school by id, ordered by id."""
    return db.session.scalars(select(Account).where(Account.id.in_(ids)).order_by(Account.id)).all()


def list_reading_school(*, limit: int) -> Sequence[Account]:
    """Return the active accounts of the current school that read all its data, by role, then by name."""
    return db.session.scalars(
        select(Account)
        .where(Account.holds(Permission.USERS_VIEW), Account.is_active)
        .order_by(Account.role, Account.search_key, Account.id)
        .limit(limit)
    ).all()


def select_journal_ids_with_powers(*, besides: ColumnElement[int]) -> Select[str]:
    """Return the ids, as text for the journal, of the other accounts that read the school or need a consent."""
    has_powers = or_(Account.consent_needed, Account.holds(Permission.USERS_VIEW))
    return select(Cast(Account.id, String)).where(has_powers, Account.id != besides)


def select_journal_ids_awaited() -> Select[str]:
    """Return the ids, as text for the journal, of the accounts that need a consent, given or not."""
    return select(Cast(Account.id, String)).where(Account.consent_needed)


def list_head_addresses(session: Session, establishment_id: int, *, besides: int | None = None) -> list[str]:
    """Return the own addresses of the heads in place of a school, except one account's."""
    heads = session.scalars(_heads_in_place(establishment_id).where(Account.id != (besides or 0)))
    return sorted({head.confirmed_email for head in heads if head.confirmed_email})


def has_head_in_place(session: Session, establishment_id: int) -> bool:
    """Return whether a head of the school has activated their account and may sign in."""
    return session.scalars(_heads_in_place(establishment_id).limit(1)).first() is not None


def is_head_in_place(session: Session, by: Actor) -> bool:
    """Return whether an actor is now a head of the session's school who may sign in."""
    account = find_acting(session, by)
    return account is not None and account.may_sign_in and account.can(Permission.USERS_CONSENT)


def find_acting(session: Session, by: Actor) -> Account | None:
    """Return the acting school account, as currently stored, or None."""
    return session.get(Account, by.id) if by.kind == "account" and by.id else None


def find_account_with(session: Session, address: str, *, besides: int | None = None) -> Account | None:
    """Return an active account of the session's school with this address, in effect or not, or None."""
    wanted = address.casefold()
    for account in session.scalars(
        select(Account).where((Account.email != "") | (Account.confirmed_email != ""), Account.is_active)
    ):
        if account.id != besides and wanted in (account.email.casefold(), account.confirmed_email.casefold()):
            return account
    return None


def _heads_in_place(establishment_id: int) -> Select[Account]:
    return select(Account).where(
        Account.establishment_id == establishment_id,
        Account.holds(Permission.USERS_CONSENT),
        Account.is_active,
        Account.activated_at.is_not(None),
        ~Account.consent_needed | Account.consented_at.is_not(None),
    )

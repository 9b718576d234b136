"""Open and end sign-ins, choose passwords, enter a school."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, not_, select, update
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.errors import Conflict, DomainError
from cpro.core.passwords import check_password, hash_password, needs_rehash
from cpro.core.permissions import Actor
from cpro.core.secrets import new_token, token_hash
from cpro.core.transactions import lock_schools
from cpro.establishments.models import Establishment
from cpro.users import second_factor_policy
from cpro.users.devices import UNKNOWN
from cpro.users.models import PlatformAccount
from cpro.users.operations import second_factor
from cpro.users.operations.audit import record_about
from cpro.users.queries import AnyAccount, list_unspent_codes, sign_ins_of
from cpro.users.sign_in_life import has_life_left
from cpro.users.sign_in_models import SignIn


def open_sign_in(
    session: Session,
    account: AnyAccount,
    *,
    password: str,
    by: Actor,
    now: datetime,
    device: str = "",
    awaits_code: bool = False,
    trusted_until: datetime | None = None,
) -> str:
    """Sign a browser in and return the token for its cookie; the password's hash is renewed if outdated.

    `device` is its description for the account's owner (`devices.describe_device`). A sign-in that `awaits_code` gives
    no access until `complete_sign_in`. One in a browser that its owner trusts lasts as long as the trust.
    """
    _sweep(session, now=now)
    token = new_token()
    sign_in = SignIn(
        token_hash=token_hash(token),
        created_at=now,
        last_seen_at=now,
        device=device[:60],
        address=by.origin[:60],
        awaits_code=awaits_code,
        trusted_until=trusted_until,
    )
    if isinstance(account, PlatformAccount):
        sign_in.platform_account_id = account.id
    else:
        sign_in.account_id, sign_in.establishment_id = account.id, account.establishment_id
    session.add(sign_in)
    if account.password_hash and needs_rehash(account.password_hash):
        account.password_hash = hash_password(password)
    if not awaits_code:
        _note_signed_in(session, account, by=by, now=now)
    return token


def complete_sign_in(
    session: Session,
    sign_in: SignIn,
    account: AnyAccount,
    *,
    by: Actor,
    now: datetime,
    trusted_until: datetime | None = None,
) -> str:
    """Complete a sign-in whose second factor was right, and return its new token.

    The earlier token, which may have been seen, stops working. See `open_sign_in` for `trusted_until`.
    """
    token = new_token()
    sign_in.trusted_until = trusted_until
    sign_in.token_hash, sign_in.awaits_code = token_hash(token), False
    sign_in.created_at = sign_in.last_seen_at = sign_in.code_given_at = now
    _note_signed_in(session, account, by=by, now=now)
    return token


def note_code_given(session: Session, sign_in_id: int, *, now: datetime) -> None:
    """Note that a right second-factor code was given in a browser: it is not required again for a while."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(code_given_at=now))


def _note_signed_in(session: Session, account: AnyAccount, *, by: Actor, now: datetime) -> None:
    account.last_sign_in_at = now
    second_factor_policy.note_asked(session, account, now=now)
    record_about(session, "account:signed-in", account, by=by, now=now)


def _sweep(session: Session, *, now: datetime) -> None:
    """Delete the expired sign-ins of all accounts, except those locked by another transaction."""
    over = select(SignIn.id).where(not_(has_life_left(now))).with_for_update(skip_locked=True)
    session.execute(delete(SignIn).where(SignIn.id.in_(over)))


def end_sign_in(session: Session, sign_in_id: int, account: AnyAccount, *, by: Actor, now: datetime) -> None:
    """Sign a browser out."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id))
    record_about(session, "account:signed-out", account, by=by, now=now)


def end_own_sign_in(session: Session, account: AnyAccount, sign_in_id: int, *, by: Actor, now: datetime) -> str | None:
    """Sign one browser of an account out, and return its description; None if it is gone, or another account's."""
    sign_in = session.scalars(select(SignIn).where(sign_ins_of(account), SignIn.id == sign_in_id)).one_or_none()
    if sign_in is None:
        return None
    device = sign_in.device or UNKNOWN
    if not session.scalars(delete(SignIn).where(SignIn.id == sign_in_id).returning(SignIn.id)).all():
        return None  # signed out in another window meanwhile
    record_about(session, "account:sign-in:ended", account, by=by, now=now, changes={"device": (device, None)})
    return device


def end_other_sign_ins(session: Session, account: AnyAccount, *, kept_sign_in_id: int, by: Actor, now: datetime) -> int:
    """Sign out every browser of an account except one, and return how many were."""
    number = end_all_sign_ins(session, account, kept_sign_in_id=kept_sign_in_id)
    second_factor.forget_trust(session, account, now=now)
    if number:
        record_about(session, "account:sign-ins:ended", account, by=by, now=now, changes={"sign_ins": (number, None)})
    return number


def choose_password(
    session: Session,
    account: AnyAccount,
    *,
    password: str,
    by: Actor,
    now: datetime,
    kept_sign_in_id: int | None = None,
) -> None:
    """Set the password, void the codes and end every sign-in but `kept_sign_in_id`.

    Raises `WeakPassword` on the field `password`.
    """
    try:
        check_password(password, privileged=account.role.is_privileged, words_about_person=_words(session, account))
    except DomainError as refusal:
        refusal.field = "password"
        raise
    account.password_hash = hash_password(password)
    account.activated_at = account.activated_at or now
    for code in list_unspent_codes(session, account):
        code.spent_at = now
    end_all_sign_ins(session, account, kept_sign_in_id=kept_sign_in_id)
    second_factor.forget_trust(session, account, now=now)
    record_about(session, "account:password:changed", account, by=by, now=now)


def change_own_password(
    session: Session,
    account: AnyAccount,
    *,
    compared: str | None,
    password: str,
    by: Actor,
    now: datetime,
    sign_in_id: int,
) -> None:
    """Change one's own password, after `identity` compared the current one; the other browsers are signed out.

    `account` is locked (`queries.lock_account`), `compared` is the hash that `identity` compared. Raises `WeakPassword`
    on the field `password`, `Conflict` if another browser has changed the password or ended this sign-in since.
    """
    if account.password_hash != compared or session.get(SignIn, sign_in_id) is None:
        raise Conflict(
            "Votre mot de passe vient d’être changé dans une autre fenêtre\u202f: connectez-vous avec le nouveau.",
            field="current_password",
        )
    choose_password(session, account, password=password, by=by, now=now, kept_sign_in_id=sign_in_id)


def end_all_sign_ins(session: Session, account: AnyAccount, *, kept_sign_in_id: int | None = None) -> int:
    """Sign out every browser of an account, optionally except one; return how many were."""
    gone = delete(SignIn).where(sign_ins_of(account), SignIn.id != (kept_sign_in_id or 0)).returning(SignIn.id)
    return len(session.scalars(gone).all())


def end_sign_ins_of(session: Session, account_ids: Sequence[int], *, kept_sign_in_id: int | None = None) -> int:
    """Sign out every browser of many accounts of a school, optionally except one; return how many were."""
    gone = delete(SignIn).where(SignIn.account_id.in_(account_ids), SignIn.id != (kept_sign_in_id or 0))
    return len(session.scalars(gone.returning(SignIn.id)).all())


def enter_school(
    session: Session,
    sign_in_id: int,
    school: Establishment | None,
    *,
    by: Actor,
    now: datetime,
    left_by: Actor | None = None,
) -> None:
    """Enter a school, or leave the current one (None); both are recorded in the schools' journals, unless unchanged.

    `left_by` is the person's name in the school being left, if it differs from the name in the school entered.
    Raises `Conflict` if another window has just entered another one.
    """
    sign_in = session.get(SignIn, sign_in_id)
    if sign_in is None:  # signed out in another window meanwhile
        return
    left_id = sign_in.entered_establishment_id
    entered_id = school.id if school else None
    lock_schools(session, {left_id, entered_id or left_id} - {None})
    session.refresh(sign_in)
    if sign_in.entered_establishment_id == entered_id:  # already there, perhaps from another window
        return
    if sign_in.entered_establishment_id != left_id:  # changed between the first read and the lock
        raise Conflict("Une autre fenêtre vient de changer d’établissement\u202f: choisissez à nouveau.")
    sign_in.entered_establishment_id = entered_id
    actions = {left_id: "school:left"} | ({school.id: "school:entered"} if school else {})
    for school_id, action in sorted((each, actions[each]) for each in actions if each is not None):
        actor = (left_by or by) if school_id == left_id else by
        record(
            action,
            About("establishment", school_id, actor.label),
            by=actor,
            now=now,
            establishment_id=school_id,
            session=session,
        )


def _words(session: Session, account: AnyAccount) -> list[str]:
    if isinstance(account, PlatformAccount):
        return [account.email.partition("@")[0], *account.name.split()]
    school = session.get_one(Establishment, account.establishment_id)
    return [account.login, account.last_name, account.first_name, school.code, *school.name.split()]

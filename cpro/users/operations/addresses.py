"""Decide which e-mail address is in effect once another person changed it: an account's, or the school's own.

What the administrator types proves nothing. An account's changed address takes effect once its owner, signed in, or the
holder of the earlier address confirms it; or after seven days if the notice reached the earlier address and met no
objection, but never for a head. Without an earlier address there is no holder to write to: only the owner confirms,
signed in. The school's address takes effect for heads' codes once a head, signed in, or the holder of the address in
effect confirms it; it never does by silence.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cpro.core.concurrency import check_fresh
from cpro.core.errors import Conflict, DomainError, NotFound, check_password_given
from cpro.core.formatting import of_name
from cpro.core.mail import MailMessage, enqueue, public_link
from cpro.core.mail.queries import select_times_written_about
from cpro.core.permissions import Actor
from cpro.core.rate_limits import HOUR, RateLimit
from cpro.core.secrets import new_token, token_hash
from cpro.core.validators.mail_domains import find_meant_domain
from cpro.establishments.models import Establishment
from cpro.establishments.official_mailboxes import DOMAINS
from cpro.establishments.operations.audit import record_about_school
from cpro.establishments.operations.proof import find_proved_address
from cpro.extensions import db
from cpro.users import queries
from cpro.users.errors import MaybeMistyped
from cpro.users.models import Account, AddressChange, AddressState
from cpro.users.operations import address_letters, codes, rules
from cpro.users.operations.audit import record_about
from cpro.users.operations.sign_ins import end_all_sign_ins

#: How long the link sent to the earlier address is valid.
LINK_VALIDITY = timedelta(days=30)
#: How long the holder of the earlier address has to object before the change takes effect.
SILENCE = timedelta(days=7)

#: The messages about an account beyond which its owner no longer changes the address: each change sends one to what was
#: typed.
_LIMIT = RateLimit(
    10,
    HOUR,
    "Beaucoup de messages sont partis au sujet de votre compte depuis une heure\u202f: cette adresse n’est pas "
    "enregistrée. Ce que vous avez saisi est encore dans la page\u202f; réessayez dans {wait}.",
)

_BY_SILENCE = Actor("system", None, "Sans opposition après 7 jours", "system")


# --- An account's --------------------------------------------------------------------------------------------------


def change_account_address(account: Account, email: str, *, by: Actor, now: datetime) -> None:
    """Set the address that another person typed for an account, in the session of the school.

    Its earlier holder and the heads are notified. A change from the command line takes effect at once.
    """
    session = db.session()
    apply_silence(session, account, now=now)
    _replace_waiting(session, account.establishment_id, account.id, now=now)
    earlier, account.email = account.confirmed_email, email
    if rules.is_command_line(by):
        account.confirmed_email = email
        return
    if email == earlier:
        return
    school = session.get_one(Establishment, account.establishment_id)
    if earlier:
        change, link = _open_change(session, school, account, earlier=earlier, email=email, by=by, now=now)
        mail = address_letters.account_notice(account, school, change, link, counts_on=now + SILENCE)
        change.notice = enqueue(mail, by=by, now=now, about=("account", account.id)).message_id
    for address in queries.list_head_addresses(session, school.id):
        if address != earlier:
            enqueue(address_letters.account_change_letter(address, account, school, by=by), by=by, now=now)


def change_own_address(
    session: Session,
    account: Account,
    email: str,
    *,
    opened_on: str | None,
    confirmed: bool = False,
    password_given: bool = False,
    by: Actor,
    now: datetime,
) -> None:
    """Set the address given by an account's owner, with their password: it takes effect at once.

    Both addresses are notified: a typing error shows by the message that does not come. `confirmed` states that the
    owner was asked about a domain that looks mistyped. `account` is locked (`queries.lock_account`). Raises `StaleForm`
    if the address changed since the form was opened, `PasswordNeeded`, `MaybeMistyped`, `LimitReached`.
    """
    earlier, shown = account.confirmed_email, account.email
    check_fresh({"email": shown}, opened_on)
    if email == earlier == shown:
        return
    check_password_given(password_given, "Pour changer votre adresse électronique", by=by)
    school = session.get_one(Establishment, account.establishment_id)
    if not confirmed:
        _ask_if_mistyped(email, school)
    _LIMIT.check(session, select_times_written_about(account.establishment_id, "account", account.id), now=now)
    _replace_waiting(session, account.establishment_id, account.id, now=now)
    account.email = account.confirmed_email = email
    session.flush()
    changes: dict[str, tuple[object, object]] = {"email": (shown, email)} if email != shown else {}
    if shown != earlier:
        changes["confirmed_email"] = (earlier, email)
    record_about(session, "account:changed", account, by=by, now=now, changes=changes)
    if earlier == email:
        return
    letters = [address_letters.own_notice(account, school, earlier)] if earlier else []
    letters += [address_letters.own_new_notice(email)] if email else []
    for mail in letters:
        enqueue(mail, by=by, now=now, session=session, establishment_id=school.id, about=("account", account.id))


def _ask_if_mistyped(email: str, school: Establishment) -> None:
    own = {address.rpartition("@")[2] for address in (school.email, find_proved_address(school)) if address}
    if meant := find_meant_domain(email, besides={*DOMAINS.values(), *own}):
        raise MaybeMistyped(email, meant)


def forget_address(account: Account, *, now: datetime) -> None:
    """Clear the addresses of an account that becomes another person's, in the session of the school.

    No link, however old, can restore one.
    """
    account.email = account.confirmed_email = ""
    _replace(db.session(), account.establishment_id, account.id, AddressState.WAITING, AddressState.COUNTED, now=now)


def apply_silence(session: Session, account: Account, *, now: datetime) -> bool:
    """Apply a changed address if seven days passed without an objection; return whether it is in effect."""
    change = _find_waiting(session, account)
    if change is None or account.role.has_private_code:
        return False
    if change.email != account.email or change.earlier != account.confirmed_email:
        return False
    if not _was_notified(session, change, now=now):
        return False
    _close(change, AddressState.COUNTED, now=now)
    account.confirmed_email = change.email
    session.flush()
    changes = {"confirmed_email": (change.earlier, change.email)}
    record_about(session, "account:address:counted", account, by=_BY_SILENCE, now=now, changes=changes)
    return True


def _was_notified(session: Session, change: AddressChange, *, now: datetime) -> bool:
    """Return whether a server accepted the notice to the earlier address at least seven days ago."""
    if not change.notice:
        return False
    notice = session.scalars(
        select(MailMessage).where(
            MailMessage.message_id == change.notice, MailMessage.establishment_id == change.establishment_id
        )
    ).one_or_none()
    return notice is not None and notice.sent_at is not None and notice.sent_at <= now - SILENCE


# --- The school's own ----------------------------------------------------------------------------------------------


def notify_school_address(
    establishment: Establishment, *, earlier: str, password_given: bool, by: Actor, now: datetime
) -> None:
    """Confirm a change of the school's address made by a head, and notify the addresses concerned, in its session.

    Until the change takes effect, heads' codes keep going to the earlier address.
    """
    session = db.session()
    _replace_waiting(session, establishment.id, None, now=now)
    proved, email = find_proved_address(establishment), establishment.email
    heads = queries.list_head_addresses(session, establishment.id, besides=by.id if by.kind == "account" else None)
    in_place = queries.has_head_in_place(session, establishment.id)
    # Setting a first address before there is a head affects no one.
    notified = {earlier, proved, *heads} - {"", email} if earlier or in_place else set()
    if (
        password_given
        and email
        and queries.is_head_in_place(session, by)
        and not queries.find_account_with(session, email)
    ):
        _confirm_school(session, establishment, by=by, now=now)
    elif email and proved and email != proved and in_place:
        change, link = _open_change(session, establishment, None, earlier=proved, email=email, by=by, now=now)
        letter = address_letters.school_notice(
            proved, establishment, earlier=earlier, codes_to=proved, by=by, link=link
        )
        change.notice = enqueue(letter, by=by, now=now, about=("establishment", establishment.id)).message_id
        notified.discard(proved)
    codes_to = find_proved_address(establishment)
    for address in sorted(notified):
        letter = address_letters.school_notice(address, establishment, earlier=earlier, codes_to=codes_to, by=by)
        enqueue(letter, by=by, now=now, about=("establishment", establishment.id))


def confirm_school_address(
    establishment: Establishment, *, shown: str, password_given: bool = False, by: Actor, now: datetime
) -> None:
    """Make the school's address effective for heads' codes, as `shown` to a signed-in head who gave their password.

    Raises `Forbidden` for anyone else, `DomainError` if there is none or it is an account's own, `Conflict` if it
    changed meanwhile, `PasswordNeeded`. An address already in effect is left unchanged.
    """
    session = db.session()
    rules.check_head(by, "Seul le chef d’établissement en place confirme l’adresse de l’établissement.")
    if not establishment.email:
        raise DomainError("L’établissement n’a pas d’adresse électronique : il n’y a rien à confirmer.")
    if shown != establishment.email:
        raise Conflict(
            "L’adresse électronique de l’établissement a changé entre-temps. Relisez-la, puis confirmez à nouveau."
        )
    if shown == establishment.confirmed_email:
        return  # confirmed in another window at the same instant
    owner = queries.find_account_with(session, shown)
    if owner is not None:
        raise DomainError(
            f"Cette adresse est aussi celle du compte {of_name(owner.label)}, qui recevrait les codes d’un chef "
            "d’établissement. Donnez d’abord à l’établissement une adresse qui n’est celle de personne."
        )
    check_password_given(password_given, "Pour confirmer l’adresse de l’établissement", by=by)
    _replace_waiting(session, establishment.id, None, now=now)
    _confirm_school(session, establishment, by=by, now=now)


def _confirm_school(session: Session, establishment: Establishment, *, by: Actor, now: datetime) -> None:
    earlier, establishment.confirmed_email = find_proved_address(establishment), establishment.email
    session.flush()
    changes = {"confirmed_email": (earlier, establishment.email)}
    record_about_school("establishment:address:confirmed", establishment, changes, by=by, now=now, session=session)


# --- The link sent to the earlier address --------------------------------------------------------------------------


def find_by_token(session: Session, token: str, *, now: datetime) -> AddressChange:
    """Return the change that a link is about, in a platform session.

    Raises `NotFound` once the link expired or was answered, or another change replaced this one.
    """
    change = session.scalars(
        select(AddressChange)
        .where(AddressChange.token_hash == token_hash(token))
        .execution_options(populate_existing=True)
    ).one_or_none()
    open_states = (AddressState.WAITING, AddressState.COUNTED)
    if change is None or change.expires_at <= now or change.state not in open_states:
        raise NotFound(
            "Ce lien n’est plus valable : il a déjà servi, il a expiré, ou l’adresse a encore changé depuis."
        )
    return change


def answer_link(session: Session, token: str, *, agrees: bool, origin: str, now: datetime) -> AddressChange:
    """Apply the answer of the holder of the earlier address, in a platform session; the link works once.

    Raises `NotFound` as `find_by_token` does.
    """
    school_id = find_by_token(session, token, now=now).establishment_id
    establishment = session.get_one(Establishment, school_id, with_for_update=True, populate_existing=True)
    change = find_by_token(session, token, now=now)  # reloaded under the lock
    by = Actor("anonymous", None, f"Titulaire de l’adresse {change.earlier}", "anonymous", origin)
    account = session.get_one(Account, change.account_id, populate_existing=True) if change.account_id else None
    if account is None:
        _answer_for_school(session, establishment, change, agrees=agrees, by=by, now=now)
    else:
        _answer_for_account(session, account, change, agrees=agrees, by=by, now=now)
    _close(change, AddressState.CONFIRMED if agrees else AddressState.REFUSED, now=now)
    session.flush()
    if not agrees:
        for address in queries.list_head_addresses(session, establishment.id):
            letter = address_letters.objection(address, establishment, account, change)
            enqueue(letter, by=by, now=now, session=session, establishment_id=establishment.id)
    return change


def _answer_for_school(
    session: Session, establishment: Establishment, change: AddressChange, *, agrees: bool, by: Actor, now: datetime
) -> None:
    if agrees:
        _refuse_outdated(change, establishment.email)
        _confirm_school(session, establishment, by=by, now=now)
        return
    changes = {"confirmed_email": (change.email, change.earlier)}
    record_about_school("establishment:address:refused", establishment, changes, by=by, now=now, session=session)


def _answer_for_account(
    session: Session, account: Account, change: AddressChange, *, agrees: bool, by: Actor, now: datetime
) -> None:
    """Confirm the new address, or restore the earlier one and end what the new one may have opened."""
    if agrees:
        _refuse_outdated(change, account.email)
        account.confirmed_email = change.email
        changes = {"confirmed_email": (change.earlier, change.email)}
        record_about(session, "account:address:confirmed", account, by=by, now=now, changes=changes)
        return
    if change.state is AddressState.COUNTED:
        account.password_hash = None
        codes.void_codes(session, [account.id], now=now)
        end_all_sign_ins(session, account)
    account.email = account.confirmed_email = change.earlier
    changes = {"email": (change.email, change.earlier)}
    record_about(session, "account:address:refused", account, by=by, now=now, changes=changes)


def _refuse_outdated(change: AddressChange, stored: str) -> None:
    """Raise `NotFound` if the link's address is no longer the current one, for example after an import."""
    if change.email != stored:
        raise NotFound("Ce lien n’est plus valable : l’adresse a encore changé depuis.")


def _open_change(
    session: Session,
    establishment: Establishment,
    account: Account | None,
    *,
    earlier: str,
    email: str,
    by: Actor,
    now: datetime,
) -> tuple[AddressChange, str]:
    """Create a pending change, and return it with the link for the holder of the earlier address."""
    token = new_token()
    change = AddressChange(
        establishment_id=establishment.id,
        account_id=account.id if account else None,
        earlier=earlier,
        email=email,
        token_hash=token_hash(token),
        requested_by=by.label[:200],
        state=AddressState.WAITING,
        created_at=now,
        expires_at=now + LINK_VALIDITY,
    )
    session.add(change)
    return change, public_link(f"/adresse/{token}")


def _find_waiting(session: Session, account: Account) -> AddressChange | None:
    return session.scalars(
        select(AddressChange)
        .where(
            AddressChange.establishment_id == account.establishment_id,
            AddressChange.account_id == account.id,
            AddressChange.state == AddressState.WAITING,
        )
        .order_by(AddressChange.id.desc())
        .limit(1)
    ).first()


def _replace_waiting(session: Session, establishment_id: int, account_id: int | None, *, now: datetime) -> None:
    """Close the pending changes of an address that a later change replaces: their links stop working.

    A change that took effect by silence keeps its link: the holder of the earlier address may object during all of its
    thirty days.
    """
    _replace(session, establishment_id, account_id, AddressState.WAITING, now=now)


def _replace(
    session: Session, establishment_id: int, account_id: int | None, *states: AddressState, now: datetime
) -> None:
    session.execute(
        update(AddressChange)
        .where(
            AddressChange.establishment_id == establishment_id,
            AddressChange.account_id == account_id if account_id else AddressChange.account_id.is_(None),
            AddressChange.state.in_(states),
        )
        .values(state=AddressState.REPLACED, settled_at=now)
    )


def _close(change: AddressChange, state: AddressState, *, now: datetime) -> None:
    change.state, change.settled_at = state, now

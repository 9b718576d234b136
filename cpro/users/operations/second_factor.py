"""The second factor of an account: a code that changes every 30 seconds (TOTP, RFC 6238), and recovery codes.

The secret is encrypted with the server's key. A code can be used once: one atomic statement consumes its step, or the
recovery code, so that two requests cannot both use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

import pyotp
from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.audit.queries import find_last_of
from cpro.core.errors import Conflict, check_password_given
from cpro.core.mail import Mail, enqueue
from cpro.core.permissions import Actor
from cpro.core.printed_codes import generate_printed_code, group_printed_code, read_printed_code
from cpro.core.secrets import Unreadable, keyed_hash, keyed_hashes, reseal, seal, unseal
from cpro.users.models import Account
from cpro.users.operations import rules, throttle
from cpro.users.operations.audit import record_about
from cpro.users.passkeys.operations import remove_all
from cpro.users.queries import AnyAccount, find_second_factor, sign_ins_of
from cpro.users.sign_in_models import SecondFactor, SignIn

RECOVERY_CODES = 10
_RECOVERY_LENGTH = 12  # × 5 bits
#: Purposes of the encryption of the secret and of the HMAC of recovery codes.
PURPOSE, _RECOVERY = "second-factor", "recovery-code"
_STEP = 30  # seconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Audit actions: a second factor is set up, removed by its owner or by a person above, its codes renewed.
_ON, _OFF, _RESET, CODES_DRAWN = (f"account:second-factor:{each}" for each in ("on", "off", "reset", "codes"))
_SHAPE = re.compile(r"[0-9]{6}")


def begin(
    session: Session, account: AnyAccount, *, password_given: bool = False, by: Actor, now: datetime
) -> SecondFactor:
    """Generate a new secret, in effect once confirmed.

    Raises `Conflict` if one is already in effect, `PasswordNeeded`.
    """
    factor = find_second_factor(session, account)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("Votre second facteur est déjà activé, dans une autre fenêtre peut-être.")
    check_password_given(password_given, "Pour préparer votre second facteur", by=by)
    if factor is None:
        factor = SecondFactor(created_at=now, trusted_from=now)
        if isinstance(account, Account):
            factor.account_id, factor.establishment_id = account.id, account.establishment_id
        else:
            factor.platform_account_id = account.id
        session.add(factor)
    factor.secret = seal(PURPOSE, pyotp.random_base32())
    session.flush()
    return factor


def read_secret(factor: SecondFactor) -> str:
    """Return the secret of a second factor. Raises `Conflict` if the server's key has changed since."""
    try:
        return unseal(PURPOSE, factor.secret)
    except Unreadable as error:
        raise Conflict(
            "La clé du serveur a changé : votre second facteur et ses codes de secours ne peuvent plus être lus. "
            "Demandez à l’équipe qui administre CPro de le réinitialiser."
        ) from error


def describe_address(secret: str, account: AnyAccount) -> str:
    """Return the URI for the QR code that authenticator applications read: the secret, and the account."""
    return pyotp.TOTP(secret, interval=_STEP).provisioning_uri(name=account.login, issuer_name="CPro")


def confirm(session: Session, factor: SecondFactor, account: AnyAccount, *, by: Actor, now: datetime) -> list[str]:
    """Activate a second factor with a first code; return the recovery codes, to be shown only once."""
    factor.confirmed_at = factor.trusted_from = now
    codes = _generate_recovery_codes(factor)
    session.flush()
    record_about(session, _ON, account, by=by, now=now)
    return codes


def renew_codes(
    session: Session,
    factor: SecondFactor,
    account: AnyAccount,
    *,
    password_given: bool = False,
    by: Actor,
    now: datetime,
) -> list[str]:
    """Generate new recovery codes that replace the earlier ones, and return them. Raises `PasswordNeeded`."""
    check_password_given(password_given, "Pour changer vos codes de secours", by=by)
    codes = _generate_recovery_codes(factor)
    session.flush()
    record_about(session, CODES_DRAWN, account, by=by, now=now)
    return codes


def remove(session: Session, account: AnyAccount, *, password_given: bool = False, by: Actor, now: datetime) -> bool:
    """Remove the actor's own second factor; return whether there was one. Raises `PasswordNeeded`."""
    check_password_given(password_given, "Pour retirer votre second facteur", by=by)
    return _delete(session, account, _OFF, by=by, now=now)


def reset(session: Session, account: AnyAccount, *, by: Actor, now: datetime) -> bool:
    """Remove another person's second factor and notify them; return whether there was one.

    Their sign-ins end, and failures are forgotten. Raises as `check_reset`.
    """
    check_reset(session, account, by)
    if not _delete(session, account, _RESET, by=by, now=now):
        return False
    session.execute(delete(SignIn).where(sign_ins_of(account)))
    throttle.forget_failures(session, account)
    address = account.confirmed_email if isinstance(account, Account) else account.email
    if address:
        kind = "account" if isinstance(account, Account) else "platform_account"
        school_id = account.establishment_id if isinstance(account, Account) else None
        warned = "votre établissement" if school_id is not None else "l’équipe qui administre CPro"
        mail = Mail(
            to=address,
            subject="CPro : votre second facteur a été réinitialisé",
            body=(
                f"Bonjour {account.label},\n\n"
                f"{by.label} a réinitialisé le second facteur de votre compte CPro : votre mot de passe suffit à "
                "nouveau pour vous connecter, et vos connexions en cours sont terminées. Activez-le à nouveau dans "
                "« Mon compte ».\n\n"
                f"Si vous n’avez rien demandé, changez votre mot de passe et prévenez {warned}.\n"
            ),
        )
        enqueue(mail, by=by, now=now, session=session, establishment_id=school_id, about=(kind, account.id))
    return True


def find_reset(session: Session, account: AnyAccount) -> AuditEntry | None:
    """Return the audit entry that names who removed a person's second factor; None once they set one up again.

    In a platform session.
    """
    line = find_last_of(
        session,
        (_ON, _OFF, _RESET),
        establishment_id=account.establishment_id if isinstance(account, Account) else None,
        object_type="account" if isinstance(account, Account) else "platform_account",
        object_id=account.id,
    )
    return line if line is not None and line.action == _RESET and not is_set(session, account) else None


def check_reset(session: Session, account: AnyAccount, by: Actor) -> None:
    """Raise `OwnAccount` for the actor's own second factor, `Forbidden` unless the actor is above its holder."""
    rules.check_is_above(
        session,
        account,
        by,
        "Un second facteur se réinitialise par un autre : un chef d’établissement en place, pour les comptes de son "
        "établissement et les inspecteurs à qui il est ouvert, ou l’équipe qui administre CPro.",
    )


def is_set(session: Session, account: AnyAccount) -> bool:
    """Return whether an account has a confirmed second factor."""
    factor = find_second_factor(session, account)
    return factor is not None and factor.confirmed_at is not None


def use_code(session: Session, factor: SecondFactor, typed: str, *, now: datetime) -> bool:
    """Return whether a typed code is right, and consume it; `users.second_factor` counts the attempt first."""
    step = _find_step(factor, typed, now)
    if step is not None:
        taken = update(SecondFactor).where(SecondFactor.id == factor.id, SecondFactor.last_step < step)
        sealed = reseal(PURPOSE, factor.secret) or factor.secret  # with the current key, if it was under a former one
        return _is_one(session, taken.values(last_step=step, secret=sealed))
    if factor.confirmed_at is None:
        return False
    hashed, kept = keyed_hashes(_RECOVERY, read_printed_code(typed)), factor.recovery.split()
    if set(hashed).isdisjoint(kept):
        return False
    left = " ".join(each for each in kept if each not in hashed)
    used = update(SecondFactor).where(SecondFactor.id == factor.id, SecondFactor.recovery == factor.recovery)
    return _is_one(session, used.values(recovery=left))


def _find_step(factor: SecondFactor, typed: str, now: datetime) -> int | None:
    """Return the 30-second step of a typed code, the current one or a neighbour; None if it is wrong."""
    typed = "".join(typed.split())
    if not _SHAPE.fullmatch(typed):
        return None
    totp, present = pyotp.TOTP(read_secret(factor), interval=_STEP), (now - _EPOCH) // timedelta(seconds=_STEP)
    return next((step for step in (present - 1, present, present + 1) if _is_code_of(totp, step, typed)), None)


def _is_code_of(totp: pyotp.TOTP, step: int, typed: str) -> bool:
    return compare_digest(totp.at(step * _STEP), typed)


def _is_one(session: Session, statement) -> bool:  # type: ignore[no-untyped-def]
    changed = session.scalars(
        statement.returning(SecondFactor.id), execution_options={"synchronize_session": "fetch"}
    ).all()
    return len(changed) == 1


def _generate_recovery_codes(factor: SecondFactor) -> list[str]:
    codes = [generate_printed_code(_RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]
    factor.recovery = " ".join(map(_hash, codes))
    return [group_printed_code(each) for each in codes]


def _delete(session: Session, account: AnyAccount, action: str, *, by: Actor, now: datetime) -> bool:
    factor = find_second_factor(session, account)
    if factor is None:
        return False
    was_on = factor.confirmed_at is not None
    session.execute(delete(SecondFactor).where(SecondFactor.id == factor.id))
    _shorten_sign_ins(session, sign_ins_of(account))
    remove_all(session, account)
    if was_on:
        record_about(session, action, account, by=by, now=now)
    return was_on


def forget_trust(session: Session, account: AnyAccount, *, now: datetime) -> None:
    """Require a code from every browser of an account at its next sign-in; those open last no longer than elsewhere."""
    factor = find_second_factor(session, account)
    if factor is not None:
        factor.trusted_from = now
        _shorten_sign_ins(session, sign_ins_of(account))


def forget_trust_of(session: Session, account_ids: Sequence[int], *, now: datetime) -> None:
    """Apply `forget_trust` to many accounts of a school."""
    forgotten = update(SecondFactor).where(SecondFactor.account_id.in_(account_ids)).values(trusted_from=now)
    session.execute(forgotten)
    _shorten_sign_ins(session, SignIn.account_id.in_(account_ids))


def _shorten_sign_ins(session: Session, condition: ColumnElement[bool]) -> None:
    """Have sign-ins last as long as in a browser that nobody trusts."""
    session.execute(update(SignIn).where(condition, SignIn.trusted_until.is_not(None)).values(trusted_until=None))


def count_recovery_codes(factor: SecondFactor) -> int:
    """Return the number of unused recovery codes."""
    return len(factor.recovery.split())


def _hash(code: str) -> str:
    return keyed_hash(_RECOVERY, read_printed_code(code))

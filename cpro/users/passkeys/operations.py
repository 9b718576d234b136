"""Register passkeys, verify what they sign, delete them.

A challenge is stored in the row of the sign-in it was generated for, never in the browser, and deleted before the
answer is verified: an intercepted answer cannot be replayed, whatever the device counts. The caller holds the
account's lock (`queries.lock_account`).
"""

from __future__ import annotations

import json
import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cpro.core.errors import Conflict, DomainError, NotFound
from cpro.core.permissions import Actor
from cpro.core.secrets import keyed_hash
from cpro.core.validators import clean_text
from cpro.users.models import Account
from cpro.users.operations.audit import record_about
from cpro.users.passkeys.models import Passkey
from cpro.users.passkeys.party import Party
from cpro.users.passkeys.queries import find_passkey, list_passkeys, passkeys_of
from cpro.users.queries import AnyAccount, find_second_factor
from cpro.users.sign_in_models import SignIn

logger = logging.getLogger(__name__)

#: Maximum passkeys of one account.
MOST = 10
#: How long a key may take to sign.
CHALLENGE_HOLDS = timedelta(minutes=5)
#: Maximum characters of a posted answer: several times the longest that devices send.
LONGEST_ANSWER = 20_000
LONGEST_NAME = 60
_MILLISECONDS = CHALLENGE_HOLDS // timedelta(milliseconds=1)


class PasskeyRefused(DomainError):
    """Raised for an invalid registration answer of a browser."""

    message = "La clé n’a pas été ajoutée : ce que votre navigateur a répondu n’est pas valable. Réessayez."
    field = "name"


def registration_options(
    session: Session, account: AnyAccount, sign_in_id: int, party: Party, *, now: datetime
) -> dict[str, Any]:
    """Return the options for creating a passkey, with a new challenge. Raises `Conflict` without second factor."""
    import webauthn
    from webauthn.helpers import structs

    _check_may_have_one_more(session, account)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name="CPro",
        user_id=bytes.fromhex(keyed_hash("passkey-user", f"{account.__tablename__}:{account.id}")),
        user_name=account.login,
        user_display_name=account.label,
        challenge=_create_challenge(session, sign_in_id, now=now),
        timeout=_MILLISECONDS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.DISCOURAGED,  # the account is already known
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_describe(list_passkeys(session, account)),
    )
    return _as_json(options)


def request_options(
    session: Session, account: AnyAccount, sign_in_id: int, party: Party, *, now: datetime
) -> dict[str, Any]:
    """Return the options for signing a new challenge with one of an account's passkeys."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=_create_challenge(session, sign_in_id, now=now),
        timeout=_MILLISECONDS,
        allow_credentials=_describe(list_passkeys(session, account)),
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    return _as_json(options)


def take_challenge(session: Session, sign_in_id: int, *, now: datetime) -> bytes | None:
    """Return the challenge of a sign-in and delete it; None if there is none, or it has expired."""
    sign_in = session.get(SignIn, sign_in_id, populate_existing=True)
    if sign_in is None or not sign_in.challenge or sign_in.challenge_until is None:
        return None
    challenge, until = bytes.fromhex(sign_in.challenge), sign_in.challenge_until
    sign_in.challenge = sign_in.challenge_until = None
    session.flush()
    return challenge if until - CHALLENGE_HOLDS <= now <= until else None


def register(
    session: Session,
    account: AnyAccount,
    *,
    name: str,
    answer: str,
    challenge: bytes | None,
    party: Party,
    by: Actor,
    now: datetime,
) -> Passkey:
    """Add a passkey to an account; `challenge` is what `take_challenge` returned, in an earlier transaction.

    Raises `PasskeyRefused`, `DomainError` on the field `name`, `Conflict` without second factor or with ten passkeys.
    """
    _check_may_have_one_more(session, account)
    named = clean_text(name, max_length=LONGEST_NAME)
    verified = _verify_registration(answer, challenge, party)
    if verified is None:
        raise PasskeyRefused
    passkey = Passkey(name=named, credential_id=verified[0], public_key=verified[1], created_at=now)
    passkey.sign_count = verified[2]
    if isinstance(account, Account):
        passkey.account_id, passkey.establishment_id = account.id, account.establishment_id
    else:
        passkey.platform_account_id = account.id
    session.add(passkey)
    try:
        session.flush()
    except IntegrityError:  # an account already has this credential
        raise PasskeyRefused from None
    record_about(session, "account:passkey:added", account, by=by, now=now, changes={"passkey": (None, named)})
    return passkey


def use(session: Session, account: AnyAccount, sign_in_id: int, answer: str, party: Party, *, now: datetime) -> bool:
    """Return whether one of an account's passkeys signed the sign-in's challenge, which is deleted in any case."""
    challenge = take_challenge(session, sign_in_id, now=now)
    passkey = find_passkey(session, account, _read_id(answer))
    if challenge is None or passkey is None:
        return False
    counted = _verify(answer, challenge, party, passkey)
    if counted is None:
        return False
    passkey.sign_count, passkey.last_used_at = counted, now
    session.flush()
    return True


def remove(session: Session, account: AnyAccount, passkey_id: int, *, by: Actor, now: datetime) -> str:
    """Delete a passkey of an account and return its name. Raises `NotFound` if it is gone, or another account's."""
    passkey = session.get(Passkey, passkey_id)
    if passkey is None or passkey not in list_passkeys(session, account):
        raise NotFound("Cette clé est déjà supprimée, ou n’est pas la vôtre.")
    name = passkey.name
    session.execute(delete(Passkey).where(Passkey.id == passkey_id))
    record_about(session, "account:passkey:removed", account, by=by, now=now, changes={"passkey": (name, None)})
    return name


def remove_all(session: Session, account: AnyAccount) -> None:
    """Delete the passkeys of an account whose second factor is removed."""
    session.execute(delete(Passkey).where(passkeys_of(account)))


def _check_may_have_one_more(session: Session, account: AnyAccount) -> None:
    factor = find_second_factor(session, account)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("Activez d’abord votre second facteur : ses codes de secours vous serviront sans clé.")
    if len(list_passkeys(session, account)) >= MOST:
        raise Conflict(f"Un compte a {MOST} clés au plus : supprimez-en une d’abord.")


def _create_challenge(session: Session, sign_in_id: int, *, now: datetime) -> bytes:
    challenge = secrets.token_bytes(32)
    kept = {"challenge": challenge.hex(), "challenge_until": now + CHALLENGE_HOLDS}
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(**kept))
    return challenge


def _verify_registration(answer: str, challenge: bytes | None, party: Party) -> tuple[str, bytes, int] | None:
    """Return the credential's id, its public key and the device's counter, None for an invalid answer."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url, decode_credential_public_key, decoded_public_key_to_cryptography

    if challenge is None or len(answer) > LONGEST_ANSWER:
        return None
    try:
        verified = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=party.id, expected_origin=party.origin
        )
        # Without an attestation, the library does not check the key: an invalid one could never sign.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
    except Exception as error:  # the library may raise anything on untrusted bytes: refuse
        logger.info("a new passkey was refused: %s", error)
        return None
    return bytes_to_base64url(verified.credential_id), verified.credential_public_key, verified.sign_count


def _verify(answer: str, challenge: bytes, party: Party, passkey: Passkey) -> int | None:
    """Return the device's counter, None for an invalid answer.

    A counter that has not increased since the last use means that the device was copied: refused.
    """
    import webauthn

    try:
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
        )
    except Exception as error:  # as above
        logger.info("a passkey was refused: %s", error)
        return None
    return verified.new_sign_count


def _read_id(answer: str) -> str:
    """Return the credential's id in a posted answer, "" if there is none."""
    if len(answer) > LONGEST_ANSWER:
        return ""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    named = found.get("id") if isinstance(found, dict) else None
    return named if isinstance(named, str) and named.isascii() and named.isprintable() else ""


def _describe(passkeys: Any) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes, structs

    return [structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in passkeys]


def _as_json(options: Any) -> dict[str, Any]:
    import webauthn

    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found

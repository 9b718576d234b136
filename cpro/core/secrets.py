"""Hashes and temporary encrypted texts, under keys derived from the server's key.

What was encrypted or hashed under a former key can still be read and recognised while that key is in
`SECRET_KEY_FALLBACKS`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cpro.extensions import application

_FINGERPRINT = 32  # hexadecimal characters


class Unreadable(Exception):
    """A sealed text cannot be decrypted: the key or the text has changed."""


def keyed_hash(purpose: str, value: str) -> str:
    """Return the HMAC-SHA-256 (64 hexadecimal characters) of a value, under a key derived for one purpose.

    The key comes from the server's secret key: a stolen database alone does not allow guessing values.
    """
    return keyed_hashes(purpose, value)[0]


def keyed_hashes(purpose: str, value: str) -> list[str]:
    """Return the `keyed_hash` of a value, then its hash under each former key: a stored hash may be any of them."""
    content = value.encode("utf-8", "surrogatepass")
    return [hmac.digest(_derived(key, purpose), content, "sha256").hex() for key in application.secret_keys]


def fingerprints() -> list[str]:
    """Return a fingerprint of the server's key, which does not reveal it, then of each former key."""
    return [each[:_FINGERPRINT] for each in keyed_hashes("fingerprint", "")]


def signing_keys() -> list[bytes]:
    """Return the signing keys as itsdangerous takes them: the last one signs, all are accepted."""
    return [_bytes(each) for each in reversed(application.secret_keys)]


def journal_hashes(value: bytes) -> Iterator[str]:
    """Yield the HMAC-SHA-256 of a journal line under the current key, then under each other key possibly used for it.

    The key is the journal's own, or the server's: a line cannot be forged with the database alone.
    """
    for master in (*application.journal_keys, *application.secret_keys):
        yield hmac.digest(_derived(master, "journal"), value, "sha256").hex()


def new_token() -> str:
    """Return 256 random bits as text, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token, to be stored instead of it: enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def seal(purpose: str, text: str) -> str:
    """Return a text encrypted and authenticated (Fernet), under a key derived for one purpose."""
    return _cipher(purpose).encrypt(text.encode("utf-8", "surrogatepass")).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Return the text encrypted by `seal`. Raises `Unreadable`."""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode("utf-8", "surrogatepass")
    except InvalidToken as error:
        raise Unreadable from error


def reseal(purpose: str, sealed: str) -> str | None:
    """Return a sealed text sealed again under the current key, or None when it already is. Raises `Unreadable`."""
    try:
        Fernet(_seal_key(application.secret_keys[0], purpose)).decrypt(sealed.encode())
    except InvalidToken:
        pass
    else:
        return None
    try:
        return _cipher(purpose).rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


def new_seal_key() -> str:
    """Return a new key for `seal_bytes`, which only the caller has."""
    return Fernet.generate_key().decode()


def seal_bytes(key: str, content: bytes) -> bytes:
    """Encrypt and authenticate bytes (Fernet) under a key of `new_seal_key`. Raises `Unreadable` for an invalid key."""
    return _fernet(key).encrypt(content)


def unseal_bytes(key: str, sealed: bytes) -> bytes:
    """Return the bytes encrypted by `seal_bytes`. Raises `Unreadable`."""
    try:
        return _fernet(key).decrypt(sealed)
    except InvalidToken as error:
        raise Unreadable from error


def _fernet(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError as error:
        raise Unreadable from error


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_seal_key(master, purpose)) for master in application.secret_keys])


def _seal_key(master: str | bytes, purpose: str) -> bytes:
    return base64.urlsafe_b64encode(_derived(master, f"seal:{purpose}"))


def _derived(master: str | bytes, purpose: str) -> bytes:
    return hmac.digest(_bytes(master), f"cpro:{purpose}".encode(), "sha256")


def _bytes(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else key.encode()

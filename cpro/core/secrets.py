"""Under the server's key: hashes of what must be recognised later, and texts that wait encrypted for a while.

What was sealed or hashed under a former key is still read and recognised while that key is among
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
    """Say that a sealed text cannot be read: the key has changed, or the text."""


def keyed_hash(purpose: str, value: str) -> str:
    """Return the HMAC-SHA-256 (64 hexadecimal characters) of a value, under a key derived for one purpose.

    The key comes from the server's secret key: a stolen database alone is not enough to try values.
    """
    return keyed_hashes(purpose, value)[0]


def keyed_hashes(purpose: str, value: str) -> list[str]:
    """Return the `keyed_hash` of a value, then what it was under each former key: what is kept may be any of them."""
    content = value.encode("utf-8", "surrogatepass")
    return [hmac.digest(_derived(key, purpose), content, "sha256").hex() for key in application.secret_keys]


def fingerprints() -> list[str]:
    """Return what tells the server's key from others without showing it, then the same of each former key."""
    return [each[:_FINGERPRINT] for each in keyed_hashes("fingerprint", "")]


def signing_keys() -> list[bytes]:
    """Return the keys of signatures as itsdangerous takes them: the last signs, all are believed."""
    return [_bytes(each) for each in reversed(application.secret_keys)]


def journal_hashes(value: bytes) -> Iterator[str]:
    """Yield the HMAC-SHA-256 of a line of the journal under the key of today, then under each that it may bear.

    The key comes from the journal's own, or from the server's: the database alone forges no line.
    """
    for master in (*application.journal_keys, *application.secret_keys):
        yield hmac.digest(_derived(master, "journal"), value, "sha256").hex()


def new_token() -> str:
    """Return 256 random bits in text for a cookie or a link."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token: enough for 256 random bits, and what the database keeps."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def seal(purpose: str, text: str) -> str:
    """Return a text encrypted and authenticated (Fernet), under a key derived for one purpose."""
    return _cipher(purpose).encrypt(text.encode("utf-8", "surrogatepass")).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Return the text of `seal`. Raises `Unreadable`."""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode("utf-8", "surrogatepass")
    except InvalidToken as error:
        raise Unreadable from error


def reseal(purpose: str, sealed: str) -> str | None:
    """Return a text of `seal` sealed under today's key, None where it is so already. Raises `Unreadable`."""
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
    """Return a key of its own for `seal_bytes`, for the one caller that may hold it."""
    return Fernet.generate_key().decode()


def seal_bytes(key: str, content: bytes) -> bytes:
    """Return bytes encrypted and authenticated (Fernet) under a key of `new_seal_key`. Raises `Unreadable` for none."""
    return _fernet(key).encrypt(content)


def unseal_bytes(key: str, sealed: bytes) -> bytes:
    """Return the bytes of `seal_bytes`. Raises `Unreadable`."""
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

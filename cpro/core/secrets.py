"""Hashes under the server's key: what must be recognised later and never read back."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import current_app


def keyed_hash(purpose: str, value: str) -> str:
    """Return the HMAC-SHA-256 (64 hexadecimal characters) of a value, under a key derived for one purpose.

    The key comes from the server's secret key: a stolen database alone does not let anybody try values.
    """
    secret = current_app.secret_key
    master = secret if isinstance(secret, bytes) else str(secret).encode()
    key = hmac.digest(master, f"cpro:{purpose}".encode(), "sha256")
    return hmac.digest(key, value.encode("utf-8", "surrogatepass"), "sha256").hex()


def new_token() -> str:
    """Return 256 random bits in text for a cookie or a link."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token: enough for 256 random bits, and what the database keeps."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

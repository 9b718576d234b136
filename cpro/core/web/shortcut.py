"""The « / » keyboard shortcut to the search: on by default, can be turned off per browser (WCAG 2.1.4, RGAA 12.10).

Users of speech input or with unsteady hands press single keys by accident. The choice is kept in a cookie of the
device, without personal data.
"""

from __future__ import annotations

from flask import Response, request

from cpro.core.web.headers import cookie_name, cookies_are_secure

_COOKIE = "cpro_raccourci"
_OFF = "non"
_YEAR = 365 * 24 * 3600


def is_search_key_on() -> bool:
    """Return whether the shortcut is on in this browser."""
    return request.cookies.get(cookie_name(_COOKIE)) != _OFF


def keep_search_key(answer: Response, *, is_on: bool) -> None:
    """Turn the shortcut on or off in this browser, for a year."""
    kept = {"httponly": True, "samesite": "Lax", "secure": cookies_are_secure()}
    if is_on:
        answer.delete_cookie(cookie_name(_COOKIE), **kept)  # type: ignore[arg-type]
    else:
        answer.set_cookie(cookie_name(_COOKIE), _OFF, max_age=_YEAR, **kept)  # type: ignore[arg-type]

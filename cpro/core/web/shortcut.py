"""The one-key shortcut « / », which leads to the search: on, until a browser turns it off (WCAG 2.1.4, RGAA 12.10).

Speech input and unsteady hands press single keys by accident. The choice is kept in a cookie of the device, which holds
nothing of a person.
"""

from __future__ import annotations

from flask import Response, request

from cpro.core.web.headers import cookie_name, cookies_are_secure

_COOKIE = "cpro_raccourci"
_OFF = "non"
_YEAR = 365 * 24 * 3600


def is_search_key_on() -> bool:
    """Return whether this browser uses the shortcut."""
    return request.cookies.get(cookie_name(_COOKIE)) != _OFF


def keep_search_key(answer: Response, *, is_on: bool) -> None:
    """Have this browser use the shortcut, or not, for a year."""
    kept = {"httponly": True, "samesite": "Lax", "secure": cookies_are_secure()}
    if is_on:
        answer.delete_cookie(cookie_name(_COOKIE), **kept)  # type: ignore[arg-type]
    else:
        answer.set_cookie(cookie_name(_COOKIE), _OFF, max_age=_YEAR, **kept)  # type: ignore[arg-type]

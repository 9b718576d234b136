"""What a browser stores of a sign-in: its token, the accounts it knows, the second factors it is trusted for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Response, flash, make_response, redirect, request, session, url_for
from flask_login import login_user
from itsdangerous import BadData, URLSafeSerializer

from cpro.config import TRUSTED_DEVICE_LIFE
from cpro.core import tenancy
from cpro.core.formatting import DEFAULT_TIMEZONE, format_day_of
from cpro.core.permissions import Principal
from cpro.core.secrets import signing_keys
from cpro.core.web.headers import cookie_name, cookies_are_secure
from cpro.core.web.pages import is_local_path
from cpro.establishments.models import Establishment
from cpro.users import authentication, queries, second_factor_policy
from cpro.users.errors import SignInEnded
from cpro.users.second_factor_policy import EPOCH
from cpro.users.web import guard, lost_uploads

#: The cookie's entry of a sign-in that waits for the second-factor code: its token and the account's reference.
PENDING_SIGN_IN = "awaiting_code"
_KNOWN_BROWSER, _TRUSTED_BROWSER = "cpro_browser", "cpro_trusted"
_SCHOOL, _LONGEST_SCHOOL = "cpro_school", 254
#: Maximum entries of each cookie; the oldest are dropped.
_MOST = 5
_YEAR = 365 * 24 * 3600  # seconds


class SignedInUser:
    """Flask-Login's user: its id in the cookie is the sign-in's token."""

    is_active = True

    def __init__(self, token: str) -> None:
        self._token = token

    def get_id(self) -> str:
        """Return the token."""
        return self._token


def welcome(outcome: authentication.SignedIn) -> Response:
    """Sign the browser in, mark it as known to the account, and redirect to the requested page.

    If the account has a second factor, its code is required first.
    """
    parked = guard.parked_path(outcome.owner)
    _start_afresh()
    asked = request.args.get("suite")
    if outcome.awaits_code:
        session[PENDING_SIGN_IN] = [outcome.token, outcome.reference]
        return make_response(redirect(url_for("second_factor.ask", suite=asked if is_local_path(asked) else None), 303))
    session[guard.OWNER] = outcome.owner
    principal = guard.load_principal(outcome.token)
    if principal is None:  # ended since the commit
        raise SignInEnded
    login_user(SignedInUser(outcome.token))
    _announce_second_factor(principal)
    target = parked or (asked if is_local_path(asked) else None) or url_for("users.home")
    answer = make_response(redirect(target, 303))
    _write(answer, _KNOWN_BROWSER, known_accounts(), outcome.reference, secrets.token_urlsafe(9), lasts=_YEAR)
    return answer


def find_pending_sign_in() -> tuple[str, str]:
    """Return the token and account reference of this browser's sign-in that waits for a code; "" if none."""
    found = session.get(PENDING_SIGN_IN)
    if isinstance(found, list) and len(found) == 2:
        return str(found[0]), str(found[1])
    return "", ""


def _announce_second_factor(principal: Principal) -> None:
    """Flash from when a second factor will be required, to a person who has none."""
    with tenancy.platform_session("sign-in: is a second factor asked") as lookup:
        account = queries.get_account(lookup, principal.kind, principal.id)
        due = second_factor_policy.find_due_date(lookup, account)
        school = lookup.get(Establishment, principal.establishment_id) if principal.establishment_id else None
        timezone = school.timezone if school else DEFAULT_TIMEZONE
    if due is not None and not principal.must_set_second_factor:
        flash(
            f"Un second facteur sera exigé de votre rôle à partir du {format_day_of(due, timezone)}\u202f: activez-le "
            "dans « Mon compte ».",
            "warning",
        )


def _start_afresh() -> None:
    """Empty the cookie, which another person may have prepared, except for the tokens of parked input."""
    waiting = {name: session[name] for name in (guard.PARKED, lost_uploads.ENTRY) if session.get(name)}
    session.clear()
    session.update(waiting)  # even another person's: it is only restored for its owner


def known_accounts() -> dict[str, str]:
    """Return the marks of the accounts known to this browser, {reference: mark}."""
    return _read(_KNOWN_BROWSER)


def trusted_factors() -> dict[str, str]:
    """Return when this browser was trusted, for which second factors: {number: seconds}."""
    return _read(_TRUSTED_BROWSER)


def trust_browser(answer: Response, factor_id: int, *, now: datetime) -> None:
    """Trust this browser for a while: codes of a second factor are not required on it."""
    second = timedelta(seconds=1)
    since = str((now - EPOCH) // second)
    _write(answer, _TRUSTED_BROWSER, trusted_factors(), str(factor_id), since, lasts=TRUSTED_DEVICE_LIFE // second)


def remembered_school() -> str:
    """Return the school's code stored in this browser for the sign-in page, or ""."""
    return request.cookies.get(cookie_name(_SCHOOL), "")[:_LONGEST_SCHOOL]


def remember_school(answer: Response, code: str) -> None:
    """Store a school's code in this browser, and no personal data; delete it if blank."""
    kept = {"httponly": True, "samesite": "Lax", "secure": cookies_are_secure()}
    if code:
        answer.set_cookie(cookie_name(_SCHOOL), code, max_age=_YEAR, **kept)  # type: ignore[arg-type]
    elif cookie_name(_SCHOOL) in request.cookies:
        answer.delete_cookie(cookie_name(_SCHOOL), **kept)  # type: ignore[arg-type]


def _serializer(name: str) -> URLSafeSerializer:
    salt = {_KNOWN_BROWSER: "known-browser", _TRUSTED_BROWSER: "trusted-browser"}[name]
    return URLSafeSerializer(signing_keys(), salt=salt)


def _read(name: str) -> dict[str, str]:
    try:
        content = _serializer(name).loads(request.cookies.get(cookie_name(name), ""))
    except BadData:
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}


def _write(answer: Response, name: str, content: Mapping[str, str], key: str, value: str, *, lasts: int) -> None:
    kept = {**{each: content[each] for each in content if each != key}, key: value}
    answer.set_cookie(
        cookie_name(name),
        _serializer(name).dumps(dict(list(kept.items())[-_MOST:])),
        max_age=lasts,
        httponly=True,
        samesite="Lax",
        secure=cookies_are_secure(),
    )

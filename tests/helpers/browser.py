"""A browser over Flask's test client: keeps cookies, finds the page's CSRF token, fills and posts forms."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cpro.core import clock
from cpro.core.transactions import platform_unit_of_work
from cpro.users import authentication, queries
from cpro.users.operations.sign_ins import open_sign_in
from cpro.users.web import guard, lost_uploads
from tests.factories import PASSWORD, World

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class _WholeAnswers(FlaskClient):
    """A client that reads each response to its end, as a browser does: an export is sent while its rows are read.

    In every test, a page of refusal must announce it first: in its title, and in the element that takes the focus (WCAG
    4.1.3).
    """

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, buffered=buffered, **kwargs)
        if answer.mimetype == "text/html" and answer.status_code in (409, 422):
            _assert_says_its_refusal(answer.text)
        return answer


class Browser:
    """One browser: `get`, `post` (with the token of the current page), `sign_in`."""

    def __init__(self, app: Flask) -> None:
        self.client = _WholeAnswers(app, app.response_class, use_cookies=True)
        self._token = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page and remember its token."""
        return self.see(self.client.get(path, **kwargs))

    def see(self, answer: TestResponse) -> TestResponse:
        """Remember the token of a response, if it is a page."""
        if answer.mimetype == "text/html":
            found = _TOKEN.search(answer.text)
            self._token = found[1] if found else self._token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, *, token: bool = True, **kwargs: Any) -> TestResponse:
        """Post a form, with the page's token unless `token` is False."""
        if token and not self._token:
            self.get("/mon-compte", follow_redirects=True)
        fields = {**(data or {}), **({"csrf_token": self._token} if token else {})}
        return self.see(self.client.post(path, data=fields, **kwargs))

    def form(self, path: str) -> dict[str, str]:
        """Open a page and return the values its main form would post unchanged (hidden fields included)."""
        page = self.get(path).text
        main = page[page.index("<main") :]
        values: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", main):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            kind, name = attributes.get("type", "text"), attributes.get("name")
            if not name or kind in ("submit", "file") or name == "csrf_token":
                continue
            if kind in ("radio", "checkbox") and " checked" not in tag:
                continue
            values[name] = _unescape(attributes.get("value", ""))
        for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main, re.S):
            chosen = re.search(r'<option[^>]*selected[^>]*value="([^"]*)"', options)
            values[name] = _unescape(chosen[1]) if chosen else ""
        return values

    def sign_in(self, establishment: str, login: str, password: str, **kwargs: Any) -> TestResponse:
        """Sign in through the page."""
        self.get("/connexion")
        answer = self.post(
            "/connexion", {"establishment": establishment, "login": login, "password": password}, **kwargs
        )
        self._token = "" if answer.status_code == 303 else self._token
        return answer

    def sign_in_as(self, world: World, role: str, school: str = "a", *, enter: str | None = None) -> Browser:
        """Sign in as the person of a role in school "a" or "b"; platform roles may `enter` one.

        Calls the operation behind the sign-in page and puts its token in the cookie: the page itself (throttle, marks,
        parked forms) is tested in tests/users/web/test_users_sign_in.py.
        """
        on_platform = role in ("support", "inspector")
        code, login = (
            ("", world.platform_logins[role]) if on_platform else (world.school(school).code, world.logins[role])
        )
        self.mint_sign_in(code, login)
        if enter:
            entered = self.post(f"/ecoles/{world.school(enter).id}/entrer")
            assert entered.status_code == 303, entered.text
        return self

    def mint_sign_in(self, establishment: str, login: str) -> Browser:
        """Sign in without the page: create the sign-in's row and put its token in the cookie."""
        with self.client.application.app_context(), platform_unit_of_work("test: a sign-in") as work:
            account = queries.find_account(work.session, establishment, login)
            assert account is not None and account.may_sign_in, f"no active account {login!r} in {establishment!r}"
            queries.lock_account(work.session, authentication.kind_of(account), account.id)
            actor = authentication.actor_for(account, "127.0.0.1")
            token = open_sign_in(work.session, account, password=PASSWORD, by=actor, now=clock.utcnow())
            owner = authentication.owner_of(account)
        with self.client.session_transaction() as session:
            waiting = {name: session[name] for name in (guard.PARKED, lost_uploads.ENTRY) if name in session}
            session.clear()
            session.update(waiting | {"_user_id": token, "_fresh": True, guard.OWNER: owner})
        self._token = ""
        return self


def _assert_says_its_refusal(page: str) -> None:
    assert "<title>Erreur – " in page, page[page.index("<title>") : page.index("</title>")]
    assert " autofocus" in page, "nothing of this refusal takes the focus"


def _unescape(text: str) -> str:
    import html

    return html.unescape(text)

"""A browser over Flask's test client: keeps cookies, finds the page's token, speaks of forms as people do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.test import TestResponse

if TYPE_CHECKING:
    from tests.factories import World

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Browser:
    """One browser: `get`, `post` (with the token of the page it is on), `sign_in`."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self._token = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page and remember its token."""
        return self.see(self.client.get(path, **kwargs))

    def see(self, answer: TestResponse) -> TestResponse:
        """Remember the token of an answer, if it is a page."""
        if answer.mimetype == "text/html":
            found = _TOKEN.search(answer.text)
            self._token = found[1] if found else self._token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, *, token: bool = True, **kwargs: Any) -> TestResponse:
        """Post a form, with the page's token unless told otherwise."""
        if token and not self._token:
            self.get("/mon-compte", follow_redirects=True)
        fields = {**(data or {}), **({"csrf_token": self._token} if token else {})}
        return self.see(self.client.post(path, data=fields, **kwargs))

    def form(self, path: str) -> dict[str, str]:
        """Open a page and return the values its main form would post as they stand (hidden fields included)."""
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
        """Sign in as the person of a role in school "a" or "b"; platform roles may `enter` one."""
        if role in ("support", "inspector"):
            answer = self.sign_in("", world.platform_logins[role], world.password)
        else:
            answer = self.sign_in(world.school(school).code, world.logins[role], world.password)
        assert answer.status_code == 303, answer.text
        if enter:
            entered = self.post(f"/ecoles/{world.school(enter).id}/entrer")
            assert entered.status_code == 303, entered.text
        return self


def _unescape(text: str) -> str:
    import html

    return html.unescape(text)

"""Every address that writes, sent twice at one instant: no crash, one effect, and something clear to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from cpro.audit.models import AuditEntry
from tests.factories import World
from tests.helpers.access_table import CHOOSE, IN, PEOPLE, POST
from tests.helpers.at_once import at_once
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import rows
from tests.test_one_form import EachKind

pytestmark = pytest.mark.slow

Play = Callable[[Browser, str, dict[str, Any]], tuple[list[int], Counter[str]]]

ROLES = ("administrator", "head", "teacher", "student", "inspector", "support")
#: After these, a window says nothing but that one is signed out.
_ENDS_THE_SIGN_IN = {"/deconnexion"}
#: What a person types where the page leaves a field blank, by the name of the field.
TYPED = {
    "current_password": "{password}",
    "title": "Poser une prise",
    "last_name": "Nouveau",
    "first_name": "Noé",
    "code": "NEUF",
    "label": "Neuf",
    "short_label": "Neuf",
}


@dataclass(frozen=True)
class Press:
    """A button of a page: where it stands, where it posts, what it adds."""

    role: str
    page: str
    action: str
    name: str = ""
    value: str = ""


def presses(role: str, path: str, answer: TestResponse) -> Iterator[tuple[Press, Element]]:
    """Yield the buttons of a page that post, with the form that each belongs to."""
    for form in Page(answer).main.iter("form"):
        for button in form.iter("button"):
            method = button.get("formmethod") or form.get("method") or "get"
            if method.lower() == "post" and button.get("type", "submit") == "submit":
                action = urljoin(path, button.get("formaction") or form.get("action") or path)
                yield Press(role, path, action, button.get("name") or "", button.get("value") or ""), form


def fields_of(form: Element, press: Press, password: str) -> dict[str, list[str]]:
    """Return what a press posts, blank texts filled in."""
    posted: dict[str, list[str]] = {}
    for control in form.iter():
        name, kind = control.get("name"), control.get("type")
        if not name or name == "csrf_token" or kind in ("submit", "file") or control.get("disabled") is not None:
            continue
        if control.tag == "select":
            options = list(control.iter("option"))
            chosen = [each for each in options if each.get("selected") is not None] or options[:1]
            posted.setdefault(name, []).extend(each.get("value", "") for each in chosen)
        elif control.tag == "textarea":
            posted.setdefault(name, []).append(control.text or "")
        elif control.tag == "input" and (kind not in ("radio", "checkbox") or control.get("checked") is not None):
            posted.setdefault(name, []).append(control.get("value", ""))
    for name, text in TYPED.items():
        if name in posted and not any(posted[name]):
            posted[name] = [text.format(password=password)]
    if press.name:
        posted[press.name] = [press.value]
    return posted


class Pressing(Browser):
    """A browser that notes, of the pages it opens, one button for each address that writes."""

    def __init__(self, app: Flask, role: str, browser: Browser, found: dict[str, Press]) -> None:
        self.client, self._token = browser.client, browser._token
        self._app, self._role, self._found = app, role, found

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page, and note the buttons that lead where none led before."""
        answer = super().get(path, **kwargs)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for press, _form in presses(self._role, path, answer):
                self._found.setdefault(endpoint_of(self._app, press.action), press)
        return answer


def endpoint_of(app: Flask, address: str) -> str:
    endpoint: str = app.url_map.bind("localhost").match(urlsplit(address).path, "POST")[0]
    return endpoint


@pytest.fixture
def play(app: Flask, filled: World, database: str, admin_engine: Engine | None) -> Play:
    """Return a way to post the same form from two windows of one browser at one instant: statuses, lines written."""

    def twice(browser: Browser, address: str, fields: dict[str, Any]) -> tuple[list[int], Counter[str]]:
        twin = Browser(app)
        with browser.client.session_transaction() as here, twin.client.session_transaction() as there:
            there.update(here)
        if not browser._token:
            browser.get("/mon-compte", follow_redirects=True)
        twin._token = browser._token
        before = _lines(app)
        answers = at_once(
            database,
            admin_engine,
            filled.a.id,
            lambda: browser.post(address, fields),
            lambda: twin.post(address, fields),
        )
        return sorted(answer.status_code for answer in answers), _lines(app) - before

    return twice


class TestTwoEverywhere:
    def test_two_everywhere_the_buttons_of_the_pages(
        self, app: Flask, as_: Callable[..., Browser], filled: World, play: Play
    ) -> None:
        found: dict[str, Press] = {}
        browsers = {role: as_(role, enter="a" if role in ("support", "inspector") else None) for role in ROLES}
        for role, browser in browsers.items():
            EachKind(Pressing(app, role, browser, found)).follow("/")
        played = {}
        for endpoint, press in sorted(found.items(), key=lambda item: _lasting(item[0])):
            browser = browsers[press.role]
            form = _find_again(app, endpoint, press, browser)
            if form is not None:
                played[endpoint] = play(browser, press.action, fields_of(form, press, filled.password))

        crashed = {endpoint: statuses for endpoint, (statuses, _) in played.items() if max(statuses) >= 500}
        twice = {endpoint: dict(lines) for endpoint, (_, lines) in played.items() if max(lines.values(), default=0) > 1}
        assert crashed == {}
        assert twice == {}
        assert sum(303 in statuses for statuses, _lines in played.values()) > 20, "hardly anything was written"

    def test_two_everywhere_each_other_address_even_with_nothing(self, app: Flask, filled: World, play: Play) -> None:
        crashed = {}
        for page, line in POST.items():
            person = next((each for each in PEOPLE if line[each] not in (403, 404, IN, CHOOSE)), None)
            if person is None or person == "anonymous" or page in _ENDS_THE_SIGN_IN:
                continue
            role, _, inside = person.partition(" ")
            browser = Browser(app).sign_in_as(filled, role, enter="a" if role == "support" or inside else None)
            statuses, _lines_written = play(browser, page.format(b=filled.b.id), {})
            if max(statuses) >= 500:
                crashed[page] = statuses
        assert crashed == {}


def _lines(app: Flask) -> Counter[str]:
    return Counter(row["action"] for row in rows(app, AuditEntry))


def _lasting(endpoint: str) -> tuple[int, str]:
    """Return an order in which what takes away comes after what corrects, then one's own account, then everybody's."""
    takes_away = any(word in endpoint for word in ("delete", "deactivate", "reset", "remove", "depart", "close"))
    rank = {"users": 2, "emergency": 3}.get(endpoint.partition(".")[0], int(takes_away))
    return rank, endpoint


def _find_again(app: Flask, endpoint: str, press: Press, browser: Browser) -> Element | None:
    """Return the form of a button on its page as it is now, None where what was done meanwhile took it away."""
    page = browser.get(press.page)
    if page.status_code != 200:
        return None
    return next(
        (form for each, form in presses(press.role, press.page, page) if endpoint_of(app, each.action) == endpoint),
        None,
    )

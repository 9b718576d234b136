"""What somebody typed in one form of a page must not be thrown away by pressing the button of another.

Every kind of page that a role reaches is looked at: two forms with fields are one too many, but in generated lists: a
search asks for other rows, ticks are for the rows shown, a name or columns are for what the list shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.screens import screens
from tests.test_demo import PASSWORD, load
from tests.test_links import Crawl

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

As = Callable[..., Browser]
#: Who looks: school, login; the support and the inspector choose the school.
DEMO = {
    "administrator": ("lovelace", "administrateur"),
    "head": ("lovelace", "chef"),
    "teacher": ("lovelace", "enseignante"),
    "student": ("lovelace", "apprenant"),
    "administrator without SIECLE": ("chatelet", "administrateur"),
}


#: Where no link leads, but a form does.
BEGINNINGS = {"administrator": ("/admin/parametres/masques?diplome=40025520",)}


class EachKind(Crawl):
    """A crawl that opens two pages of each kind: the same address but for its numbers and its parameters."""

    def _is_worth_opening(self, path: str) -> bool:
        kind = re.sub(r"\d+", "0", path.partition("?")[0])
        self._shapes[kind] = self._shapes.get(kind, 0) + 1
        return self._shapes[kind] <= 2


class Watching(Browser):
    """A browser that looks at the forms of every page it opens."""

    def __init__(self, browser: Browser) -> None:
        self.client, self._token = browser.client, browser._token
        #: addresses without their digits, and what the forms of such pages ask
        self.found: dict[str, set[str]] = {}
        self.pages = 0

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page, and note its forms when there are two with fields."""
        answer = super().get(path, **kwargs)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            self.pages += 1
            forms = editable_forms(answer)
            if len(forms) > 1:
                self.found.setdefault(re.sub(r"\d+", "0", path.partition("?")[0]), set()).update(forms)
        return answer


def editable_forms(answer: TestResponse) -> list[str]:
    """Return what each form of a page asks for, of those that ask for anything."""
    main = Page(answer).main
    by_id: dict[str, list[str]] = {}
    forms = list(main.iter("form"))
    asked: list[list[str]] = [[] for _form in forms]
    for number, form in enumerate(forms):
        if form.get("id"):
            by_id[form.get("id", "")] = asked[number]
        asked[number] += [name for name in map(_name, form.iter()) if name]
    for control in main.iter():
        name = _name(control)
        if name and control.get("form") in by_id:
            by_id[control.get("form", "")].append(name)
    return [" ".join(names) for names in asked if names]


def _name(control: Any) -> str:
    """Return the name of a field that a person fills in, "" for anything else."""
    is_field = control.tag in ("select", "textarea") or (
        control.tag == "input" and control.get("type", "text") not in ("hidden", "submit", "button", "image", "reset")
    )
    is_disabled = control.get("disabled") is not None or control.get("readonly") is not None
    name = control.get("name") or "" if is_field and not is_disabled else ""
    return "" if name == "lettre" else name  # where to go in a list is nothing to lose


def check(watching: Watching, *beginnings: str) -> None:
    """Fail for pages that have two forms with fields, and are no generated lists."""
    for beginning in ("/", *beginnings):
        EachKind(watching).follow(beginning)
    assert watching.pages > 3
    lists = {f"{screen.url}/" for screen in screens(watching.client.application)}
    unknown = {page: forms for page, forms in watching.found.items() if page not in lists}
    assert unknown == {}, "make one form of them, with buttons that have each their formaction"


class TestOneForm:
    @pytest.mark.parametrize("who", DEMO)
    def test_one_form_on_each_page_of_the_demonstration(self, app: Flask, who: str) -> None:
        assert load(app).exit_code == 0
        browser = Browser(app)
        school, login = DEMO[who]
        assert browser.sign_in(school, login, PASSWORD).status_code == 303

        watching = Watching(browser)
        check(watching, *BEGINNINGS.get(who, ()))

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student", "inspector", "support"])
    def test_one_form_on_each_page_of_a_school_of_the_tests(self, as_: As, role: str) -> None:
        check(Watching(as_(role, enter="a" if role == "support" else None)))

    def test_one_form_on_each_page_when_signed_out(self, app: Flask, world: World) -> None:
        check(Watching(Browser(app)))


class TestOneFormCheck:
    @pytest.mark.parametrize(
        ("html", "count"),
        [
            ("<form><input name=a></form><form><textarea name=b></textarea></form>", 2),
            ("<form><input name=a></form><form><input type=hidden name=b><button>x</button></form>", 1),
            ("<form id=f></form><input name=a form=f><form><select name=b></select></form>", 2),
            ("<form><input name=a disabled></form><form><input type=file name=b></form>", 1),
        ],
    )
    def test_one_form_check_sees_two_forms_with_fields(self, app: Flask, html: str, count: int) -> None:
        answer = app.test_client().get("/connexion")
        answer.set_data(f"<!doctype html><main>{html}</main>")

        assert len(editable_forms(answer)) == count

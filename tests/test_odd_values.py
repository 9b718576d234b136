"""Numbers and days that nobody should type: in every address, every parameter, every form; never a failure.

Parameters are those that the pages name and those that the sources read; forms are those that the pages hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bench.campaigns import size_of
from cpro.core.jobs.housekeeping import beat
from cpro.core.web.assets import FILES
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.screens import screens
from tests.helpers.steps import Visit, values_of

pytestmark = pytest.mark.slow

As = Callable[..., Browser]
SOURCES = Path(__file__).resolve().parent.parent / "cpro"
ROLES = ("administrator", "head", "teacher", "student")

ODD = {
    "negative": "-1",
    "mixed digits": "1٣",
    "2^63": str(2**63),
    "5000 digits": "9" * 5000,
    "1e400": "1e400",
    "year 9999": "9999-12-31",
    "Arabic day": "٢٠٢٦-٠١-٠١",
    "zero": "0",
    "superscript": "²",
    "Arabic digit": "٣",
    "2^31": str(2**31),
    "below -2^63": str(-(2**63) - 1),
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "decimal": "1.5",
    "year 1": "0001-01-01",
    "year 10000": "10000-01-01",
    "no such day": "2026-02-30",
    "week date": "2026-W01-1",
}
#: The suite tries the first of them, one of each sort; `python -m bench.campaigns odd-values` tries them all.
TRIED = dict(list(ODD.items())[: size_of("odd-values")])
#: What is a number or a day may be refused by the database alone; the rest never gets that far.
FOR_THE_DATABASE = {"2^63", "year 9999"}
odd_values = pytest.mark.parametrize(
    "odd",
    [
        pytest.param(value, id=name, marks=() if name in FOR_THE_DATABASE else pytest.mark.any_database)
        for name, value in TRIED.items()
    ],
)
#: what a sheet of a form is not asked for: the guard's token, the version it was opened on
NOT_TYPED = {"csrf_token", "version"}
#: controls whose text is free, where no number is meant
FREE = {"text", "search", "email", "password", "url", "tel"}


def parameters(app: Flask) -> set[str]:
    """Return every name that the sources look for in an address, and that the screens filter by."""
    read = re.compile(r'(?:args|values)\.get\("([a-z_-]+)"|_asked\("([a-z_-]+)"')
    named = {"".join(found) for path in SOURCES.rglob("*.py") for found in read.findall(path.read_text())}
    filters = {each.key for screen in screens(app) for each in screen.filters}
    return named | filters | {"apres", "avant", "page"}


def shape(address: str) -> str:
    return re.sub(r"[0-9]+", "0", urlsplit(address).path)


class Crawl:
    """Every page of a role, one of each shape: what it says, the parameters it names, the forms it holds."""

    def __init__(self, browser: Browser) -> None:
        self.texts: dict[str, str] = {}
        self.names: dict[str, set[str]] = {}
        self.forms: dict[tuple[str, tuple[str, ...]], tuple[str, Element]] = {}
        visit, waiting, seen = Visit(browser), ["/"], {"/"}
        while waiting:
            visit.go(waiting.pop(0))
            if visit.answer.status_code != 200 or visit.answer.mimetype != "text/html":
                continue
            self.texts[urlsplit(visit.address).path] = visit.answer.text
            for form in visit.page.main.iter("form"):
                self._keep(visit.address, form)
            for link in visit.links():
                self.names.setdefault(urlsplit(link).path, set()).update(
                    key for key, _ in parse_qsl(urlsplit(link).query)
                )
                if not urlsplit(link).netloc and shape(link) not in seen:
                    seen.add(shape(link))
                    waiting.append(link.partition("#")[0])

    def _keep(self, address: str, form: Element) -> None:
        target = urljoin(address, form.get("action") or "")
        names = {each.get("name") or "" for each in form.iter() if each.get("name")}
        if (form.get("method") or "get").lower() == "get":
            self.names.setdefault(urlsplit(target).path, set()).update(names)
        elif names - NOT_TYPED:
            self.forms.setdefault((shape(target), tuple(sorted(names))), (target, form))


def gets(app: Flask) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [rule for rule in rules if rule.endpoint not in FILES and rule.endpoint != "users.school_door"]


def address_of(rule: Rule, number: str) -> str:
    """Return an address of a route, each of its row numbers being this one, its words the first that it takes."""
    address = re.sub(r"<int:[^>]+>", number, rule.rule)
    address = re.sub(r"<any\(([a-z-]+)[^>]*>", r"\1", address)
    return re.sub(r"<[^>]+>", "x", address)


def statuses(browser: Browser, address: str, query: dict[str, str]) -> int:
    answer = browser.client.get(address, query_string=query)
    assert "Traceback" not in answer.text if answer.mimetype == "text/html" else True
    return answer.status_code


@odd_values
@pytest.mark.parametrize("role", ROLES)
def test_odd_values_break_no_address(migrated_app: Flask, as_: As, filled: World, role: str, odd: str) -> None:
    browser, names = as_(role), parameters(migrated_app)
    with migrated_app.app_context():
        beat("a worker")  # without one, /sante/pret rightly answers 503

    for rule in gets(migrated_app):
        if "<int:" in rule.rule:
            assert statuses(browser, address_of(rule, odd), {}) < 500, rule.rule
        query = {name: odd for name in names if name != "id"}
        assert statuses(browser, address_of(rule, "1"), query) < 500, rule.rule
        assert statuses(browser, address_of(rule, "1"), {"id": odd}) < 500, rule.rule


@pytest.mark.parametrize("role", ROLES)
def test_odd_values_break_no_parameter_that_a_page_names(as_: As, filled: World, role: str) -> None:
    browser = as_(role)
    named = {path: names for path, names in Crawl(browser).names.items() if names}

    for path, names in named.items():
        for odd in TRIED.values():
            assert statuses(browser, path, dict.fromkeys(names, odd)) < 500, (path, odd[:20])
    assert named or role == "student"


@pytest.mark.parametrize("role", ROLES)
def test_odd_values_break_no_form(as_: As, filled: World, role: str) -> None:
    browser = as_(role)
    forms = Crawl(browser).forms

    for target, form in forms.values():
        meant = {each.get("name") or "": each.get("type") or each.tag for each in form.iter() if each.get("name")}
        typed = [name for name, kind in meant.items() if kind not in FREE and name not in NOT_TYPED]
        for odd in TRIED.values():
            fields = {**values_of(form), **{name: [odd] for name in typed}}
            fields.pop("csrf_token", None)
            answer = browser.post(target, fields)
            assert answer.status_code < 500, (target, odd[:20])
            if "/connexion" in answer.headers.get("Location", ""):
                browser = as_(role)
    assert forms


def test_journal_until_the_end_of_time_is_the_whole_journal(as_: As, filled: World) -> None:
    browser = as_("administrator")

    def lines(query: str) -> int:
        return len(browser.get(f"/admin/journal/export/csv/{query}").text.splitlines())

    whole = lines("")

    assert lines("?au=9999-12-31&du=0001-01-01") == whole + 1  # the export before is a line too
    assert lines("?du=9999-12-31") == 1  # the titles
    assert lines("?du=31/12/9999") == 1
    for address in ("?au=9999-12-31", "?du=0001-01-01", "export/csv/?au=9999-12-31", "export/xlsx/?au=31/12/9999"):
        assert browser.get(f"/admin/journal/{address}").status_code == 200, address

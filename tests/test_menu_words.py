"""The page that a menu entry opens is titled as the entry says; where it has tabs, the tab's name follows.

An entry is lit on pages that there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask

from cpro.core.web.registry import registry
from tests.helpers.browser import Browser

PEOPLE = [("administrator", None), ("head", None), ("teacher", None), ("student", None), ("support", "a")]
_LINK = re.compile(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', re.S)


def words(markup: str) -> str:
    """Return what a piece of page reads as."""
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", markup, flags=re.S)).split())


@pytest.mark.parametrize(("role", "enter"), PEOPLE, ids=[role for role, _ in PEOPLE])
def test_menu_entry_opens_a_page_of_its_own_name(as_: Callable[..., Browser], role: str, enter: str | None) -> None:
    browser = as_(role, enter=enter)
    page = browser.get("/admin/" if role not in ("teacher", "student") else "/", follow_redirects=True).text
    menu = re.search(r'<nav[^>]*class="[^"]*(?:menu|side)[^"]*".*?</nav>', page, re.S)
    assert menu, "the side bar"
    labels = {entry.label for entry in registry(browser.client.application).menu}
    entries = [(address, label) for address, text in _LINK.findall(menu[0]) if (label := words(text)) in labels]
    assert entries

    titles = {}
    for address, label in entries:
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", browser.get(unescape(address), follow_redirects=True).text, re.S)
        assert heading
        titles[label] = re.split(r" ?: ", words(heading[1]))[0]

    assert titles == {label: label for label in titles}


def test_menu_entry_covers_pages_that_exist(migrated_app: Flask) -> None:
    endpoints = {rule.endpoint for rule in migrated_app.url_map.iter_rules()}
    known = endpoints | {f"{endpoint.rpartition('.')[0]}.*" for endpoint in endpoints}

    unknown = {pattern for entry in registry(migrated_app).menu for pattern in entry.covers} - known

    assert not unknown, "a blueprint was renamed: rename it in what the menu covers too"

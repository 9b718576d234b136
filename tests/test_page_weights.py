"""What travels for a page: at most 60 KB for a first visit, 15 KB and three requests for the next one.

Bytes are those of the answers to a browser that understands Brotli, their headers and the school's pictures apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from urllib.parse import urldefrag, urljoin

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bench.pages import fill
from tests.helpers.browser import Browser
from tests.helpers.screens import screens

FIRST, NEXT, REQUESTS = 60_000, 15_000, 3
PAGES = (
    "/admin/",
    "/admin/parametres/etablissement",
    "/admin/parametres/transferts",
    "/admin/parametres/masques",
    "/admin/parametres/logo",
    "/admin/imports",
    "/admin/eleves/new/",
    "/admin/eleves/edit/?id=1",
    "/admin/eleves-sans-ine",
    "/admin/utilisateurs/new/",
    "/mon-compte",
    "/aide/transferts",
    "/plan-du-site",
)
_LOADED = re.compile(
    r'<link[^>]*\srel="(?:stylesheet|icon|preload)"[^>]*\shref="([^"]+)"'
    r'|<(?:script|img|source)\s[^>]*src="([^"]+)"|<use\s[^>]*href="([^"#]+)'
)
#: The logo and the stamp, and the passport that shows them.
_PICTURES = "/admin/parametres/logo/"
_BY_THE_SHEET = re.compile(r'url\(["\']?(?!data:)([^)"\']+)')


class Visit:
    """A browser that keeps what may be kept; each page tells what it had to ask for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: set[str] = set()

    def open(self, path: str) -> list[int]:
        """Return the sizes of the answers that a page needs and the browser has not kept, its own first."""
        answer = self._ask(path)
        assert answer.status_code == 200, path
        page = self._browser.client.get(path).text
        sizes, waiting = [len(answer.data)], [unescape("".join(found)) for found in _LOADED.findall(page)]
        for address in dict.fromkeys(urldefrag(urljoin(path, each))[0] for each in waiting):
            sizes += self._load(address)
        return sizes

    def _load(self, address: str) -> list[int]:
        if address in self._kept or address.startswith(_PICTURES):
            return []
        answer = self._ask(address)
        assert answer.status_code == 200, address
        if "immutable" in answer.headers.get("Cache-Control", ""):
            self._kept.add(address)
        sizes = [len(answer.data)]
        if answer.mimetype == "text/css":
            for named in set(_BY_THE_SHEET.findall(self._browser.client.get(address).text)):
                sizes += self._load(urljoin(address, named))
        return sizes

    def _ask(self, address: str) -> TestResponse:
        return self._browser.client.get(address, headers={"Accept-Encoding": "gzip, deflate, br"})


@pytest.fixture
def school(app: Flask, arrange: Callable[[], AbstractContextManager[Session]]) -> Flask:
    """Return the application with a school whose every list fills its page."""
    with arrange() as session:
        fill(session, pupils=55, others=55)
    return app


@pytest.mark.slow
@pytest.mark.any_database
def test_page_weights_of_a_first_visit_and_of_the_next_pages(school: Flask) -> None:
    paths = [*PAGES, *(f"{each.url}/" for each in screens(school) if each.endpoint != "mandats")]
    browser = Browser(school).mint_sign_in("bench", "administrateur")
    again = Visit(browser)
    again.open("/mon-compte")

    first = {path: sum(Visit(browser).open(path)) for path in paths}
    after = {path: again.open(path) for path in paths}

    assert {path: size for path, size in first.items() if size > FIRST} == {}
    assert {path: sizes for path, sizes in after.items() if sum(sizes) > NEXT or len(sizes) > REQUESTS} == {}


@pytest.mark.any_database
def test_page_weights_of_a_stranger(browser: Callable[[], Browser]) -> None:
    assert sum(Visit(browser()).open("/connexion")) <= FIRST / 2

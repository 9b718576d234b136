"""How many statements a page sends: they do not grow with its rows, nor with what surrounds it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from bench.pages import fill
from tests.helpers.browser import Browser
from tests.helpers.screens import screens
from tests.helpers.statements import statements_sent

Arrange = Callable[[], AbstractContextManager[Session]]

MOST = 7  # one of them counts what waits, beside the lines of the menu
MOST_OF_LISTS = 6
#: The generated lists of more statements: divisions are asked where their courses lead, and who has no account.
MORE = {"/admin/divisions/": 7}
#: The dashboard and the lists that no generated screen makes, for whom, and why those of more statements have them.
PAGES = {
    "/admin/": ("administrateur", 12),  # one of them from July to October alone, when it leads to « Rentrée »
    "/admin/eleves-sans-ine": ("administrateur", MOST),
    "/admin/imports": ("administrateur", MOST),
    "/admin/parametres/historique?de=etablissement": ("administrateur", MOST),
    "/admin/utilisateurs/liens": ("chef", MOST),
    "/scenarios": ("chef", MOST),
    "/eleves": ("chef", 8),  # with the records of each pupil
    "/admin/parametres/transferts/effectues": (
        "chef",
        10,
    ),  # four lists on one page, their figures, and whether a pupil is there to be looked for
}


@pytest.fixture
def school(app: Flask, arrange: Arrange) -> Flask:
    """Return the application with a school whose every list fills its page."""
    with arrange() as session:
        fill(session, pupils=25, others=25)
    return app


def statements_of(app: Flask, login: str, path: str) -> list[str]:
    """Return what a page sends, once it has been opened."""
    browser = Browser(app).mint_sign_in("bench", login)
    assert browser.get(path).status_code == 200, path
    with statements_sent(app) as sent:
        browser.get(path)
    return sent


class TestPageCosts:
    def test_page_costs_of_generated_lists(self, school: Flask) -> None:
        paths = {f"{each.url}/": "chef" if each.endpoint == "mandats" else "administrateur" for each in screens(school)}
        costs = {path: len(statements_of(school, login, path)) for path, login in paths.items()}

        assert {path: cost for path, cost in costs.items() if cost > MORE.get(path, MOST_OF_LISTS)} == {}

    def test_page_costs_of_the_other_pages(self, school: Flask) -> None:
        costs = {path: len(statements_of(school, login, path)) for path, (login, _most) in PAGES.items()}

        assert {path: cost for path, cost in costs.items() if cost > PAGES[path][1]} == {}

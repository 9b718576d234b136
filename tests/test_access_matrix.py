"""Who may open what: one table, one line a page, one column a person, tried against the running application.

The table is `tests/access_table.csv`; `tests/helpers/access_table.py` says how to read it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import Role, access_of
from cpro.core.web.assets import FILES
from tests.factories import World, make_mandate
from tests.helpers.access_table import CHOOSE, GET, IN, PEOPLE, POST
from tests.helpers.browser import Browser
from tests.helpers.screens import screens


def _person(app: Flask, world: World, person: str) -> Browser:
    browser = Browser(app)
    if person == "anonymous":
        browser.get("/connexion")
        return browser
    role, _, inside = person.partition(" ")
    return browser.sign_in_as(world, role, enter="a" if person == "support" or inside else None)


@pytest.fixture
def world(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> World:
    """Open school A, and it alone, to the inspector."""
    with arrange() as session:
        session.add(make_mandate(world))
    return world


def _outcome(answer: object) -> int | str:
    status, location = answer.status_code, answer.headers.get("Location", "")  # type: ignore[attr-defined]
    if (status == 303 and location.startswith("/connexion?suite")) or (status == 303 and location == "/connexion"):
        return IN
    return CHOOSE if status == 303 and location == "/ecoles" else status


class TestAccessTable:
    @pytest.mark.parametrize("person", PEOPLE)
    def test_access_table_of_each_page(self, app: Flask, world: World, person: str) -> None:
        browser = _person(app, world, person)

        got = {}
        for page in GET:
            answer = browser.get(page)
            got[page] = _outcome(answer)
            answer.close()

        assert got == {page: line[person] for page, line in GET.items()}

    @pytest.mark.parametrize("person", PEOPLE)
    def test_access_table_of_each_post(self, app: Flask, world: World, person: str) -> None:
        got = {}
        for page in POST:
            browser = _person(app, world, person)
            got[page] = _outcome(browser.post(page.format(b=world.b.id)))

        # leaving a school and signing out lead to the pages the shorthands name
        expected = {page: line[person] for page, line in POST.items()}
        shorthand = {"/deconnexion": IN, "/ecoles/quitter": CHOOSE}
        expected |= {page: word for page, word in shorthand.items() if expected[page] == 303}
        assert got == expected

    def test_access_table_holds_every_role(self) -> None:
        assert {person.partition(" ")[0] for person in PEOPLE} == {"anonymous", *(role.value for role in Role)}

    def test_access_table_holds_every_page(self, migrated_app: Flask) -> None:
        adapter = migrated_app.url_map.bind("localhost")
        generated = {screen.endpoint for screen in screens(migrated_app)}  # tests/test_screens.py goes through them
        for method, table in (("GET", GET), ("POST", POST)):
            tried = {adapter.match(page.format(b=1).partition("?")[0], method)[0] for page in table}
            there = {
                rule.endpoint
                for rule in migrated_app.url_map.iter_rules()
                if method in (rule.methods or ())
                and rule.endpoint not in FILES
                and rule.endpoint.partition(".")[0] not in generated
            }
            assert there <= tried, f"add a line for {method} {sorted(there - tried)}"

    def test_requires_refuses_an_unmarked_route(self, as_: Callable[..., Browser], app: Flask) -> None:
        def forgotten() -> str:
            return "secret"

        app.view_functions["forgotten"] = forgotten
        assert access_of(forgotten) is None
        rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "pages.ready")
        healthy = app.view_functions["pages.ready"]
        app.view_functions["pages.ready"] = forgotten
        try:
            answer = as_("administrator").get(rule.rule)
        finally:
            app.view_functions["pages.ready"] = healthy
            del app.view_functions["forgotten"]

        assert answer.status_code == 403
        assert "secret" not in answer.text

"""A module switched off: no line of a menu, no link, no page of it for anybody; on again, everything is back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment, Module
from cpro.establishments.web.modules import MODULE_BLUEPRINTS
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.test_odd_values import Crawl, address_of

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

#: The line of the menu of each module, and who has it; an inspector's access is no page of the school, but the school
#: itself (tests/settings/test_modules.py).
MENUS = {Module.SCENARIOS: ("Scénarios", "teacher"), Module.PASSPORT: ("Passeports", "teacher")}
SUSPENDS = {Module.INSPECTORS}
KEPT = {"/mon-compte/mes-donnees.zip"}
#: what shows that a page is closed, whatever the module
CLOSED = "ses pages sont fermées"


def switch(arrange: Look, world: World, module: Module, on: bool) -> None:
    with arrange() as session:
        setattr(session.get_one(Establishment, world.a.id), f"{module.value}_enabled", on)


def addresses(app: Flask, module: Module, method: str) -> list[str]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in MODULE_BLUEPRINTS[module]]
    found = [address_of(rule, "1") for rule in rules if method in (rule.methods or ())]
    return [address for address in found if address not in KEPT]


def test_modules_are_all_tried_here(migrated_app: Flask) -> None:
    assert set(Module) == {*MENUS, *SUSPENDS}
    assert all(MODULE_BLUEPRINTS[module] for module in MENUS), "say which blueprints are the module's (close_with)"


@pytest.mark.parametrize("module", MENUS, ids=lambda module: module.value)
class TestModuleOff:
    def test_module_off_no_menu_leads_to_it_until_it_is_on_again(
        self, as_: As, world: World, arrange: Look, module: Module
    ) -> None:
        label, role = MENUS[module]
        browser = as_(role)

        def menu() -> str:
            page = browser.get("/mon-compte").text
            return page[: page.index("<main")]

        assert label in menu()
        switch(arrange, world, module, False)
        assert label not in menu()
        switch(arrange, world, module, True)
        assert label in menu()

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_module_off_every_page_of_it_answers_the_same(
        self, migrated_app: Flask, as_: As, world: World, arrange: Look, module: Module, role: str
    ) -> None:
        switch(arrange, world, module, False)
        browser, label = as_(role), f"« {module.label} »"

        said = []
        for method in ("GET", "POST"):
            for address in addresses(migrated_app, module, method):
                answer = browser.get(address) if method == "GET" else browser.post(address)
                assert answer.status_code == 403, f"{method} {address}: {answer.status_code}"
                said += [address] if CLOSED in answer.text and label in Page(answer).text else []
        assert said or role not in ("head", "teacher")

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    @pytest.mark.slow
    def test_module_off_no_page_names_one_of_its_addresses(
        self, migrated_app: Flask, as_: As, filled: World, arrange: Look, module: Module, role: str
    ) -> None:
        switch(arrange, filled, module, False)
        closed = {urlsplit(address).path for address in addresses(migrated_app, module, "GET")}

        named = set(Crawl(as_(role)).names)

        assert not named & closed

    def test_module_off_the_other_school_keeps_it(
        self, migrated_app: Flask, as_: As, world: World, arrange: Look, module: Module
    ) -> None:
        switch(arrange, world, module, False)
        label, role = MENUS[module]

        assert label in as_(role, "b").get("/mon-compte").text

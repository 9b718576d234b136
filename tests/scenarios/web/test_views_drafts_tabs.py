"""Drafts of several tabs, and the answers to the script that saves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cpro.core.drafts import operations
from cpro.core.drafts.models import Draft
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.drafts import KEEP, SCRIPT, kept_by_script, opened, says_found, type_in, values_of
from tests.helpers.pages import Page
from tests.helpers.records import rows
from tests.scenarios.conftest import Written

As = Callable[..., Browser]
NEW = "/scenarios/nouveau"
START = datetime(2026, 10, 5, 16, 5, tzinfo=UTC)
TYPED = "Brouillon-confidentiel"


@pytest.fixture(autouse=True)
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


class TestDraftTabs:
    def test_draft_tabs_two_new_scenarios_are_two_drafts(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        first, second = opened(browser, NEW), opened(browser, NEW)
        browser.post(NEW, {**first, **KEEP, "title": "Le premier"})
        browser.post(NEW, {**second, **KEEP, "title": "Le second"})

        page = browser.get(NEW)

        assert values_of(page)["title"] == "Le second"
        [other] = [a.get("href") for a in Page(page).main.iter("a") if "?brouillon=" in a.get("href", "")][:1]
        assert opened(browser, other or "")["title"] == "Le premier"

    def test_draft_tabs_another_one_can_be_begun_and_saved_beside_a_draft(
        self, as_: As, written: Written, app: Flask
    ) -> None:
        browser = as_("teacher")
        type_in(browser, NEW, title="Commencé")
        [link] = [
            a.get("href") or ""
            for a in Page(browser.get(NEW)).main.iter("a")
            if "en gardant ce brouillon" in "".join(a.itertext())
        ]
        blank = opened(browser, link)
        assert blank["title"] == ""

        assert browser.post(NEW, {**blank, "title": "Un autre"}).status_code == 303

        assert opened(browser, NEW)["title"] == "Commencé"

    def test_draft_tabs_a_tab_left_behind_does_not_write_over_the_newer_text(self, as_: As, written: Written) -> None:
        browser, path = as_("teacher"), written.page("/modifier")
        old_tab = opened(browser, path)
        kept_by_script(browser, path, {**old_tab, "title": "Ancien onglet"}, 1)
        new_tab = opened(browser, path)
        assert new_tab["title"] == "Ancien onglet"
        kept_by_script(browser, path, {**new_tab, "title": "Nouvel onglet"}, 1)

        kept_by_script(browser, path, {**old_tab, "title": "Ancien onglet, suite"}, 2)

        page = browser.get(path)
        assert values_of(page)["title"] == "Ancien onglet, suite"
        assert "Autre brouillon de cette page" in Page(page).text

    def test_draft_tabs_a_post_that_comes_late_changes_nothing(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        values = opened(browser, NEW)
        assert kept_by_script(browser, NEW, {**values, "title": "Deux"}, 2).status_code == 200

        assert kept_by_script(browser, NEW, {**values, "title": "Un"}, 1).status_code == 200

        assert opened(browser, NEW)["title"] == "Deux"

    def test_draft_tabs_the_oldest_of_too_many_goes(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher")
        values = opened(browser, NEW)
        for rank in range(operations.MOST_DRAFTS + 3):
            answer = kept_by_script(browser, NEW, {**values, "draft": f"{rank:032x}", "title": f"n° {rank}"})
            assert answer.status_code == 200

        assert len(rows(app, Draft)) == operations.MOST_DRAFTS


class TestDraftScript:
    def test_draft_script_is_answered_the_hour_on_the_schools_clocks(
        self, as_: As, written: Written, world: World, app: Flask
    ) -> None:
        from tests.helpers.records import set_school

        set_school(app, world.a.id, timezone="Indian/Reunion")
        browser = as_("teacher")

        answer = kept_by_script(browser, NEW, {**opened(browser, NEW), "title": TYPED})

        assert answer.status_code == 200
        assert answer.json == {"message": "Brouillon enregistré à 20\u00a0h\u00a005"}

    def test_draft_script_is_answered_that_the_session_has_ended_and_the_form_is_parked_when_posted(
        self, as_: As, written: Written, clock_: time_machine.Traveller, app: Flask, world: World
    ) -> None:
        browser = as_("teacher")
        values = {**opened(browser, NEW), "title": TYPED}
        clock_.shift(timedelta(minutes=31))

        answer = kept_by_script(browser, NEW, values)

        assert answer.status_code == 401
        assert answer.json["message"].startswith("Votre session a pris fin")
        assert rows(app, Draft) == []
        posted = browser.post(NEW, values, headers={"Sec-Fetch-Site": "same-origin"})
        browser.get(posted.location)
        browser.post(
            posted.location, {"establishment": "alpha", "login": world.logins["teacher"], "password": PASSWORD}
        )
        page = browser.get(NEW)
        assert values_of(page)["title"] == TYPED
        assert not says_found(page), "one notice, not two"
        assert "Saisie retrouvée" in page.text

    def test_draft_script_is_refused_with_the_token_of_another_sign_in(
        self, as_: As, written: Written, app: Flask
    ) -> None:
        browser = as_("teacher")
        values = opened(browser, NEW)

        answer = browser.post(
            NEW,
            {**values, **KEEP, "csrf_token": "ancien"},
            token=False,
            headers={**SCRIPT, "Origin": "http://localhost"},
        )

        assert answer.status_code == 403
        assert answer.json["message"].startswith("Votre session a pris fin")
        assert rows(app, Draft) == []

    def test_draft_script_a_busy_database_is_reported_without_an_error_page(
        self, as_: As, written: Written, app: Flask, world: World
    ) -> None:
        browser = as_("teacher")
        values = {**opened(browser, NEW), "title": TYPED}

        with app.app_context(), platform_unit_of_work("somebody else writes") as work:
            work.session.scalars(select(Establishment).where(Establishment.id == world.a.id).with_for_update()).one()
            by_script = kept_by_script(browser, NEW, values)
            by_button = browser.post(NEW, {**values, **KEEP})

        assert by_script.status_code == 503
        assert "pas encore enregistré" in by_script.json["message"]
        assert by_button.status_code == 503
        assert values_of(by_button)["title"] == TYPED
        assert "pas encore enregistré" in Page(by_button).text
        assert kept_by_script(browser, NEW, values_of(by_button)).status_code == 200

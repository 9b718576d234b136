"""A scenario half written: kept on the server for its author alone, until it is saved, given up, or a week old."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.drafts import operations
from cpro.core.drafts.models import Draft
from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.core.jobs.runner import Runner
from cpro.scenarios.models import Scenario
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.drafts import FOUND, GIVE_UP, KEEP, SCRIPT, kept_by_script, opened, says_found, type_in, values_of
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows
from tests.scenarios.conftest import Written

As = Callable[..., Browser]
NEW = "/scenarios/nouveau"
START = datetime(2026, 10, 5, 16, 5, tzinfo=UTC)
TYPED = "Brouillon-confidentiel"


@pytest.fixture(autouse=True)
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


class TestDraftKept:
    def test_draft_the_button_keeps_and_says_so(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher")
        values = {**opened(browser, NEW), "title": "", "description": TYPED}

        answer = browser.post(NEW, {**values, **KEEP})

        assert (answer.status_code, answer.location) == (303, NEW)
        page = browser.get(NEW)
        [flash] = Page(page).flashes
        assert "Brouillon enregistré à 18 h 05. Vous seul pouvez le voir." in flash
        assert values_of(page)["description"] == TYPED
        assert len(rows(app, Scenario)) == 2, "a draft is no scenario"

    def test_draft_the_page_opened_again_says_when_and_offers_to_give_up(
        self, as_: As, written: Written, clock_: time_machine.Traveller
    ) -> None:
        type_in(as_("teacher"), NEW, title=TYPED)
        clock_.shift(timedelta(days=1))
        browser = as_("teacher")

        page = Page(browser.get(NEW))

        assert f"{FOUND} 05/10/2026 à 18 h 05 ; ce n’est pas encore enregistré." in page.text
        assert "Abandonner le brouillon" in page.text

    def test_draft_all_that_was_typed_comes_back(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        ticked = [str(written.competences["C1"])]
        values = opened(browser, written.page("/modifier")) | {
            "title": "x" * 400,
            "knowledge": "1. un\n2. **deux",
            "co_intervention": "y",
            "links-1-label": "Sans adresse",
            "links-1-url": "pas une adresse",
            "competences": ticked,
            "co_authors": [str(written.colleague)],
        }

        browser.post(written.page("/modifier"), {**values, **KEEP})

        found = opened(browser, written.page("/modifier"))
        passing = {"draft", "draft_of", "draft_turn", "co_intervention"}
        kept = {name: value for name, value in found.items() if value and name not in passing}
        assert kept == {name: value for name, value in values.items() if value and name not in passing}
        assert found["co_intervention"] == ["y"]
        assert found["title"] == "x" * 400

    def test_draft_is_recorded_nowhere(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher")
        values = {**opened(browser, written.page("/modifier")), "description": TYPED}
        before = len(rows(app, AuditEntry))

        browser.post(written.page("/modifier"), {**values, **KEEP})

        assert len(rows(app, AuditEntry)) == before
        assert TYPED not in browser.get(written.page()).text
        assert TYPED not in browser.get("/scenarios").text

    def test_draft_rich_text_is_sanitised_when_it_is_shown(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        hostile = '<p onclick="x()">Bon<script>alert(1)</script></p><img src=x onerror=alert(1)>'
        type_in(browser, NEW, description=hostile, description_format="html")

        text = browser.get(NEW).text

        assert "<p>Bon</p>" in text
        assert "alert(1)" not in text
        assert "onerror" not in text

    def test_draft_too_much_is_refused_and_stays_on_the_page(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher")
        values = {**opened(browser, NEW), "title": TYPED, "description": "é" * (operations.MAX_CHARACTERS + 1)}

        answer = browser.post(NEW, {**values, **KEEP})

        assert answer.status_code == 413
        assert values_of(answer)["title"] == TYPED
        assert "trop long pour être gardé comme brouillon" in Page(answer).text
        assert rows(app, Draft) == []


class TestDraftEnded:
    @pytest.mark.parametrize("way", ["new", "existing"])
    def test_draft_is_forgotten_once_the_form_is_saved(self, as_: As, written: Written, app: Flask, way: str) -> None:
        path = NEW if way == "new" else written.page("/modifier")
        browser = as_("teacher")
        type_in(browser, path, title=TYPED)

        saved = browser.post(path, opened(browser, path))

        assert saved.status_code == 303, Page(saved).text
        assert TYPED in [row["title"] for row in rows(app, Scenario)]
        assert not says_found(browser.get(path))
        assert TYPED not in str(rows(app, Draft))

    def test_draft_a_refused_form_keeps_it(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        type_in(browser, NEW, title="", description=TYPED)

        assert browser.post(NEW, opened(browser, NEW)).status_code == 422

        assert opened(browser, NEW)["description"] == TYPED

    def test_draft_is_forgotten_once_given_up(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher")
        type_in(browser, written.page("/modifier"), title=TYPED)

        answer = browser.post(written.page("/modifier"), {**opened(browser, written.page("/modifier")), **GIVE_UP})

        assert (answer.status_code, answer.location) == (303, written.page("/modifier"))
        page = browser.get(written.page("/modifier"))
        assert "Brouillon abandonné." in Page(page).text
        assert TYPED not in page.text
        assert TYPED not in str(rows(app, Draft))

    def test_draft_what_arrives_after_the_form_was_saved_restores_nothing(
        self, as_: As, written: Written, app: Flask
    ) -> None:
        browser = as_("teacher")
        values = {**opened(browser, NEW), "title": "Enregistré"}
        assert browser.post(NEW, {**values, "draft_turn": "1"}).status_code == 303

        late = kept_by_script(browser, NEW, {**values, "title": TYPED})

        assert late.status_code == 409
        assert not says_found(browser.get(NEW))
        assert TYPED not in str(rows(app, Draft))

    def test_draft_lasts_seven_days_after_the_last_word(
        self, as_: As, written: Written, app: Flask, clock_: time_machine.Traveller
    ) -> None:
        type_in(as_("teacher"), NEW, title="Ancien")
        clock_.shift(timedelta(days=6))
        type_in(as_("teacher"), NEW, title=TYPED)
        clock_.shift(timedelta(days=6, hours=23))
        assert says_found(as_("teacher").get(NEW))
        sweep(app)
        assert TYPED in str(rows(app, Draft))
        clock_.shift(timedelta(hours=2))

        assert not says_found(as_("teacher").get(NEW)), "even before the night"
        clock_.shift(timedelta(days=1))
        sweep(app)

        assert rows(app, Draft) == []

    def test_draft_goes_with_the_account(self, as_: As, written: Written, app: Flask, world: World) -> None:
        type_in(as_("teacher"), NEW, title=TYPED)

        admin = as_("administrator")
        answer = admin.post("/admin/utilisateurs/desactiver/", {"id": world.a.account_ids["teacher"]})

        assert answer.status_code == 303, Page(answer).text
        assert rows(app, Draft) == []


def sweep(app: Flask) -> None:
    """Do what the night does."""
    with app.app_context():
        run_housekeeping()
        Runner(app, threading.Event()).drain()


class TestDraftWhose:
    def test_draft_others_are_not_shown_it(
        self, as_: As, as_colleague: Browser, written: Written, add_co_author: Callable[[], None]
    ) -> None:
        add_co_author()
        type_in(as_("teacher"), written.page("/modifier"), title=TYPED)
        type_in(as_("teacher"), NEW, title=TYPED)

        assert TYPED not in as_colleague.get(written.page("/modifier")).text
        assert TYPED not in as_colleague.get(NEW).text
        assert TYPED not in as_("teacher", "b").get(NEW).text
        assert TYPED not in as_("head").get(written.page()).text
        for page in ("/admin/journal/", "/admin/", f"/admin/parametres/masques?diplome={40025520}"):
            assert TYPED not in as_("administrator").get(page).text

    def test_draft_a_token_of_another_person_opens_nothing(
        self, as_: As, as_colleague: Browser, written: Written, app: Flask
    ) -> None:
        type_in(as_("teacher"), NEW, title=TYPED)
        [draft] = rows(app, Draft)
        mark = {"draft": draft["token"], "draft_of": f"{draft['token']}@{draft['turn']}"}

        assert TYPED not in as_colleague.get(f"{NEW}?brouillon={draft['token']}").text
        as_colleague.post(NEW, {**opened(as_colleague, NEW), **mark, **GIVE_UP})
        as_colleague.post(NEW, {**opened(as_colleague, NEW), **mark, **KEEP, "title": "Le mien"})

        kept = {row["account_id"]: row for row in rows(app, Draft)}
        assert kept[draft["account_id"]] == draft
        assert len(kept) == 2

    @pytest.mark.parametrize("role", ["administrator", "head", "student", "support", "inspector"])
    def test_draft_roles_that_may_not_write_keep_none(self, as_: As, written: Written, app: Flask, role: str) -> None:
        browser = as_(role, enter="a") if role == "support" else as_(role)

        for path in (NEW, written.page("/modifier")):
            for headers in ({}, SCRIPT):
                with nothing_written(app):
                    answer = browser.post(path, {"title": TYPED, **KEEP}, headers=headers)
                assert answer.status_code == (303 if role == "inspector" else 403), (path, headers)

    def test_draft_another_schools_scenario_does_not_exist(self, as_: As, written: Written, app: Flask) -> None:
        browser = as_("teacher", "b")
        with nothing_written(app):
            answer = browser.post(written.page("/modifier"), {"title": TYPED, **KEEP})
        assert answer.status_code == 404

    def test_draft_a_colleague_who_may_not_change_the_scenario_keeps_none(
        self, as_colleague: Browser, written: Written, app: Flask
    ) -> None:
        with nothing_written(app):
            answer = as_colleague.post(written.page("/modifier"), {"title": TYPED, **KEEP})
        assert answer.status_code == 403


class TestDraftConflict:
    def test_draft_a_save_by_another_person_is_seen_when_the_draft_is_saved(
        self, as_: As, as_colleague: Browser, written: Written, add_co_author: Callable[[], None], app: Flask
    ) -> None:
        add_co_author()
        browser, path = as_("teacher"), written.page("/modifier")
        type_in(browser, path, title=TYPED)
        theirs = {**opened(as_colleague, path), "title": "De ma collègue"}
        assert as_colleague.post(path, theirs).status_code == 303

        answer = browser.post(path, opened(browser, path))

        assert answer.status_code == 409
        assert "De ma collègue" in Page(answer).text
        assert values_of(answer)["title"] == TYPED
        assert "De ma collègue" in [row["title"] for row in rows(app, Scenario)]

    def test_draft_a_clash_left_unresolved_is_asked_again(
        self, as_: As, as_colleague: Browser, written: Written, add_co_author: Callable[[], None], app: Flask
    ) -> None:
        add_co_author()
        browser, path = as_("teacher"), written.page("/modifier")
        values = {**opened(browser, path), "title": TYPED}
        assert as_colleague.post(path, {**opened(as_colleague, path), "title": "De ma collègue"}).status_code == 303
        clash = browser.post(path, values)
        assert clash.status_code == 409
        kept_by_script(browser, path, {**values_of(clash), "knowledge": "Ajouté depuis"})

        again = opened(browser, path)

        assert (again["title"], again["knowledge"]) == (TYPED, "Ajouté depuis")
        answer = browser.post(path, again)
        assert answer.status_code == 409, "leaving the page is no answer to what it asked"
        resolved = browser.post(path, {**values_of(answer), "choix-title": "saisie"})
        assert resolved.status_code == 303
        assert TYPED in [row["title"] for row in rows(app, Scenario)]
        assert not says_found(browser.get(path))

    def test_draft_another_persons_change_to_another_field_stays(
        self, as_: As, as_colleague: Browser, written: Written, add_co_author: Callable[[], None], app: Flask
    ) -> None:
        add_co_author()
        browser, path = as_("teacher"), written.page("/modifier")
        type_in(browser, path, title=TYPED)
        as_colleague.post(path, {**opened(as_colleague, path), "equipment": "Un multimètre"})

        assert browser.post(path, opened(browser, path)).status_code == 303

        [row] = [row for row in rows(app, Scenario) if row["title"] == TYPED]
        assert "Un multimètre" in row["equipment"]

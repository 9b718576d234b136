"""The tab Transferts beside the transfers: what switching off stops, explained then confirmed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from flask import Flask

from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import done, waiting_destination

As = Callable[..., Browser]
TAB = "/admin/parametres/transferts"


class TestSaveTransfers:
    def test_save_transfers_explains_switching_off_then_confirms(self, app: Flask, as_: As, exchange: Exchange) -> None:
        done(exchange)
        browser = as_("head", "b")
        form = {**browser.form(TAB), "transfers_enabled": "non"}

        with nothing_written(app):
            asked = browser.post(TAB, form)
        hidden = browser_fields(asked.text)
        saved = browser.post(TAB, hidden)

        assert asked.status_code == 200
        page = Page(asked)
        assert "Désactiver les transferts ?" in page.text
        assert "plus rien n’est copié" in page.text
        assert "1 transfert reçu" in page.text
        assert saved.status_code == 303
        assert browser.form(TAB)["transfers_enabled"] == "non"
        assert exchange.states("b") == ["done"]

    def test_save_transfers_counts_what_switching_off_stops(self, as_: As, exchange: Exchange) -> None:
        waiting_destination(exchange)
        browser = as_("administrator", "a")

        page = Page(browser.post(TAB, {**browser.form(TAB), "transfers_enabled": "non"}))

        assert "1 transfert en cours s’arrête" in page.text

    def test_save_transfers_is_explained_once_where_there_is_no_transfer_at_all(
        self, app: Flask, as_: As, exchange: Exchange
    ) -> None:
        browser = as_("administrator", "a")

        with nothing_written(app):
            asked = browser.post(TAB, {**browser.form(TAB), "transfers_enabled": "non"})
        saved = browser.post(TAB, browser_fields(asked.text))

        text = Page(asked).text
        assert asked.status_code == 200
        assert "plus rien n’est copié, ni vers votre établissement ni depuis lui" in text
        assert "à ce jour, rien ne l’a été" in text
        assert "en cours" not in text
        assert saved.status_code == 303
        assert browser.form(TAB)["transfers_enabled"] == "non"

    def test_save_transfers_a_script_that_posts_the_documented_fields_is_taken_at_its_word(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        browser = as_("administrator", "b")
        form = {name: value for name, value in browser.form(TAB).items() if name != "version"}

        assert browser.post(TAB, {**form, "transfers_enabled": "non"}).status_code == 303

    def test_save_transfers_other_changes_of_the_tab_are_not_asked_twice(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        browser = as_("administrator", "b")

        assert browser.post(TAB, {**browser.form(TAB), "cnil_reference": "Registre, fiche 13"}).status_code == 303

    def test_save_transfers_the_confirmation_of_a_page_that_is_stale_overwrites_nothing(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        first, second = as_("administrator", "b"), as_("head", "b")
        asked = first.post(TAB, {**first.form(TAB), "transfers_enabled": "non"})
        second.post(TAB, {**second.form(TAB), "cnil_reference": "Registre, fiche 14"})

        answer = first.post(TAB, browser_fields(asked.text))

        assert answer.status_code == 303
        kept = first.form(TAB)
        assert (kept["transfers_enabled"], kept["cnil_reference"]) == ("non", "Registre, fiche 14")


class TestTransfersTab:
    def test_transfers_tab_leads_to_the_transfers(self, as_: As, world: World) -> None:
        assert "Visualiser les transferts effectués" in Page(as_("administrator").get(TAB)).text


def browser_fields(text: str) -> dict[str, str]:
    """Return the hidden fields of a confirmation page."""
    main = text[text.index("<main") :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', main)
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}

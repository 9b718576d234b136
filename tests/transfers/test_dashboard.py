"""What the dashboard and the tab Transferts tell: decisions that wait, first transfers, months, switching off."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.transfers.models import Transfer, TransferSide
from cpro.transfers.web.dashboard import _first_days
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import agreement, conflict, done, offered, twins, waiting_destination

As = Callable[..., Browser]
TAB = "/admin/parametres/transferts"


class TestChecklist:
    @pytest.mark.parametrize(
        ("arrange", "school", "title"),
        [
            (conflict, "b", "Confirmer des identités"),
            (agreement, "a", "Donner votre accord à des transferts"),
            (offered, "b", "Répondre aux élèves proposés"),
            (twins, "a", "Corriger des INE présents deux fois"),
            (twins, "b", "Corriger des INE présents deux fois"),
        ],
    )
    def test_shows_what_waits_for_the_school(
        self, as_: As, exchange: Exchange, arrange: Callable[[Exchange], None], school: str, title: str
    ) -> None:
        assert title not in Page(as_("head", school).get("/admin/")).text

        arrange(exchange)

        text = Page(as_("head", school).get("/admin/")).text
        assert text.index("Compléter les INE") < text.index(title) < text.index("Importer les élèves et les personnels")

    @pytest.mark.parametrize(("arrange", "school"), [(conflict, "a"), (agreement, "b"), (offered, "a")])
    def test_does_not_ask_of_a_school_what_the_other_must_do(
        self, as_: As, exchange: Exchange, arrange: Callable[[Exchange], None], school: str
    ) -> None:
        arrange(exchange)

        text = Page(as_("head", school).get("/admin/")).text

        for title in ("Confirmer des identités", "Donner votre accord", "Répondre aux élèves"):
            assert title not in text

    @pytest.mark.parametrize(("school", "other"), [("a", "0999002X"), ("b", "0999001W")])
    def test_shows_the_first_transfer_with_a_school_for_thirty_days(
        self, as_: As, exchange: Exchange, school: str, other: str
    ) -> None:
        done(exchange)
        done(exchange)
        text = Page(as_("head", school).get("/admin/")).text
        with exchange.write() as session:
            for row in (*session.scalars(select(Transfer)), *session.scalars(select(TransferSide))):
                row.done_at = exchange.now - timedelta(days=31)
        later = Page(as_("head", school).get("/admin/")).text

        assert text.count(f"Premier transfert avec l’établissement {other}") == 2  # the line, and its link's name
        assert "Premier transfert" not in later


class TestChart:
    def test_is_not_shown_before_the_first_transfer(self, as_: As, exchange: Exchange) -> None:
        assert "Transferts par mois" not in as_("head", "b").get("/admin/").text

    def test_counts_by_month_on_the_schools_clocks(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        done(exchange)

        here, there = Page(as_("head", "b").get("/admin/")), Page(as_("head", "a").get("/admin/"))

        assert "2 transferts reçus et 0 envoyé depuis six mois" in here.text
        assert "0 transfert reçu et 2 envoyés depuis six mois" in there.text
        assert [row[1:] for row in here.rows() if row[1:] == ["2", "0"]] == [["2", "0"]]
        charts = ("Activité des cinq dernières semaines", "Divisions et comptes activés", "Transferts par mois")
        assert [text_of(each) for each in here.main.iter("h3") if each.get("id", "").startswith("graphique-")] == [
            *charts
        ]

    @pytest.mark.parametrize("month", range(1, 13))
    def test_shows_six_months_whatever_the_day(self, month: int) -> None:
        now = datetime(2026, month, 28, 23, 30, tzinfo=ZoneInfo("Indian/Reunion"))

        firsts = _first_days(now)

        assert len(firsts) == 7
        assert all(first.day == 1 and first.hour == 0 for first in firsts)
        assert firsts[5] <= now < firsts[6]
        months = [first.year * 12 + first.month for first in firsts]
        assert months == list(range(months[0], months[0] + 7))


class TestSwitchingOff:
    def test_is_explained_then_confirmed(self, app: Flask, as_: As, exchange: Exchange) -> None:
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

    def test_counts_what_stops(self, as_: As, exchange: Exchange) -> None:
        waiting_destination(exchange)
        browser = as_("administrator", "a")

        page = Page(browser.post(TAB, {**browser.form(TAB), "transfers_enabled": "non"}))

        assert "1 transfert en cours s’arrête" in page.text

    def test_is_explained_once_where_there_is_no_transfer_at_all(self, app: Flask, as_: As, exchange: Exchange) -> None:
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

    def test_a_script_that_posts_the_documented_fields_is_taken_at_its_word(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        browser = as_("administrator", "b")
        form = {name: value for name, value in browser.form(TAB).items() if name != "version"}

        assert browser.post(TAB, {**form, "transfers_enabled": "non"}).status_code == 303

    def test_other_changes_of_the_tab_are_not_asked_twice(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        browser = as_("administrator", "b")

        assert browser.post(TAB, {**browser.form(TAB), "cnil_reference": "Registre, fiche 13"}).status_code == 303

    def test_the_confirmation_of_a_page_that_is_stale_overwrites_nothing(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        first, second = as_("administrator", "b"), as_("head", "b")
        asked = first.post(TAB, {**first.form(TAB), "transfers_enabled": "non"})
        second.post(TAB, {**second.form(TAB), "cnil_reference": "Registre, fiche 14"})

        answer = first.post(TAB, browser_fields(asked.text))

        assert answer.status_code == 303
        kept = first.form(TAB)
        assert (kept["transfers_enabled"], kept["cnil_reference"]) == ("non", "Registre, fiche 14")


class TestTab:
    def test_leads_to_the_transfers(self, as_: As, world: World) -> None:
        assert "Visualiser les transferts effectués" in Page(as_("administrator").get(TAB)).text


def browser_fields(text: str) -> dict[str, str]:
    """Return the hidden fields of a confirmation page."""
    main = text[text.index("<main") :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', main)
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}

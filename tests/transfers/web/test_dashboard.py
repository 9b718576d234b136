"""What the dashboard and the tab Transferts tell: decisions that wait, first transfers, months, switching off."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.transfers.models import Transfer, TransferSide, TransferState
from cpro.transfers.web.dashboard import _first_days
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written, watching
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import agreement, conflict, done, offered, twins

As = Callable[..., Browser]


class TestListTransferItems:
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
    def test_list_transfer_items_shows_what_waits_for_the_school(
        self, as_: As, exchange: Exchange, arrange: Callable[[Exchange], None], school: str, title: str
    ) -> None:
        assert title not in Page(as_("head", school).get("/admin/")).text

        arrange(exchange)

        text = Page(as_("head", school).get("/admin/")).text
        assert text.index(title) < text.index("Compléter les INE") < text.index("Avoir des élèves présents")

    @pytest.mark.parametrize(("arrange", "school"), [(conflict, "a"), (agreement, "b"), (offered, "a")])
    def test_list_transfer_items_does_not_ask_of_a_school_what_the_other_must_do(
        self, as_: As, exchange: Exchange, arrange: Callable[[Exchange], None], school: str
    ) -> None:
        arrange(exchange)

        text = Page(as_("head", school).get("/admin/")).text

        for title in ("Confirmer des identités", "Donner votre accord", "Répondre aux élèves"):
            assert title not in text

    @pytest.mark.parametrize(("school", "other"), [("a", "0999002X"), ("b", "0999001W")])
    def test_list_transfer_items_shows_the_first_transfer_with_a_school_for_thirty_days(
        self, as_: As, exchange: Exchange, school: str, other: str
    ) -> None:
        done(exchange)
        done(exchange)
        text = Page(as_("head", school).get("/admin/")).text
        with exchange.write() as session:
            for row in (*session.scalars(select(Transfer)), *session.scalars(select(TransferSide))):
                row.done_at = exchange.now - timedelta(days=31)
        later = Page(as_("head", school).get("/admin/")).text

        who = "annulez-le depuis sa page" if school == "b" else "demandez à cet établissement de l’annuler"
        assert f"Vérifiez que cet échange est attendu ; sinon, {who}, jusqu’au " in text
        assert f"l’établissement {other} (à vérifier)" in text
        assert text.count(f"Premier transfert avec l’établissement {other}") == 2  # the line, and its link's name
        assert "Premier transfert" not in later

    @pytest.mark.parametrize(("school", "other"), [("a", "0999002X"), ("b", "0999001W")])
    def test_list_transfer_items_a_first_transfer_that_was_checked_is_over_for_who_checked_it(
        self, app: Flask, as_: As, exchange: Exchange, school: str, other: str
    ) -> None:
        done(exchange)
        head, title = as_("head", school), f"Premier transfert avec l’établissement {other}"
        page = Page(head.get("/admin/"))
        address = next(link for link in page.links if re.search(r"/effectues/\d+$", link))
        assert "C’est vérifié" in Page(head.get(address)).text

        with watching(app) as watch:
            assert head.post(f"{address}/verifier").status_code == 303

        assert [line["action"] for line in watch.lines] == ["transfer:checked"]
        assert title not in head.get("/admin/").text
        after = Page(head.get(address)).text
        assert "C’est vérifié" not in after
        assert "a vérifié le premier transfert avec un établissement" in after
        with nothing_written(app):
            answer = head.post(f"{address}/verifier")
        assert answer.status_code == 409
        assert "n’est plus à vérifier" in Page(answer).text
        assert "Premier transfert" in as_("head", "b" if school == "a" else "a").get("/admin/").text

    def test_list_transfer_items_a_first_transfer_is_to_check_for_each_person(
        self, app: Flask, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        administrator, head = as_("administrator", "b"), as_("head", "b")
        address = next(link for link in Page(head.get("/admin/")).links if re.search(r"/effectues/\d+$", link))

        assert administrator.post(f"{address}/verifier").status_code == 303

        assert "Premier transfert" not in administrator.get("/admin/").text
        assert "Premier transfert" in head.get("/admin/").text
        page = Page(head.get(address)).text
        assert "C’est vérifié" in page and "a vérifié le premier transfert avec un établissement" in page
        assert head.post(f"{address}/verifier").status_code == 303
        assert "Premier transfert" not in head.get("/admin/").text

    def test_list_transfer_items_a_first_transfer_that_was_cancelled_is_not_to_check(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        with exchange.write() as session:
            for side in session.scalars(select(TransferSide)):
                side.state = TransferState.CANCELLED

        assert "Premier transfert" not in Page(as_("head", "b").get("/admin/")).text


class TestDrawTransfersByMonth:
    def test_draw_transfers_by_month_is_not_shown_before_the_first_transfer(self, as_: As, exchange: Exchange) -> None:
        assert "Transferts par mois" not in as_("head", "b").get("/admin/").text

    def test_draw_transfers_by_month_counts_by_month_on_the_schools_clocks(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        done(exchange)

        here, there = Page(as_("head", "b").get("/admin/")), Page(as_("head", "a").get("/admin/"))

        assert "2 transferts reçus et 0 envoyé depuis six mois" in here.text
        assert "0 transfert reçu et 2 envoyés depuis six mois" in there.text
        assert not [row for row in here.rows() if row[1:] == ["2", "0"]]  # one month alone: the sentence says it
        charts = ("Activité des cinq dernières semaines", "Divisions et comptes activés", "Transferts par mois")
        assert [text_of(each) for each in here.main.iter("h3") if each.get("id", "").startswith("graphique-")] == [
            *charts
        ]

    @pytest.mark.parametrize("month", range(1, 13))
    def test_draw_transfers_by_month_shows_six_months_whatever_the_day(self, month: int) -> None:
        now = datetime(2026, month, 28, 23, 30, tzinfo=ZoneInfo("Indian/Reunion"))

        firsts = _first_days(now)

        assert len(firsts) == 7
        assert all(first.day == 1 and first.hour == 0 for first in firsts)
        assert firsts[5] <= now < firsts[6]
        months = [first.year * 12 + first.month for first in firsts]
        assert months == list(range(months[0], months[0] + 7))

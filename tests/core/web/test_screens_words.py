"""What generated screens write: stored values and values of filters as people read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.shown import Filter, choice
from cpro.core.web.screens.kinds import column_of
from cpro.core.web.screens.listing import Listing
from cpro.establishments.models import Establishment
from cpro.students.models import Student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import rows

As = Callable[..., Browser]
JOURNAL = "/admin/journal/"


@pytest.mark.unit
def test_column_of_reads_a_value_of_choices_by_its_words() -> None:
    column = column_of(Establishment, "timezone")

    assert column.value(SimpleNamespace(timezone="Europe/Paris")) == "France métropolitaine"
    assert column.value(SimpleNamespace(timezone="Ailleurs")) == "Ailleurs"


@pytest.mark.unit
class TestListing:
    FILTERS = (
        Filter("du", "Effectués depuis le", day="from", where=lambda _day: Student.is_active),
        Filter("au", "Effectués jusqu’au", day="until", where=lambda _day: Student.is_active),
        choice("etat", "État", "tous", (("oui", "ouverts", lambda: Student.is_active),)),
        Filter("mef", "Code MEF", where=lambda text: Student.mef_code == text),
    )

    def listing(self, **asked: str) -> Listing:
        return Listing.of(asked, "/liste/", columns=(), filters=self.FILTERS)

    def test_listing_leads_to_itself_without_each_word_that_narrows_it(self) -> None:
        words = self.listing(recherche="zoé", etat="oui", mef="24", tri="nom").words()

        assert [text for text, _url in words] == ["ouverts", "code MEF «\u202f24\u202f»", "recherche «\u202fzoé\u202f»"]
        assert [url for _text, url in words] == [
            "/liste/?recherche=zo%C3%A9&mef=24",
            "/liste/?recherche=zo%C3%A9&etat=oui",
            "/liste/?etat=oui&mef=24",
        ]

    @pytest.mark.parametrize("typed", ["2026-11-20", "20/11/2026", " 20.11.2026 "])
    def test_listing_of_writes_a_day_as_people_do_and_keeps_it_as_the_calendar_does(self, typed: str) -> None:
        listing = self.listing(du=typed, mef="247")

        assert listing.phrase() == "effectués depuis le 20/11/2026, code MEF «\u202f247\u202f»"
        assert listing.chosen["du"] == "2026-11-20"
        assert listing.problems == ()

    @pytest.mark.parametrize(
        ("key", "value", "sentence"),
        [
            ("du", "abc", "« abc » n’est pas une date"),
            ("au", "2026-02-30", "« 2026-02-30 » n’est pas une date"),
            ("etat", "autre", "« autre » n’est pas un choix"),
        ],
    )
    def test_listing_of_leaves_out_what_makes_no_sense_and_says_so(self, key: str, value: str, sentence: str) -> None:
        listing = self.listing(**{key: value})

        assert not listing.is_narrowed
        assert listing.phrase() == ""
        assert key not in listing.url()
        assert len(listing.problems) == 1
        assert sentence in listing.problems[0].replace("\u202f", " ")

    def test_listing_of_says_that_no_day_is_both_after_and_before(self) -> None:
        assert "est après" in self.listing(du="2026-11-27", au="2026-11-20").contradiction
        assert self.listing(du="2026-11-20", au="2026-11-20").contradiction == ""
        assert self.listing(du="2026-11-20").contradiction == ""


def test_journal_writes_the_days_of_its_filters_in_french(app: Flask, as_: As) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=False):
        browser = as_("administrator")
        browser.get("/admin/etablissements/export/csv/")
        page = Page(browser.get(f"{JOURNAL}?du=2026-11-20&au=2026-11-27"))
        browser.get(f"{JOURNAL}export/csv/?du=2026-11-20&au=2026-11-27")

    assert "du 20/11/2026, au 27/11/2026" in page.text
    assert "2026-11" not in page.text
    exported = [row["changes"] for row in rows(app, AuditEntry) if row["action"] == "list:exported"][-1]
    assert exported["sought"] == [None, "du 20/11/2026, au 27/11/2026"]


def test_journal_says_what_is_wrong_with_its_days(as_: As) -> None:
    browser = as_("administrator")
    crossed = Page(browser.get(f"{JOURNAL}?du=2026-11-27&au=2026-11-20"))
    word = Page(browser.get(f"{JOURNAL}?du=abc"))

    assert "est après" in crossed.text
    assert "Aucune ligne ne répond" not in crossed.text
    assert "n’est pas une date" in word.text
    assert "du abc" not in word.text


class TestFilters:
    def test_filters_beyond_the_second_are_folded_until_one_of_them_narrows_the_list(self, as_: As) -> None:
        chief = as_("head")
        closed = chief.get(JOURNAL).text
        opened = chief.get(JOURNAL, query_string={"du": "2026-01-01"}).text

        assert "Plus de filtres (" in closed
        assert '<details class="listing-more">' in closed
        assert '<details class="listing-more" open>' in opened

    def test_filters_in_use_are_words_that_can_be_taken_away(self, as_: As) -> None:
        page = Page(as_("administrator").get("/admin/utilisateurs/", query_string={"etat": "actif", "recherche": "a"}))

        assert "/admin/utilisateurs/?recherche=a" in page.links
        assert "/admin/utilisateurs/?etat=actif" in page.links

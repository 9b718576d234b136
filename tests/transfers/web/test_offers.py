"""The pages of offers: a school proposes departed pupils, another links them; refusals first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.students.models import Student
from cpro.transfers.models import TransferState
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, offered

As = Callable[..., Browser]


def acceptance(exchange: Exchange) -> str:
    """Return the address where "b" links what it was offered."""
    return f"{FOLLOW_UP}/{exchange.side('b').id}/accepter"


class TestSendOffer:
    @pytest.mark.parametrize(
        ("typed", "field", "sentence"),
        [
            ({"uai": ""}, "uai", "Indiquez le code UAI"),
            ({"uai": "0999002A"}, "uai", ""),
            ({"uai": "0570109J"}, "uai", "Aucun établissement"),
            ({"uai": "0999001W"}, "uai", "celui de votre établissement"),
            ({"students": []}, "students", "Choisissez au moins un élève"),
            ({"students": ["mot"]}, "students", "Choisissez au moins un élève"),
            ({"students": ["99999999999"]}, "students", "Choisissez au moins un élève"),
            ({"students": ["2147483647"]}, "students", "Choisissez parmi"),
        ],
    )
    def test_send_offer_a_refusal_stands_beside_its_field_and_nothing_is_written(
        self, app: Flask, as_: As, exchange: Exchange, typed: dict[str, object], field: str, sentence: str
    ) -> None:
        exchange.switch("b", on=True, siecle=False)
        exchange.switch("a", on=True, siecle=False)
        pupil = exchange.enrol("a", None)
        exchange.depart(pupil)
        browser = as_("head", "a")
        browser.get(f"{FOLLOW_UP}/proposer")

        with nothing_written(app):
            answer = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002X", "students": [str(pupil)], **typed})

        assert answer.status_code == 422
        assert sentence in Page(answer).text
        assert f'id="{field}-erreur"' in answer.text

    def test_send_offer_two_schools_of_siecle_exchange_without_offers(self, as_: As, exchange: Exchange) -> None:
        exchange.depart(exchange.enrol("a", None, last_name="Secret"))
        browser = as_("administrator", "a")
        first = browser.get(f"{FOLLOW_UP}/proposer")

        answer = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002X", "geste": "destination"})

        assert "SECRET" not in first.text
        assert "SECRET" not in answer.text
        assert answer.status_code == 422
        assert "utilisent SIECLE" in Page(answer).text

    def test_send_offer_the_list_opens_once_the_destination_is_known_to_be_without_siecle(
        self, app: Flask, as_: As, exchange: Exchange
    ) -> None:
        exchange.switch("b", on=True, siecle=False)
        pupil = exchange.enrol("a", None, last_name="Ancien")
        exchange.depart(pupil)
        browser = as_("administrator", "a")
        browser.get(f"{FOLLOW_UP}/proposer")

        with nothing_written(app):
            opened = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002X", "geste": "destination"})
        sent = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002x", "students": [str(pupil)]})

        assert opened.status_code == 200
        assert "ANCIEN" in opened.text
        assert sent.status_code == 303
        assert exchange.states("b") == ["offered"]

    def test_send_offer_a_search_keeps_what_was_ticked(self, as_: As, exchange: Exchange) -> None:
        exchange.switch("a", on=True, siecle=False)
        one, other = (exchange.enrol("a", None, last_name=name) for name in ("Premier", "Second"))
        for pupil in (one, other):
            exchange.depart(pupil)
        browser = as_("head", "a")
        browser.get(f"{FOLLOW_UP}/proposer")

        answer = browser.post(
            f"{FOLLOW_UP}/proposer",
            {"uai": "0999002X", "students": [str(one)], "sought": "second", "geste": "chercher"},
        )
        odd = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002X", "sought": "\x00", "geste": "chercher"})

        assert (answer.status_code, odd.status_code) == (200, 422)
        page = Page(answer)
        boxes = {
            each.get("value"): each.get("checked") is not None
            for each in page.main.iter("input")
            if each.get("name") == "students"
        }
        assert boxes == {str(one): True, str(other): False}

        none = browser.post(
            f"{FOLLOW_UP}/proposer",
            {"uai": "0999002X", "students": [str(one)], "sought": "saphir", "geste": "chercher"},
        )
        assert "Aucun ancien élève à proposer ne répond à « saphir »." in Page(none).text
        assert 'value="0999002X"' in answer.text

    def test_send_offer_another_schools_pupil_cannot_be_offered(self, app: Flask, as_: As, exchange: Exchange) -> None:
        exchange.switch("a", on=True, siecle=False)
        theirs = exchange.enrol("c", None)
        exchange.depart(theirs)
        browser = as_("head", "a")
        browser.get(f"{FOLLOW_UP}/proposer")

        with nothing_written(app):
            answer = browser.post(f"{FOLLOW_UP}/proposer", {"uai": "0999002X", "students": [str(theirs)]})

        assert answer.status_code == 422
        assert "Topaze" not in answer.text


def choices(page: Page) -> dict[str | None, bool]:
    """Return the pupils that a page lets choose among, {id: whether it is chosen}."""
    return {
        each.get("value"): each.get("checked") is not None
        for each in page.main.iter("input")
        if each.get("name") == "student"
    }


def browser_search(browser: Browser, exchange: Exchange, sought: str) -> Any:
    """Search a pupil of "b" and return the answer."""
    browser.get(acceptance(exchange))
    return browser.post(acceptance(exchange), {"sought": sought, "geste": "chercher"})


class TestAccept:
    def test_accept_asks_which_pupil(self, app: Flask, as_: As, exchange: Exchange) -> None:
        offered(exchange)
        browser = as_("head", "b")
        page = Page(browser.get(acceptance(exchange)))

        with nothing_written(app):
            answers = [browser.post(acceptance(exchange), {"student": typed}) for typed in ("", "mot", "9" * 30)]

        assert "28/02/2009" in page.text
        assert [answer.status_code for answer in answers] == [422] * 3
        assert Page(answers[0]).error("student")

    def test_accept_a_search_finds_any_pupil_of_a_large_school_and_keeps_what_was_typed(
        self, app: Flask, as_: As, exchange: Exchange
    ) -> None:
        offered(exchange)
        crowd = [exchange.enrol("b", None, last_name=f"Agate{number:02}", birth_date=None) for number in range(55)]
        wanted = exchange.enrol("b", None, last_name="Zircon", first_name="Élodie", birth_date=None)
        departed = exchange.enrol("b", None, last_name="Zircon", first_name="Parti")
        exchange.depart(departed)
        theirs = exchange.enrol("a", None, last_name="Zircon", first_name="Ailleurs")
        browser = as_("head", "b")
        first = Page(browser.get(acceptance(exchange)))
        typed = {"student": str(crowd[0]), "sought": "zircon elodie", "geste": "chercher"}

        with nothing_written(app):
            found = browser.post(acceptance(exchange), typed)
        linked = browser.post(acceptance(exchange), {"student": str(wanted), "confirmed": "y"})

        assert str(wanted) not in choices(first)
        assert "La liste continue" in first.text
        assert found.status_code == 200
        assert choices(Page(found)) == {str(crowd[0]): True, str(wanted): False}
        assert 'value="zircon elodie"' in found.text
        assert {str(departed), str(theirs)}.isdisjoint(choices(Page(browser_search(browser, exchange, "zircon"))))
        assert linked.status_code == 303
        assert exchange.side("b").student_id == wanted

    def test_accept_a_search_without_result_says_so_and_can_be_made_again(self, as_: As, exchange: Exchange) -> None:
        offered(exchange)
        browser = as_("head", "b")

        kept = exchange.enrol("b", None, last_name="Gardé")

        answer = browser_search(browser, exchange, "Introuvable")

        page = Page(answer)
        again = Page(browser.post(acceptance(exchange), {"student": str(kept), "sought": "Rien", "geste": "chercher"}))
        assert "Aucun de vos élèves présents ne répond à « Rien »" in again.text
        assert choices(again) == {str(kept): True}
        assert "Aucun de vos élèves présents ne répond à « Introuvable »" in page.text
        assert 'value="Introuvable"' in answer.text

    @pytest.mark.parametrize("sought", ["a" * 101, "Zir\x00con"])
    def test_accept_a_search_that_cannot_be_is_refused_beside_its_field(
        self, app: Flask, as_: As, exchange: Exchange, sought: str
    ) -> None:
        offered(exchange)
        browser = as_("head", "b")
        browser.get(acceptance(exchange))

        with nothing_written(app):
            answer = browser.post(acceptance(exchange), {"sought": sought, "geste": "chercher"})

        assert answer.status_code == 422
        assert 'id="sought-erreur"' in answer.text

    def test_accept_what_another_school_was_offered_is_not_searched(self, as_: As, exchange: Exchange) -> None:
        offered(exchange)
        browser = as_("head", "a")
        browser.get(FOLLOW_UP)

        assert browser.post(acceptance(exchange), {"sought": "", "geste": "chercher"}).status_code == 404

    def test_accept_links_and_copies(self, as_: As, exchange: Exchange) -> None:
        offered(exchange)
        with exchange.look() as session:
            theirs = (Student.establishment_id == exchange.ids["b"], Student.last_name == "Topaze")
            pupil = session.scalars(select(Student.id).where(*theirs)).one()
        browser = as_("administrator", "b")
        browser.get(acceptance(exchange))

        answer = browser.post(acceptance(exchange), {"student": str(pupil)})

        assert answer.status_code == 303
        assert exchange.side("b").state is TransferState.DONE
        assert len(exchange.records(pupil)) == 5

    def test_accept_a_pupil_described_otherwise_must_be_confirmed(
        self, as_: As, exchange: Exchange, world: World
    ) -> None:
        offered(exchange)
        browser = as_("head", "b")
        where = acceptance(exchange)
        assert "Je confirme" not in browser.get(where).text

        answer = browser.post(where, {"student": str(world.b.student_id)})
        again = browser.post(where, {"student": str(world.b.student_id), "confirmed": "y"})

        assert answer.status_code == 409
        assert "Je confirme qu’il s’agit de la même personne" in answer.text
        assert "checked" in answer.text
        assert again.status_code == 303
        assert exchange.side("b").student_id == world.b.student_id

    def test_accept_another_schools_pupil_does_not_exist(
        self, app: Flask, as_: As, exchange: Exchange, world: World
    ) -> None:
        offered(exchange)
        browser = as_("head", "b")
        browser.get(acceptance(exchange))

        with nothing_written(app):
            answer = browser.post(acceptance(exchange), {"student": str(world.a.student_id)})

        assert answer.status_code == 422

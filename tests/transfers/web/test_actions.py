"""The pages that ask for an action on a transfer: refusals first, then what each does, on both sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.records.models import Fiche
from cpro.transfers.models import Transfer, TransferSide
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, watching
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import (
    ACTIONS,
    FOLLOW_UP,
    agreement,
    cancelled,
    conflict,
    done,
    refused,
    refused_there,
)

As = Callable[..., Browser]


def address(exchange: Exchange, school: str, action: str = "") -> str:
    """Return the address of the latest side of a school, or of an action on it."""
    side = f"{FOLLOW_UP}/{exchange.sides(school)[-1].id}"
    return f"{side}/{action}" if action else side


class TestDenied:
    @pytest.mark.parametrize("role", ["teacher", "student", "support"])
    @pytest.mark.parametrize("action", ACTIONS)
    def test_actions_refused_to_roles_that_do_not_run_the_school(
        self, app: Flask, as_: As, exchange: Exchange, role: str, action: str
    ) -> None:
        conflict(exchange)
        browser = as_(role, "b", enter="b" if role == "support" else None)
        where = address(exchange, "b", action)

        with nothing_written(app):
            assert browser.get(where).status_code == 403
            assert browser.post(where, {"reason": "Non"}).status_code == 403

    @pytest.mark.parametrize("action", ACTIONS)
    def test_actions_refused_on_the_other_schools_side(
        self, app: Flask, as_: As, exchange: Exchange, action: str
    ) -> None:
        conflict(exchange)
        browser = as_("head", "a")
        where = address(exchange, "b", action)

        with nothing_written(app):
            assert browser.get(where).status_code == 404
            assert browser.post(where, {"reason": "Non", "student": "1"}).status_code == 404

    @pytest.mark.parametrize("action", ACTIONS)
    def test_actions_refused_where_the_state_does_not_call_for_it(
        self, app: Flask, as_: As, exchange: Exchange, action: str
    ) -> None:
        conflict(exchange)
        browser = as_("head", "a")  # who waits for "b"
        where = address(exchange, "a", action)

        with nothing_written(app):
            assert browser.get(where).status_code == 409
            assert browser.post(where, {"reason": "Non", "student": "1"}).status_code == 409


class TestConfirm:
    def test_confirm_shows_ones_own_values_then_asks(self, app: Flask, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        browser = as_("administrator", "b")
        page = Page(browser.get(address(exchange, "b", "confirmer")))

        with watching(app) as watch:
            answer = browser.post(address(exchange, "b", "confirmer"))

        assert ["Date de naissance", "06/05/2010"] in page.rows()
        assert answer.status_code == 303
        assert "doit encore donner son accord" in Page(browser.get(answer.location)).flashes[0]
        assert exchange.states("a") == exchange.states("b") == ["agreement"]
        assert {line["action"] for line in watch.lines} == {"transfer:confirmed"}

    def test_confirm_twice_is_refused(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        first, second = as_("administrator", "b"), as_("head", "b")
        for browser in (first, second):
            browser.get(address(exchange, "b", "confirmer"))

        answers = [browser.post(address(exchange, "b", "confirmer")) for browser in (first, second)]

        assert [answer.status_code for answer in answers] == [303, 409]
        assert "n’est plus, possible sur ce transfert" in Page(answers[1]).text
        assert exchange.states("b") == ["agreement"]

    def test_confirm_is_refused_once_the_other_school_switched_off(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        browser = as_("administrator", "b")
        browser.get(address(exchange, "b", "confirmer"))
        exchange.switch("a", on=False)

        answer = browser.post(address(exchange, "b", "confirmer"))

        assert answer.status_code == 409
        assert "L’autre établissement n’a pas activé les transferts" in Page(answer).text


class TestRefuse:
    @pytest.mark.parametrize("reason", ["", "   ", "x" * 301, "a\x00b"])
    def test_refuse_asks_for_a_reason_and_loses_nothing(
        self, app: Flask, as_: As, exchange: Exchange, reason: str
    ) -> None:
        conflict(exchange)
        browser = as_("head", "b")
        browser.get(address(exchange, "b", "refuser"))

        with nothing_written(app):
            answer = browser.post(address(exchange, "b", "refuser"), {"reason": reason})

        assert answer.status_code == 422
        assert Page(answer).error("reason")

    def test_refuse_both_schools_read_the_reason(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        browser = as_("head", "b")
        browser.get(address(exchange, "b", "refuser"))

        answer = browser.post(address(exchange, "b", "refuser"), {"reason": "Ce n’est pas <lui>"})

        assert answer.status_code == 303
        for school in "ab":
            page = Page(as_("administrator", school).get(address(exchange, school)))
            assert "Ce n’est pas <lui>" in page.text


class TestAgree:
    def test_agree_copies(self, as_: As, exchange: Exchange) -> None:
        agreement(exchange)
        browser = as_("head", "a")
        browser.get(address(exchange, "a", "accorder"))

        answer = browser.post(address(exchange, "a", "accorder"))

        assert answer.status_code == 303
        assert exchange.states("b") == ["done"]

    def test_agree_a_refusal_may_be_reconsidered(self, as_: As, exchange: Exchange) -> None:
        refused_there(exchange)
        browser = as_("administrator", "a")
        browser.get(address(exchange, "a", "accorder"))

        assert browser.post(address(exchange, "a", "accorder")).status_code == 303
        assert exchange.states("a") == ["done"]


class TestCancel:
    def test_cancel_the_copies_go_and_the_other_school_keeps_its_own(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        here, there = exchange.side("b"), exchange.side("a")
        browser = as_("administrator", "b")
        page = Page(browser.get(address(exchange, "b", "annuler")))

        answer = browser.post(address(exchange, "b", "annuler"), {"reason": "Mauvais élève"})

        assert "disparaissent de votre établissement" in page.text
        assert answer.status_code == 303
        assert exchange.records(here.student_id or 0) == set()
        assert len(exchange.records(there.student_id or 0)) == 5
        assert exchange.states("a") == ["cancelled"]

    def test_cancel_what_was_evaluated_upon_stops_it_names_the_count_and_may_be_kept(
        self, as_: As, exchange: Exchange
    ) -> None:
        done(exchange)
        pupil = exchange.side("b").student_id or 0
        with exchange.look() as session:
            uid = session.scalars(select(Fiche.origin_uid).where(Fiche.student_id == pupil)).first()
        exchange.add(exchange.evaluation("b", pupil, fiche_uid=uid))
        browser = as_("head", "b")
        browser.get(address(exchange, "b", "annuler"))

        stopped = browser.post(address(exchange, "b", "annuler"), {"reason": "Erreur"})
        page = Page(stopped)
        kept = browser.post(address(exchange, "b", "annuler"), {"reason": "Erreur", "keep_evaluated": "oui"})

        assert stopped.status_code == 409
        assert "1 fiche reçue a servi" in page.alerts[0]
        assert "Annuler en conservant la fiche évaluée" in page.text
        assert 'value="Erreur"' in stopped.text
        assert kept.status_code == 303
        assert uid in exchange.records(pupil)
        assert len(exchange.records(pupil)) == 2

    def test_cancel_after_thirty_days_is_closed(self, app: Flask, as_: As, exchange: Exchange) -> None:
        done(exchange)
        with exchange.write() as session:
            for row in (*session.scalars(select(Transfer)), *session.scalars(select(TransferSide))):
                row.done_at = exchange.now - timedelta(days=31)
        browser = as_("head", "b")

        with nothing_written(app):
            assert browser.get(address(exchange, "b", "annuler")).status_code == 409
            assert browser.post(address(exchange, "b", "annuler")).status_code == 409

    def test_cancel_the_source_school_cannot(self, as_: As, exchange: Exchange) -> None:
        done(exchange)

        assert as_("head", "a").get(address(exchange, "a", "annuler")).status_code == 409


class TestAskAgain:
    @pytest.mark.parametrize("arrange", [cancelled, refused, done])
    def test_ask_again_is_judged_anew(self, as_: As, exchange: Exchange, arrange: Callable[[Exchange], None]) -> None:
        arrange(exchange)
        browser = as_("administrator", "b")
        assert browser.get(address(exchange, "b", "redemander")).status_code == 200

        answer = browser.post(address(exchange, "b", "redemander"))

        assert answer.status_code == 303
        assert exchange.states("b")[-1] == ("conflict" if arrange is refused else "done")

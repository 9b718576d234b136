"""What a school may still do: whom the source school asks, and whom « Essayer maintenant » looks for."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from cpro.students.models import Student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, done

As = Callable[..., Browser]


def test_show_transfer_says_whom_the_source_school_asks(as_: As, exchange: Exchange) -> None:
    done(exchange)
    here, there = (as_("head", school).get(f"{FOLLOW_UP}/{exchange.side(school).id}").text for school in "ab")

    assert "seul celui qui a reçu la copie peut annuler ce transfert" in here
    assert "0999002X" in here[here.index("demandez-le à") :][:100]
    assert "demandez-le à" not in there


def test_transfers_try_is_offered_where_there_is_somebody_to_look_for(as_: As, exchange: Exchange) -> None:
    browser = as_("administrator", "b")
    with exchange.write() as session:
        for pupil in session.scalars(select(Student)):
            pupil.ine = None
    assert "Essayer maintenant" not in Page(browser.get(FOLLOW_UP)).text

    exchange.enrol("b", exchange.ine())
    assert "cherche aussitôt, dans les établissements qui ont activé les transferts : 1 élève présent avec INE." in (
        Page(browser.get(FOLLOW_UP)).text
    )

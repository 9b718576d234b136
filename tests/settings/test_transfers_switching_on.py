"""The tab Transferts beside the transfers: what switching on copies, said once it is saved."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, move, waiting_destination, waiting_source

As = Callable[..., Browser]
TAB = "/admin/parametres/transferts"


def switch_on(browser: Browser) -> Page:
    """Choose « Oui », validate, and return the page that follows."""
    answer = browser.post(TAB, {**browser.form(TAB), "transfers_enabled": "oui"})
    assert answer.status_code == 303
    return Page(browser.get(TAB))


class TestSaveTransfers:
    def test_save_transfers_says_who_arrived_from_where(self, as_: As, exchange: Exchange) -> None:
        waiting_destination(exchange)
        page = switch_on(as_("administrator", "b"))

        [message] = page.flashes
        assert "Les transferts sont activés. 1 élève arrivé du lycée " in message
        assert "ses données sont copiées chez vous dans la minute" in message
        assert FOLLOW_UP in page.links

    def test_save_transfers_says_who_left_for_where(self, as_: As, exchange: Exchange) -> None:
        waiting_source(exchange)

        [message] = switch_on(as_("administrator", "a")).flashes
        assert "1 ancien élève parti au lycée " in message
        assert "ses données sont copiées là-bas dans la minute" in message

    def test_save_transfers_names_no_school_while_identities_differ(self, as_: As, exchange: Exchange) -> None:
        move(exchange, last_name="Autre")
        exchange.switch("b", on=False)

        [message] = switch_on(as_("administrator", "b")).flashes
        assert "Aucun élève n’est à transférer pour l’instant" in message

    def test_save_transfers_tells_a_school_nothing_of_others_before(self, as_: As, exchange: Exchange) -> None:
        waiting_destination(exchange)
        browser = as_("administrator", "b")
        before = Page(browser.get(TAB)).text
        exchange.switch("a", on=False)

        assert Page(browser.get(TAB)).text == before

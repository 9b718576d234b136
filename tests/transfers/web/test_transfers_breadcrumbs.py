"""The way back from each page below the lists of transfers."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, conflict

As = Callable[..., Browser]


class TestBreadcrumbs:
    def test_breadcrumbs_stand_on_each_page_below_the_lists(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)
        browser, address = as_("administrator", "b"), f"{FOLLOW_UP}/{exchange.side('b').id}"

        shown = Page(browser.get(address))
        [(name, _here)] = shown.trail[1:]
        assert shown.trail == [("Transferts", FOLLOW_UP), (name, "")]
        assert Page(browser.get(f"{address}/refuser")).trail[:2] == [("Transferts", FOLLOW_UP), (name, address)]
        assert Page(browser.get(f"{FOLLOW_UP}/proposer")).trail[:1] == [("Transferts", FOLLOW_UP)]

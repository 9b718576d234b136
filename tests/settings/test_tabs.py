"""The tabs of Paramètres: which one each role sees, in which order, and which is the current one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, url_for

from cpro.settings.history.parts import PARTS, HistoryPart
from cpro.settings.tabs import TABS
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]

_OF_THE_SCHOOL = ["Établissement", "Transferts", "Masque de saisie", "Logo", "Accès inspecteur", "Conservation"]
#: The tabs of each role, in order.
SHOWN = {
    "administrator": _OF_THE_SCHOOL,
    "head": [*_OF_THE_SCHOOL, "Modules"],
    "support": _OF_THE_SCHOOL[:4],
    "inspector": ["Établissement"],
}


def tabs_of(page: Page) -> list[str]:
    """Return the tabs of a page, the current one between brackets."""
    nav = next(each for each in page.root.iter("nav") if each.get("aria-label") == "Onglets des paramètres")
    return [f"[{text_of(link)}]" if link.get("aria-current") else text_of(link) for link in nav.iter("a")]


@pytest.mark.unit
def test_settings_tabs_hold_each_part_of_the_history() -> None:
    assert {part.tab for part in PARTS} <= {tab.key for tab in TABS}
    assert len({part.key for part in PARTS}) == len(PARTS)


@pytest.mark.unit
def test_find_part_of_gives_each_line_of_the_journal_one_part() -> None:
    shown = [(part.object_type, action) for part in PARTS for action in part.actions]

    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("role", SHOWN)
def test_settings_frame_shows_each_role_its_tabs_in_order(app: Flask, as_: As, filled: World, role: str) -> None:
    browser = as_(role, enter="a" if role in ("support", "inspector") else None)
    with app.test_request_context():
        addresses = {tab.label: url_for(tab.endpoint) for tab in TABS}

    for label in SHOWN[role]:
        shown = tabs_of(Page(browser.get(addresses[label])))
        assert shown == [f"[{each}]" if each == label else each for each in SHOWN[role]], label


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_settings_frame_shows_a_part_of_the_history_under_its_tab(
    app: Flask, as_: As, world: World, part: HistoryPart
) -> None:
    label = next(tab.label for tab in TABS if tab.key == part.tab)

    page = Page(as_("head").get(f"/admin/parametres/historique?de={part.key}"))

    assert f"[{label}]" in tabs_of(page)


@pytest.mark.parametrize("label", SHOWN["head"])
def test_settings_frame_says_what_a_tab_changes_before_what_one_presses(app: Flask, as_: As, label: str) -> None:
    with app.test_request_context():
        address = next(url_for(tab.endpoint) for tab in TABS if tab.label == label)

    tab = as_("head").get(address).text.partition('class="with-aside"')[2]

    assert "Ce que cela change" in tab.partition("<form")[0].partition("<button")[0]

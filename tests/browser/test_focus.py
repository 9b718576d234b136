"""What has the focus is seen: no menu, no bar that sticks hides it (WCAG 2.4.11); a message has it first (4.1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scenes import MASKS, PARTICULARS
from tests.browser.test_grid import open_grid
from tests.helpers.chromium import Site
from tests.helpers.keyboard import tab_through


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (320, 640)])
@pytest.mark.parametrize("address", [PARTICULARS, f"{MASKS}?diplome=40025520", "/admin/utilisateurs/"])
def test_nothing_focused_is_hidden(site: Site, address: str, width: int, height: int) -> None:
    page = site.visitor("administrateur@lovelace")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)

    stops = tab_through(page)

    assert len(stops) > 15
    assert [stop.words for stop in stops if not stop.is_shown] == []


def test_nothing_focused_is_hidden_by_what_the_grid_says_when_it_has_saved(site: Site) -> None:
    page = open_grid(site)
    page.set_viewport_size({"width": 320, "height": 640})
    first = page.locator(".grid-all .grid-level").first
    first.press("2")
    expect(page.get_by_role("button", name="Annuler le 2 pour tous")).to_be_visible()

    first.focus()

    assert [stop.words for stop in tab_through(page) if not stop.is_shown] == []


def test_backwards_nothing_focused_is_hidden(site: Site) -> None:
    """From the end to the beginning: what sticks to the bottom of the screen is met first."""
    page = site.visitor("administrateur@lovelace", width=360)
    page.goto(PARTICULARS)

    assert [stop.words for stop in tab_through(page, "Shift+Tab") if not stop.is_shown] == []


@pytest.mark.parametrize("width", [1280, 360])
def test_a_link_to_a_question_shows_it_with_what_is_said_of_it(site: Site, width: int) -> None:
    page = site.visitor("administrateur@lovelace", width=width)
    page.goto("/admin/eleves/")
    page.get_by_role("main").get_by_role("link", name="Déclarer que l’établissement n’a pas SIECLE…").click()

    expect(page.get_by_role("heading", name="D’où viennent vos élèves")).to_be_in_viewport(timeout=5000)

    page.goto("/admin/parametres/transferts#uses_siecle-0")  # as the list of what is to be corrected does

    expect(page.get_by_text("« Non » ne sert pas à corriger quelques élèves.")).to_be_in_viewport(timeout=5000)
    expect(page.locator("#uses_siecle-0")).to_be_in_viewport()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_menu_of_a_telephone_hides_nothing_once_the_focus_has_left_it(site: Site, javascript: bool) -> None:
    page = site.visitor("administrateur@lovelace", width=360, javascript=javascript)
    page.goto(PARTICULARS)
    menu = _open_menu(page)

    menu.get_by_role("link").last.focus()
    page.keyboard.press("Tab")

    expect(menu).to_be_hidden()
    expect(page.locator("main")).to_be_visible()


def test_the_menu_of_a_telephone_closes_with_escape(site: Site) -> None:
    page = site.visitor("administrateur@lovelace", width=360)
    page.goto(PARTICULARS)
    menu = _open_menu(page)
    menu.get_by_role("link").first.focus()

    page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(page.locator(".top-menu summary")).to_be_focused()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_success_takes_the_focus_and_says_so_in_the_title(site: Site, javascript: bool) -> None:
    page = site.visitor("administrateur@lovelace", javascript=javascript)
    page.goto(PARTICULARS)
    page.get_by_label("Ville").fill(f"Sainte-Exemple-{javascript}")

    page.get_by_role("button", name="Valider").click()

    expect(page.locator(".flash").first).to_be_focused()
    expect(page).to_have_title("C’est fait – Établissement – Paramètres – Lycée professionnel Ada Lovelace")


def test_no_list_changes_the_page_when_another_line_is_chosen(site: Site) -> None:
    """WCAG 3.2.2: one chooses, then presses a button."""
    page = site.visitor("administrateur@lovelace")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for address in ("/admin/utilisateurs/", "/admin/eleves/", "/scenarios", "/eleves"):
        page.goto(address)
        page.locator("main details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
        asked.clear()
        for each in page.locator("main select:visible").all():
            each.select_option(index=1)
            each.press("ArrowDown")
        page.wait_for_timeout(300)

        assert asked == []
        assert page.url.endswith(address)


def _open_menu(page: Page) -> Any:
    page.locator(".top-menu summary").press("Enter")
    menu = page.locator(".top-menu nav")
    expect(menu).to_be_visible()
    return menu

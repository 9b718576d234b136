"""Without a mouse, and for those whom movement disturbs."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.scenes import PARTICULARS
from tests.helpers.chromium import Site

_FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    words: (element.labels?.[0] ?? element).innerText.trim(),
    name: element.name ?? "",
    seen: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
    shown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0,
    isPage: element === document.body,
  };
}"""
_LONGEST_MOVEMENT = """() => Math.max(...[...document.querySelectorAll("*")].flatMap((element) =>
  ["", "::before", "::after"].flatMap((part) => {
    const style = getComputedStyle(element, part);
    return [style.transitionDuration, style.animationDuration].join(",").split(",").map(parseFloat);
  })))"""


class TestKeyboard:
    def test_the_first_key_offers_to_skip_the_menu(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        page.keyboard.press("Tab")
        assert page.evaluate(_FOCUSED)["words"] == "Aller au contenu"
        assert page.evaluate(_FOCUSED)["shown"]
        page.keyboard.press("Enter")

        expect(page.get_by_role("main")).to_be_focused()

    def test_every_control_is_reached_in_reading_order_and_seen(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        stops = _press_tab_through(page)

        assert [stop["words"] for stop in stops if not stop["seen"]] == []
        assert [stop["words"] for stop in stops if not stop["shown"]] == []
        words = [stop["words"] for stop in stops]
        assert _in_order(["Aller au contenu", "Se déconnecter", "Paramètres", "Transferts", "Valider"], words), words
        names = [stop["name"] for stop in stops]
        assert _in_order(["name", "uai", "email", "postal_code", "city", "signatory_name", "timezone"], names), names

    def test_a_slash_leads_to_the_search_and_arrows_through_what_it_found(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        page.keyboard.press("/")
        page.keyboard.type("division")
        page.keyboard.press("Enter")
        page.wait_for_url("**/recherche?q=division")
        page.keyboard.press("/")
        page.keyboard.press("ArrowDown")

        expect(page.locator(".found li a").first).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_label("Chercher partout")).to_be_focused()

    def test_a_slash_does_nothing_once_the_shortcut_is_turned_off(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto("/mon-compte")
        page.get_by_role("button", name="Ne plus utiliser ce raccourci").click()
        expect(page.get_by_role("button", name="Utiliser la touche")).to_be_visible()
        page.locator("h1").click()

        page.keyboard.press("/")

        expect(page.get_by_label("Chercher partout")).not_to_be_focused()

    def test_a_slash_is_typed_in_a_field(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        page.get_by_label("Ville").fill("")
        page.get_by_label("Ville").press("/")

        expect(page.get_by_label("Ville")).to_have_value("/")

    def test_a_form_is_sent_with_enter(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        page.get_by_label("Ville").fill("Sainte-Exemple")
        page.keyboard.press("Enter")

        expect(page.locator(".flash")).to_contain_text("Ville")


class TestMovement:
    def test_nothing_moves_for_those_who_asked_for_it(self, site: Site) -> None:
        page = site.visitor("administrateur@lovelace")
        page.goto(PARTICULARS)

        assert page.evaluate(_LONGEST_MOVEMENT) <= 0.01  # seconds


def _press_tab_through(page: Page) -> list[dict[str, Any]]:
    """Return where the focus stops, from the top of the page to its end."""
    stops: list[dict[str, Any]] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop["isPage"]:
            break
        stops.append(stop)
    return stops


def _in_order(wanted: list[str], found: list[str]) -> bool:
    """Return whether all the words wanted are found, in this order, whatever stands between them."""
    remaining = iter(found)
    return all(any(word == each for each in remaining) for word in wanted)

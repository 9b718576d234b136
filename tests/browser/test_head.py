"""The head of the pages on a telephone: one line, which unfolds with the menu."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import letters
from tests.helpers.chromium import Site

ADMINISTRATOR = "administrateur@lovelace"
#: CSS pixels: a line of the head; what a finger needs (WCAG 2.5.5).
LINE, FINGER = 60, 44
_CONTROLS = """() => [...document.querySelectorAll(".top :is(a, button, input, summary)")]
  .filter((each) => each.checkVisibility() && each.type !== "hidden")
  .map((each) => [each.innerText || each.placeholder || each.id, each.getBoundingClientRect().height])"""


def too_small(page: Page) -> list[str]:
    """Return the controls of the head that a finger would miss."""
    return [words for words, height in page.evaluate(_CONTROLS) if height < FINGER]


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("width", [360, 320])
def test_the_head_of_a_telephone_is_one_line_that_unfolds_with_the_menu(
    site: Site, width: int, javascript: bool
) -> None:
    page = site.visitor(ADMINISTRATOR, width=width, javascript=javascript)
    page.goto("/admin/")
    head = page.locator(".top")
    box = head.bounding_box()

    assert box and box["height"] <= LINE
    expect(page.locator(".school-name")).to_be_visible()
    assert too_small(page) == []
    page.locator(".top-menu summary").click()

    for control in (
        page.get_by_role("searchbox", name="Chercher partout"),
        page.get_by_role("link", name="Mon compte"),
        page.get_by_role("button", name="Se déconnecter"),
        head.get_by_role("link", name="Urgence"),
    ):
        expect(control).to_be_visible()
    expect(page.locator(".school-uai")).to_be_visible()
    assert too_small(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if javascript:
        assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("name", ["Lycée professionnel Ada Lovelace", "Lycée polyvalent des métiers de l’énergie"])
def test_the_head_of_a_telephone_tells_one_school_from_another_in_wide_letters(site: Site, name: str) -> None:
    page = site.visitor(ADMINISTRATOR, width=360)
    page.goto("/admin/")
    letters.load(page)
    letters.write_in(page, "* { font-family: wide !important; }")
    called, head = page.locator(".school-called"), page.locator(".top")
    called.evaluate("(each, name) => { each.textContent = name; }", name)

    box = head.bounding_box()
    assert box and box["height"] <= LINE
    expect(page.locator(".school-uai")).to_be_visible()
    if "Lovelace" in name:
        assert called.evaluate("each => each.scrollHeight - each.clientHeight") <= 0
    expect(page.get_by_role("link", name="CPro", exact=True)).to_be_visible()


def test_the_search_of_a_telephone_is_reached_typed_in_and_kept_in_sight(site: Site) -> None:
    page = site.visitor(ADMINISTRATOR, width=320)
    page.goto("/admin/")

    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Chercher partout")
    expect(field).to_be_focused()
    field.fill("logo")
    page.keyboard.press("Enter")

    page.wait_for_url("**/recherche?q=logo")
    expect(field).to_have_value("logo")
    expect(field).to_be_visible()


@pytest.mark.parametrize(("login", "most"), [(ADMINISTRATOR, 2), ("support@lovelace", 3)])
def test_on_a_desk_the_search_is_not_cut_and_the_school_keeps_its_lines(site: Site, login: str, most: int) -> None:
    page = site.visitor(login, width=1280)
    page.goto("/admin/")

    room = page.locator("#partout").evaluate("""(field) => {
        const style = getComputedStyle(field), pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const inside = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return inside - pen.measureText(field.placeholder).width;
    }""")
    lines = page.locator(".school-name").evaluate(
        "(name) => name.getBoundingClientRect().height / parseFloat(getComputedStyle(name).lineHeight)"
    )

    assert room >= 0, "the search is cut"
    assert round(lines) <= most, "a line for the name, one for its number; the support has a button more beside them"


def test_support_leaves_a_school_from_the_menu_of_a_telephone(site: Site) -> None:
    page = site.visitor("support@lovelace", width=360)
    page.goto("/admin/")
    box = page.locator(".top").bounding_box()
    assert box and box["height"] <= LINE

    page.locator(".top-menu summary").click()
    page.get_by_role("button", name="Quitter cet établissement").click()

    page.wait_for_url("**/ecoles?recherche=lovelace")

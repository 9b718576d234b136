"""Pages in the colours of the system, on paper, and in a frame too narrow for their table."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page

from tests.browser.scenes import PARTICULARS, TRANSFERS
from tests.helpers.chromium import Site

_PAGES = ("/admin/", PARTICULARS, f"{TRANSFERS}/effectues", "/admin/utilisateurs/", "/admin/imports", "/mon-compte")
#: What is told only by a colour: a button or a state without a border, a link without a line, the page one is on.
_COLOUR_ALONE = """() => {
  const shown = (each) => each.getClientRects().length > 0;
  const bordered = (each) => {
    const style = getComputedStyle(each);
    return parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none";
  };
  const underlined = (each) => getComputedStyle(each).textDecorationLine.includes("underline");
  const faults = [];
  for (const each of document.querySelectorAll("button, .btn, .pill, .form-control, select, .flash, .notice"))
    if (shown(each) && !bordered(each)) faults.push(`${each.outerHTML.slice(0, 90)} has no border`);
  for (const each of document.querySelectorAll("a:not(.btn)"))
    if (shown(each) && !underlined(each)) faults.push(`${each.outerHTML.slice(0, 90)} is not underlined`);
  for (const each of document.querySelectorAll("a[aria-current=page]"))
    if (shown(each) && parseFloat(getComputedStyle(each).borderLeftWidth) < 4)
      faults.push(`${each.outerHTML} is as the others`);
  return faults;
}"""
_PRINTED = """() => [...document.querySelectorAll(
    "button, .btn, [type=submit], [type=search], [type=file], .gated, nav, .top-menu, .brand, .foot, .flash")]
  .filter((each) => each.getClientRects().length > 0).map((each) => each.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("address", _PAGES)
def test_in_forced_colours_nothing_is_told_by_a_colour_alone(site: Site, address: str) -> None:
    page = site.visitor("chef@lovelace" if address != "/admin/imports" else "administrateur@lovelace")
    page.emulate_media(forced_colors="active")
    page.goto(address)

    assert page.evaluate(_COLOUR_ALONE) == []
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("address", _PAGES)
def test_on_paper_there_is_no_button_and_no_menu(site: Site, address: str) -> None:
    page = site.visitor("chef@lovelace" if address != "/admin/imports" else "administrateur@lovelace")
    page.emulate_media(media="print")
    page.goto(address)

    assert page.evaluate(_PRINTED) == []
    heads = page.evaluate("[...document.querySelectorAll('main thead')].map((each) => getComputedStyle(each).display)")
    assert set(heads) <= {"table-header-group"}


def test_a_table_that_goes_on_beyond_its_frame_shows_it(site: Site) -> None:
    page = site.visitor("chef@lovelace", width=360)
    page.goto("/admin/urgence")
    frame = page.locator(".table-frame").first
    assert (frame.get_attribute("tabindex"), frame.get_attribute("role")) == ("0", "region")
    assert frame.get_attribute("aria-label")
    # Whatever the page does of its own tables on a telephone, this one is as wide as a desk's.
    frame.locator("table").evaluate("table => { table.className = 'table'; table.style.width = '60rem'; }")

    before = _lightness_of_the_edge(page)
    frame.evaluate("each => { each.scrollLeft = each.scrollWidth; }")

    assert before < _lightness_of_the_edge(page) - 5


def _lightness_of_the_edge(page: Page) -> float:
    """Return how light the right edge of the first frame is, from 0 to 255: its last pixels, all along the rows."""
    box = page.locator(".table-frame tbody").first.bounding_box()
    frame = page.locator(".table-frame").first.bounding_box()
    assert box and frame
    clip = {"x": frame["x"] + frame["width"] - 6, "y": box["y"], "width": 4, "height": box["height"]}
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip, full_page=True))).convert("L")
    return float(ImageStat.Stat(picture).mean[0])

"""What every page must be, in each of its states: accessible, valid, at every width, without a complaint."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from html5lib.html5parser import ParseError
from playwright.sync_api import Page

from tests.browser import letters
from tests.browser.scenes import Scene
from tests.helpers.chromium import Site
from tests.helpers.conformity import find_faults

_AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}
#: Only the violations come back: what passed would take longer to send than to find.
_ASK_AXE = f"axe.run({json.dumps(_AXE_OPTIONS)}).then((results) => results.violations)"
#: How far what is shown moved by itself while the page loaded (the « layout shift » of browsers, from 0 on).
_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((seen) => {
    for (const each of seen.getEntries()) if (!each.hadRecentInput) sum += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
  setTimeout(() => resolve(sum), 5000);  // a page in the background is never drawn
})"""
#: Below this, browsers call a page stable (https://web.dev/articles/cls).
_STABLE = 0.1
#: Captions of the tables that are wider than their frame; a grid of marks has as many columns as competences.
_CUT = """() => [...document.querySelectorAll(".table-frame")]
  .filter((frame) => frame.scrollWidth > frame.clientWidth + 1 && !frame.querySelector(".grid-level"))
  .map((frame) => frame.getAttribute("aria-label"))"""
#: What French typography forbids: a plain space where a narrow no-break one goes, a typist's apostrophe.
_BAD_SPACE = re.compile(r".{0,20}(?:[ \u00a0][;:!?»]|«[ \u00a0]).{0,20}")
_BAD_APOSTROPHE = re.compile(r".{0,20}[A-Za-zÀ-ÿ]'[A-Za-zÀ-ÿ].{0,20}")
_TITLE = re.compile(r"[^–]+(?: – [^–]+){1,3}")


@dataclass(frozen=True)
class Seen:
    """What one visit of a page taught."""

    scene: Scene
    address: str
    status: int
    source: str
    title: str
    text: str
    complaints: list[str]
    #: sentences of axe, by width
    axe: dict[int, list[str]]
    #: by width and letters (`letters`), how many pixels the page overflows; only what does
    overflow: dict[tuple[int, str], int]
    shift: float
    #: by width, tables that are cut
    cut: dict[int, list[str]]


def look(scene: Scene, site: Site, screenshots: Path | None) -> Seen:
    """Play a scene and look at where it ends, at every width: one visit, one page load."""
    page = site.kept_visitor(scene.who)
    page.goto(scene.path)
    if scene.act:
        scene.act(site, page)
        page.wait_for_load_state("networkidle")  # a click returns before the page it leads to
    document = site.witness(page).document
    assert document
    assert document.frame.page == page  # what a page closed meanwhile had received may never be read
    status, source, address = document.status, document.text(), document.url
    shift: float = page.evaluate(_SHIFT)
    page.evaluate(Axe().axe_script)
    axe: dict[int, list[str]] = {}
    overflow: dict[tuple[int, str], int] = {}
    cut: dict[int, list[str]] = {}
    letters.load(page)
    for width in (1440, 1280, 640, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        if width >= 1280:
            cut[width] = page.evaluate(_CUT)
        if width in (1280, 360):
            axe[width] = violations(page)
            if screenshots:
                page.screenshot(path=screenshots / f"{scene.name}-{width}.png", full_page=True)
        overflow |= {(width, name): excess for name, excess in letters.overflows(page).items()}
    title, text = page.title(), page.locator("body").inner_text()
    letters.lengthen(page)
    overflow |= {(320, f"{name}, long names"): excess for name, excess in letters.overflows(page).items()}
    return Seen(scene, address, status, source, title, text, site.close_pages(), axe, overflow, shift, cut)


class EachPage:
    """The examination; a test class inherits it and gives `seen`, once for all the tests of a scene."""

    def test_answers_with_its_status_and_no_complaint_of_the_browser(self, seen: Seen) -> None:
        assert seen.status == seen.scene.status
        assert seen.complaints == []

    def test_is_accessible_on_a_screen_and_on_a_telephone(self, seen: Seen) -> None:
        assert seen.axe == {1280: [], 360: []}

    def test_never_scrolls_sideways(self, seen: Seen) -> None:
        """At 320 px, and at 640 px (1280 px zoomed by 200 %), with wide and narrow letters and the longest names."""
        assert seen.overflow == {}

    def test_cuts_no_table_on_a_computer(self, seen: Seen) -> None:
        assert seen.cut == {1440: [], 1280: []}

    def test_stays_where_it_is_while_it_loads(self, seen: Seen) -> None:
        assert seen.shift < _STABLE

    def test_is_valid_html(self, seen: Seen) -> None:
        try:
            tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(seen.source)
        except ParseError as error:
            pytest.fail(f"html5lib: {error}")

        assert _repeated_ids(tree) == []
        assert _broken_references(tree) == []
        assert _controls_without_label(tree) == []
        assert len(list(tree.iter("h1"))) == 1

    def test_says_where_one_is_in_its_title(self, seen: Seen) -> None:
        assert _TITLE.fullmatch(seen.title), seen.title
        if seen.scene.who.endswith("@lovelace"):
            assert seen.title.endswith(" – Lycée professionnel Ada Lovelace")

    def test_tells_apart_what_is_heard_out_of_its_place(self, seen: Seen) -> None:
        """Names of links, buttons and fields, titles, headings, captions: see `conformity.find_faults`."""
        assert find_faults(seen.source, seen.address, seen.status) == []

    def test_follows_french_typography(self, seen: Seen) -> None:
        assert _BAD_SPACE.findall(seen.text) == []
        assert _BAD_APOSTROPHE.findall(seen.text) == []


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong in a page that holds its script, one sentence for each element."""
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
        for violation in page.evaluate(_ASK_AXE)
        for node in violation["nodes"]
    ]


def _repeated_ids(tree: Element) -> list[str]:
    ids = Counter(element.get("id") for element in tree.iter() if element.get("id"))
    return [name for name, count in ids.items() if count > 1]


def _broken_references(tree: Element) -> list[str]:
    """Return the attributes that name an id which the page does not have."""
    ids = {element.get("id") for element in tree.iter()}
    return [
        f"{attribute}={name}"
        for element in tree.iter()
        for attribute in ("for", "form", "list", "aria-describedby", "aria-labelledby", "aria-controls")
        for name in (element.get(attribute) or "").split()
        if name not in ids
    ]


def _controls_without_label(tree: Element) -> list[str]:
    labelled = {label.get("for") for label in tree.iter("label") if "".join(label.itertext()).strip()}
    controls = [control for tag in ("input", "select", "textarea") for control in tree.iter(tag)]
    return [
        str(control.attrib)
        for control in controls
        if control.get("type") not in ("hidden", "submit")
        and control.get("hidden") is None
        and control.get("id") not in labelled
        and not control.get("aria-label")
    ]

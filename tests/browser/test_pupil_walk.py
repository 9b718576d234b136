"""From pupil to pupil on whichever tab, each browser tab in its own list, in Chromium and without script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.chromium import Site

TEACHER = "enseignante@lovelace"


def first_pupil(page: Page) -> str:
    """Return the address of the first pupil of the list shown."""
    return page.locator("tbody th a").first.get_attribute("href") or ""


@pytest.mark.parametrize("width", [1280, 360])
def test_walk_stays_on_the_tab_and_comes_back_to_the_filtered_list(
    site: Site, screenshots: Path | None, width: int
) -> None:
    page = site.visitor(TEACHER, width=width, javascript=False)
    page.goto("/eleves?situation=tous")
    page.goto(first_pupil(page))
    page.get_by_role("link", name=re.compile("^Évaluations \\(")).click()
    heading = page.get_by_role("heading", level=1)
    first = heading.inner_text()

    page.locator(".neighbours [rel=next]").click()

    expect(page).to_have_url(re.compile(r"/eleves/\d+/evaluations\?liste="))
    expect(heading).not_to_have_text(first)
    page.locator(".neighbours [rel=prev]").click()
    expect(heading).to_have_text(first)
    if screenshots:
        page.screenshot(path=screenshots / f"walk-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Revenir à la liste").click()
    expect(page).to_have_url(re.compile(r"/eleves\?situation=tous#ligne-\d+$"))
    expect(page.get_by_label("Situation")).to_have_value("tous")
    target = page.locator("tbody tr:target")
    expect(target).to_contain_text(first.split()[-1])
    expect(target).to_be_in_viewport()
    assert target.evaluate("row => getComputedStyle(row).outlineStyle") == "solid"


def test_walk_in_two_tabs_keeps_two_lists(site: Site) -> None:
    here = site.visitor(TEACHER)
    here.goto("/eleves?situation=tous")
    there = here.context.new_page()
    there.goto("/eleves?recherche=a")
    here.goto(first_pupil(here))
    there.goto(first_pupil(there))

    here.get_by_role("link", name=re.compile("^Fiches \\(")).click()

    here.get_by_role("link", name="Revenir à la liste").click()
    expect(here).to_have_url(re.compile(r"/eleves\?situation=tous#ligne-\d+$"))
    there.get_by_role("link", name="Revenir à la liste").click()
    expect(there).to_have_url(re.compile(r"/eleves\?recherche=a#ligne-\d+$"))

"""The main pages in the dark theme: what they say can be read, on their own ground."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.examination import violations
from tests.helpers.chromium import Site

#: Who opens which page: a form, lists, charts, tabs, badges, code, a rich text, a picture.
_PAGES = (
    ("", "/connexion"),
    ("chef@lovelace", "/admin/"),
    ("chef@lovelace", "/admin/transferts/"),
    ("administrateur@lovelace", "/admin/utilisateurs/"),
    ("administrateur@lovelace", "/admin/parametres/etablissement"),
    ("administrateur@lovelace", "/admin/parametres/logo"),
    ("administrateur@lovelace", "/admin/journal/"),
    ("enseignante@lovelace", "/eleves"),
    ("enseignante@lovelace", "/aide/imports"),
)
#: The lightness, from 0 to 1, of what the page is painted on.
_LIGHTNESS = """element => {
    const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
    return (red + green + blue) / 765;
}"""


def _opened(site: Site, who: str, address: str) -> Page:
    page = site.kept_visitor(who)
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    return page


class TestDarkTheme:
    @pytest.mark.parametrize(("who", "address"), _PAGES, ids=[address for _, address in _PAGES])
    def test_pages_are_readable_in_the_dark(self, site: Site, screenshots: Path | None, who: str, address: str) -> None:
        page = _opened(site, who, address)
        page.evaluate(Axe().axe_script)

        assert page.locator("body").evaluate(_LIGHTNESS) < 0.2
        assert violations(page) == []
        if screenshots:
            page.screenshot(path=screenshots / f"dark{address.replace('/', '-')}.png", full_page=True)

    def test_pictures_of_a_school_stand_on_white(self, site: Site) -> None:
        page = _opened(site, "administrateur@lovelace", "/admin/parametres/logo")

        assert page.locator(".school-logo").evaluate(_LIGHTNESS) == 1
        for picture in page.locator(".picture").all():
            assert picture.evaluate(_LIGHTNESS) == 1

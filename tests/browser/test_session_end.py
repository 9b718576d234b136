"""The warning before a session ends: heard, answered from the keyboard, told to every page of the browser."""

from __future__ import annotations

from datetime import timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from cpro.config import SIGN_IN_LIFE
from cpro.core import clock
from tests.browser.examination import violations
from tests.helpers.chromium import Site, sign_in

ACCOUNT = "/mon-compte/sessions"
STAY = "Rester connecté"


def open_page(page: Page, address: str = ACCOUNT) -> Page:
    """Open a page; the test moves the clock of all the pages of its browser."""
    page.clock.install()
    page.goto(address)
    return page


def warning(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_role("alertdialog", name="Votre session va prendre fin")


def set_opened(site: Site, seconds_left: int) -> None:
    """Let the last sign-in have been opened so long ago that few seconds are left of it."""
    engine = create_engine(site.platform.database_url)
    opened = clock.utcnow() - SIGN_IN_LIFE + timedelta(seconds=seconds_left)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
        change = text("UPDATE sign_in SET created_at = :at WHERE id = (SELECT max(id) FROM sign_in)")
        connection.execute(change, {"at": opened.strftime("%Y-%m-%d %H:%M:%S.%f")})
    engine.dispose()


class TestSessionEnd:
    def test_session_end_is_announced_two_minutes_before_and_put_off_from_the_keyboard(self, site: Site) -> None:
        page = open_page(site.visitor("chef@lovelace"))
        other = open_page(page.context.new_page())

        page.clock.fast_forward("27:30")
        expect(warning(page)).to_have_count(0)
        page.clock.fast_forward("01:00")
        for each in (page, other):
            expect(warning(each)).to_be_visible()
            expect(warning(each)).to_contain_text("Après 30 minutes sans rien demander à CPro")
        expect(page.get_by_role("button", name=STAY)).to_be_focused()
        page.evaluate(Axe().axe_script)
        assert violations(page) == []
        page.keyboard.press("Enter")

        expect(warning(page)).to_have_count(0)
        expect(warning(other)).to_have_count(0)
        page.clock.fast_forward("20:00")
        expect(warning(page)).to_have_count(0)
        assert site.close_pages() == []

    def test_session_end_is_told_once_it_has_come(self, site: Site) -> None:
        page = open_page(site.visitor("chef@lovelace"))

        page.clock.fast_forward("28:30")
        page.keyboard.press("Escape")
        expect(warning(page)).to_have_count(0)
        page.clock.fast_forward("00:30")
        expect(warning(page)).to_have_count(0)
        page.clock.fast_forward("01:30")

        expect(warning(page)).to_contain_text("Votre session a pris fin.")
        expect(page.get_by_role("button", name=STAY)).to_have_count(0)
        assert site.close_pages() == []

    def test_session_end_after_twelve_hours_is_not_put_off(self, site: Site) -> None:
        page = site.visitor()
        sign_in(page, "lovelace", "enseignante")
        set_opened(site, 90)

        open_page(page)
        page.clock.fast_forward("00:06")

        expect(warning(page)).to_contain_text("Une session dure au plus 12 heures")
        expect(page.get_by_role("button", name=STAY)).to_have_count(0)
        assert site.close_pages() == []

    def test_session_end_without_a_script_is_told_at_the_foot(self, site: Site) -> None:
        page = site.visitor("chef@lovelace", javascript=False)
        page.goto(ACCOUNT)
        assert "Après 30 minutes" in page.locator("footer").inner_text()

        stranger = site.visitor("", javascript=False)
        stranger.goto("/connexion")
        assert "30 minutes" not in stranger.locator("footer").inner_text()
        expect(stranger.locator("dialog")).to_have_count(0)
        assert site.close_pages() == []

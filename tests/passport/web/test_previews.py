"""The pages shown on the Logo tab: real ones, of nobody, with the pictures as they stand."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from cpro.passport import level_charts, previews
from tests.factories import World, make_mandate
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, set_up
from tests.helpers.uploads import LOGO_TAB, undo, upload
from tests.passport.conftest import SECRET, Class_

As = Callable[..., Browser]
FIRST, LAST = f"{LOGO_TAB}/apercu/premiere-page", f"{LOGO_TAB}/apercu/derniere-page"


def colours_of(answer: TestResponse) -> set[tuple[int, ...]]:
    """Return the colours that fill at least a thousandth of the page."""
    assert answer.status_code == 200
    assert answer.mimetype == "image/png"
    with Image.open(io.BytesIO(answer.data)) as image:
        assert abs(image.height / image.width - 297 / 210) < 0.01
        counts = image.convert("RGB").getcolors(maxcolors=2**24) or []
        return {colour for count, colour in counts if count * 1000 > image.width * image.height}


class TestPreviewsAccess:
    @pytest.mark.parametrize("role", ["teacher", "student", "inspector"])
    def test_previews_access_a_role_without_the_right_is_refused(
        self, app: Flask, as_: As, world: World, role: str
    ) -> None:
        set_up(app, lambda session: session.add(make_mandate(world)))
        browser = as_(role, enter="a" if role == "inspector" else None)

        assert [browser.get(path).status_code for path in (FIRST, LAST)] == [403, 403]

    def test_previews_access_the_support_sees_the_page_without_the_stamp(self, as_: As, world: World) -> None:
        browser = as_("support", enter="a")

        assert browser.get(FIRST).status_code == 200
        assert browser.get(LAST).status_code == 403
        text = browser.get(LOGO_TAB).text
        assert FIRST in text
        assert LAST not in text

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_previews_access_who_deposits_sees_both_and_nothing_is_issued(
        self, app: Flask, as_: As, class_a: Class_, role: str
    ) -> None:
        browser = as_(role)

        with nothing_written(app):
            text = browser.get(LOGO_TAB).text
            pages = [browser.get(path) for path in (FIRST, LAST)]

        assert FIRST in text
        assert LAST in text
        assert [page.status_code for page in pages] == [200, 200]
        assert class_a.issues() == []

    def test_previews_access_the_large_page_leads_back_and_shows_the_stamp_to_those_who_may(
        self, as_: As, world: World
    ) -> None:
        large, stamped = f"{LOGO_TAB}/passeport/premiere-page", f"{LOGO_TAB}/passeport/derniere-page"
        head, support = as_("head"), as_("support", enter="a")

        tab, page = Page(head.get(LOGO_TAB)), head.get(stamped)

        assert {large, stamped} <= set(tab.links)
        assert "<title>" in page.text and "Dernière page d’un passeport" in page.text.partition("</title>")[0]
        assert LAST in page.text and LOGO_TAB in Page(page).links
        assert (support.get(large).status_code, support.get(stamped).status_code) == (200, 403)

    def test_previews_access_the_large_pages_go_with_the_module(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, passport_enabled=False)

        pages = ("premiere-page", "derniere-page")
        assert [as_("head").get(f"{LOGO_TAB}/passeport/{page}").status_code for page in pages] == [404, 404]


class TestPreviewPages:
    def test_preview_pages_a_picture_shows_at_once_and_goes_with_annuler(self, as_: As, world: World) -> None:
        browser = as_("administrator")
        assert pictures.BLUE not in colours_of(browser.get(FIRST)) | colours_of(browser.get(LAST))

        upload(browser, pictures.png(400, 200))
        upload(browser, pictures.png(300, 300), "cachet")

        assert pictures.BLUE in colours_of(browser.get(FIRST))
        assert pictures.BLUE in colours_of(browser.get(LAST))
        for kind in ("logo", "cachet"):
            undo(browser, kind)
        assert pictures.BLUE not in colours_of(browser.get(FIRST)) | colours_of(browser.get(LAST))

    def test_preview_pages_the_address_changes_with_the_pictures_alone(self, as_: As, world: World) -> None:
        browser = as_("administrator")

        def address() -> str:
            text = browser.get(LOGO_TAB).text
            start = text.index(f"{FIRST}?v=")
            return text[start : text.index('"', start)]

        before = address()
        assert address() == before
        upload(browser, pictures.png())
        assert address() != before

    def test_preview_pages_a_browser_that_holds_it_is_sent_nothing(self, as_: As, world: World) -> None:
        browser = as_("administrator")
        first = browser.get(FIRST)

        again = browser.get(FIRST, headers={"If-None-Match": first.headers["ETag"]})
        upload(browser, pictures.png())
        changed = browser.get(FIRST, headers={"If-None-Match": first.headers["ETag"]})

        assert (again.status_code, again.data) == (304, b"")
        assert changed.status_code == 200
        assert "private" in first.headers["Cache-Control"]

    def test_preview_pages_no_pupil_is_in_it(self, app: Flask, class_a: Class_, world: World) -> None:
        from cpro.core import tenancy
        from cpro.passport.pdf import build_pdf_data
        from cpro.passport.previews import invented_portfolio
        from tests.factories import NOW
        from tests.passport.test_pdf import letterhead

        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            data = str(build_pdf_data(invented_portfolio(NOW.date()), letterhead(), code="", now=NOW))

        assert "Camille" in data
        assert not any(word in data for word in ("Agate", "AGATE", SECRET, "Quartz"))
        assert "aucun passeport n’a été émis" in data

    def test_preview_pages_a_closed_gate_does_not_prevent_it(self, app: Flask, as_: As, world: World) -> None:
        set_school(app, world.a.id, name="", email="", uai=None)

        assert as_("administrator").get(FIRST).status_code == 200

    def test_preview_pages_few_pixels_are_reported(self, as_: As, world: World) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(1200, 600))
        assert "compte peu de pixels" not in browser.get(LOGO_TAB).text

        upload(browser, pictures.png(90, 60))

        assert "compte peu de pixels" in browser.get(LOGO_TAB).text


def test_render_preview_is_of_whole_pixels() -> None:
    """Typst makes a picture of a drawing, then drops the rows that do not fit."""
    for size in (level_charts._WIDTH, level_charts._HEIGHT):
        pixels = size / 25.4 * previews._PPI
        assert pixels == pytest.approx(round(pixels), abs=0.01)

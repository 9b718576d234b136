"""Paramètres, the tab Logo: the white of a stamp made transparent."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image, ImageDraw

from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, watching
from tests.helpers.uploads import LOGO_TAB, fetch, shown, stored_files, undo, upload

As = Callable[..., Browser]
URL = f"{LOGO_TAB}/transparence"
IMAGE = f"{LOGO_TAB}/image/cachet-transparent"


def stamp(paper: tuple[int, int, int] = (255, 255, 255)) -> bytes:
    """Return a ring of blue ink on paper, its edges smoothed."""
    drawn = Image.new("RGB", (800, 800), paper)
    ImageDraw.Draw(drawn).ellipse((80, 80, 720, 720), outline=pictures.BLUE, width=60)
    return pictures.encoded(drawn.resize((200, 200), Image.Resampling.LANCZOS), "PNG")


def press(browser: Browser) -> object:
    """Press the button of the page as it is now."""
    page = Page(browser.get(URL))
    version = next(each.get("value") for each in page.main.iter("input") if each.get("name") == "version")
    return browser.post(URL, {"version": version})


def alpha_of(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGBA").getchannel("A")


class TestClearStamp:
    def test_clear_stamp_is_offered_beside_a_stamp_only(self, as_: As) -> None:
        browser = as_("administrator")
        before = Page(browser.get(LOGO_TAB)).text
        upload(browser, pictures.png(), "logo")
        with_a_logo = Page(browser.get(LOGO_TAB)).text
        upload(browser, stamp(), "cachet")

        assert "Rendre le blanc transparent" not in before + with_a_logo
        assert "Rendre le blanc transparent" in Page(browser.get(LOGO_TAB)).text

    def test_clear_stamp_shows_both_on_white_and_on_grey_and_stores_nothing(self, app: Flask, as_: As) -> None:
        browser = as_("head")
        upload(browser, stamp(), "cachet")

        with nothing_written(app):
            page = Page(browser.get(URL))
            cleared = browser.get(IMAGE)

        captions = ["L’original, sur du blanc", "L’original, sur du gris"]
        captions += ["Blanc transparent, sur du blanc", "Blanc transparent, sur du gris"]
        assert [each.text for each in page.main.iter("figcaption")] == captions
        assert alpha_of(cleared.data).getpixel((0, 0)) == 0
        assert cleared.headers["Cache-Control"] == "private, no-cache"
        again = browser.get(IMAGE, headers={"If-None-Match": cleared.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_clear_stamp_stores_what_was_shown_and_can_be_undone(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, stamp(), "cachet")
        seen = browser.get(IMAGE).data

        with watching(app) as watch:
            answer = press(browser)

        assert answer.status_code == 303  # type: ignore[attr-defined]
        assert watch.line["action"] == "picture:cachet:cleared"
        assert fetch(browser, "cachet").data == seen
        assert "Le blanc du cachet est transparent." in Page(browser.get(LOGO_TAB)).flashes[0]
        history = Page(browser.get("/admin/parametres/historique?de=logo")).text
        assert "a rendu transparent le blanc du cachet de l’établissement" in history

        undo(browser, "cachet")
        assert alpha_of(fetch(browser, "cachet").data).getextrema() == (255, 255)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (pictures.encoded(Image.new("RGB", (60, 60), "white"), "PNG"), "Cette image est blanche partout"),
            (pictures.png(), "Cette image n’a pas de fond blanc"),
        ],
    )
    def test_clear_stamp_refuses_what_has_no_white_or_nothing_else(
        self, app: Flask, as_: As, content: bytes, sentence: str
    ) -> None:
        browser = as_("administrator")
        upload(browser, content, "cachet")

        with nothing_written(app):
            answers = [browser.get(URL), browser.post(URL, {"version": "1"}), browser.get(IMAGE)]

        assert [answer.status_code for answer in answers] == [422, 422, 422]
        assert sentence in Page(answers[0]).alerts[0]

    def test_clear_stamp_whose_white_is_transparent_already_is_neither_offered_nor_stored_again(
        self, app: Flask, as_: As
    ) -> None:
        browser = as_("administrator")
        upload(browser, stamp((225, 218, 205)), "cachet")
        assert "Rendre le blanc transparent" in Page(browser.get(LOGO_TAB)).text
        press(browser)

        assert "Rendre le blanc transparent" not in Page(browser.get(LOGO_TAB)).text
        with nothing_written(app):
            answers = [browser.get(URL), browser.post(URL, {"version": "2"}), browser.get(IMAGE)]
        assert [answer.status_code for answer in answers] == [422, 422, 422]
        assert "il n’y a rien à rendre transparent" in Page(answers[0]).alerts[0]

    def test_clear_stamp_another_stamp_meanwhile_is_not_touched(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, stamp(), "cachet")
        page = Page(browser.get(URL))
        version = next(each.get("value") for each in page.main.iter("input") if each.get("name") == "version")
        upload(browser, stamp((250, 250, 240)), "cachet")

        with nothing_written(app):
            answers = [browser.post(URL, {"version": each}) for each in (version, "", "x")]

        assert [answer.status_code for answer in answers] == [409, 409, 409]
        assert "Le cachet a changé entre-temps" in Page(answers[0]).text

    def test_clear_stamp_without_a_stamp_there_is_no_page(self, app: Flask, as_: As) -> None:
        upload(as_("administrator", "b"), stamp(), "cachet")
        browser = as_("administrator")

        with nothing_written(app):
            answers = [browser.get(URL), browser.post(URL, {"version": "1"}), browser.get(IMAGE)]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert shown(browser, "cachet") is None

    def test_clear_stamp_never_reaches_the_other_school(self, app: Flask, as_: As) -> None:
        upload(as_("administrator"), stamp(), "cachet")
        other = as_("administrator", "b")
        upload(other, stamp((255, 250, 250)), "cachet")
        files = len(stored_files(app))

        press(other)

        assert len(stored_files(app)) == files + 1
        assert alpha_of(fetch(as_("administrator"), "cachet").data).getextrema() == (255, 255)
        assert alpha_of(fetch(other, "cachet").data).getpixel((0, 0)) == 0

"""The tab Logo is one form of two files: what each of its buttons deposits."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.uploads import LOGO_TAB as URL
from tests.helpers.uploads import shown, undoable, upload

KINDS = ("logo", "cachet")
As = Callable[..., Browser]


class TestUploadPictureOneForm:
    """A file chosen for one picture is not lost by pressing the button of the other."""

    def _post(self, browser: Browser, address: str, *, pressed: dict[str, str] | None = None, **files: bytes) -> Any:
        data: dict[str, Any] = {**(pressed or {})}
        data |= {kind: (io.BytesIO(files.get(kind, b"")), f"{kind}.png" if kind in files else "") for kind in KINDS}
        answer = browser.post(f"{URL}/{address}", data, content_type="multipart/form-data")
        answer.request.environ["wsgi.input"].close()  # the test client's own copy of what it sent
        return answer

    @pytest.mark.parametrize("pressed", ["logo", "cachet"])
    def test_upload_picture_each_button_deposits_all_that_was_chosen(self, as_: As, pressed: str) -> None:
        browser = as_("administrator")

        answer = self._post(browser, f"televerser/{pressed}", logo=pictures.png(64, 32), cachet=pictures.png(40, 40))

        assert answer.status_code == 303
        assert (shown(browser), shown(browser, "cachet")) == ((64, 32), (40, 40))
        sentence = "Le logo et le cachet de l’établissement sont enregistrés. Vous pouvez annuler pendant 30 jours."
        assert sentence in Page(browser.get(URL)).flashes[0]

    def test_upload_picture_the_button_of_one_deposits_the_other_when_it_alone_was_chosen(self, as_: As) -> None:
        browser = as_("administrator")

        assert self._post(browser, "televerser/logo", cachet=pictures.png(40, 40)).status_code == 303

        assert (shown(browser), shown(browser, "cachet")) == (None, (40, 40))

    def test_upload_picture_a_refused_one_does_not_take_the_other_with_it(self, as_: As) -> None:
        browser = as_("administrator")

        answer = self._post(browser, "televerser/logo", logo=b"%PDF-1.7", cachet=pictures.png(40, 40))

        page = Page(answer)
        assert answer.status_code == 422
        assert page.error("file-logo")
        assert page.error("file-cachet") == ""
        assert "Le cachet de l’établissement est enregistré." in page.flashes[0]
        assert (shown(browser), shown(browser, "cachet")) == (None, (40, 40))

    def test_upload_picture_two_refused_ones_are_both_explained(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            page = Page(self._post(browser, "televerser/logo", logo=b"x", cachet=b"y"))

        assert page.error("file-logo")
        assert page.error("file-cachet")

    def test_upload_picture_two_pictures_of_five_megabytes_are_read(self, app: Flask, as_: As) -> None:
        nearly = pictures.noise(5 * 1024 * 1024 - 10)

        answer = self._post(as_("administrator"), "televerser/logo", logo=nearly, cachet=nearly)

        assert answer.status_code == 422

    def test_undo_picture_change_says_that_a_chosen_file_was_not_deposited(self, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(64, 32))

        self._post(browser, "annuler/logo", pressed=undoable(browser), cachet=pictures.png(40, 40))

        flashes = Page(browser.get(URL)).flashes
        assert any("« cachet.png » n’a pas été déposé : choisissez-le à nouveau." in each for each in flashes)
        assert (shown(browser), shown(browser, "cachet")) == (None, None)

    def test_upload_picture_the_page_is_one_form_of_two_files(self, as_: As) -> None:
        main = Page(as_("administrator").get(URL)).main
        forms = [each for each in main.iter("form") if any(field.get("type") == "file" for field in each.iter("input"))]

        assert len(forms) == 1
        assert [field.get("name") for field in forms[0].iter("input") if field.get("type") == "file"] == [*KINDS]

"""Fields of files: their bounds are those of the server; the script that sends files sees where it is led."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cpro.core.web.uploads import SENT_BY_SCRIPT
from cpro.establishments.imaging import MAX_BYTES, MAX_PIXELS, MAX_SIDE
from cpro.imports.parse.files.extraction import MAX_DEPOSIT_SIZE
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.uploads import LOGO_TAB, shown

As = Callable[..., Browser]
IMPORTS = "/admin/imports"

REFUSED_PICTURES = {
    "nothing": b"",
    "PDF": pictures.pdf(),
    "text": b"<html>",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0",
    "TIFF": b"II*\0\x08\0\0\0",
    "BMP": b"BM\x46\0\0\0",
    "Photoshop": b"8BPS\0\x01",
}
TAKEN_PICTURES = {"PNG": pictures.png, "JPEG": pictures.jpeg, "WebP": pictures.webp}
REFUSED_DEPOSITS = {
    "nothing": b"",
    "blanks": b" \r\n\t" * 16,
    "PDF": b"%PDF-1.7 ",
    "PNG": pictures.png(),
    "7z": b"7z\xbc\xaf\x27\x1c\0",
    "gzip": b"\x1f\x8b\x08\0",
}


def bounds(browser: Browser, address: str, field: str) -> dict[str, Any]:
    """Return what a field of files tells the script."""
    found = next(each for each in Page(browser.get(address)).main.iter("input") if each.get("id") == field)
    told: dict[str, Any] = json.loads(found.get("data-files", ""))
    return told


def told_by_the_page(told: dict[str, Any], content: bytes) -> str:
    """Return why the script would not send a file, "" if it would."""
    start = content[:64].decode("latin-1")
    return next((why for beginning, why in told["refused"] if re.match(beginning, start, re.DOTALL)), "")


class TestBoundFiles:
    def test_bound_files_of_a_picture_are_those_of_the_rule(self, as_: As) -> None:
        for field in ("file-logo", "file-cachet"):
            told = bounds(as_("administrator"), LOGO_TAB, field)

            assert (told["bytes"], told["pixels"], told["side"]) == (MAX_BYTES, MAX_PIXELS, MAX_SIDE)
            assert told["most"] == 1

    def test_bound_files_of_a_deposit_are_those_of_the_rule(self, as_: As) -> None:
        told = bounds(as_("administrator"), IMPORTS, "files")

        assert (told["bytes"], told["most"]) == (MAX_DEPOSIT_SIZE, 30)
        assert told["heavy"].startswith("La limite est de 200\u00a0Mo\u202f:")

    @pytest.mark.parametrize("kind", REFUSED_PICTURES)
    def test_bound_files_a_refused_picture_is_told_in_the_words_of_the_server(self, as_: As, kind: str) -> None:
        browser, content = as_("administrator"), REFUSED_PICTURES[kind]
        told = told_by_the_page(bounds(browser, LOGO_TAB, "file-logo"), content)

        data = {"file": (io.BytesIO(content), "image.png")}
        answer = browser.post(f"{LOGO_TAB}/televerser/logo", data, content_type="multipart/form-data")

        assert answer.status_code == 422
        assert told
        assert Page(answer).error("file-logo").endswith(told.replace("\u202f", " "))

    @pytest.mark.parametrize("kind", TAKEN_PICTURES)
    def test_bound_files_what_the_server_takes_is_not_refused_before(self, as_: As, kind: str) -> None:
        assert told_by_the_page(bounds(as_("administrator"), LOGO_TAB, "file-logo"), TAKEN_PICTURES[kind]()) == ""

    @pytest.mark.parametrize("kind", REFUSED_DEPOSITS)
    def test_bound_files_a_refused_deposit_is_refused_by_the_server(self, as_: As, kind: str) -> None:
        browser, content = as_("administrator"), REFUSED_DEPOSITS[kind]
        told = told_by_the_page(bounds(browser, IMPORTS, "files"), content)

        data = {"files": (io.BytesIO(content), "eleves.xml")}
        answer = browser.post(IMPORTS, data, content_type="multipart/form-data")

        assert told
        assert answer.status_code == 422

    def test_bound_files_tables_and_exports_are_not_refused_before(self, as_: As) -> None:
        told = bounds(as_("administrator"), IMPORTS, "files")

        for content in (b"NOM;PRENOM\r\n", b"<?xml version='1.0'?>", b"PK\x03\x04", b"\xff\xfeN\0O\0"):
            assert told_by_the_page(told, content) == ""


class TestTellRedirection:
    def _post(self, browser: Browser, content: bytes) -> Any:
        data = {"file": (io.BytesIO(content), "logo.png")}
        return browser.post(
            f"{LOGO_TAB}/televerser/logo", data, content_type="multipart/form-data", headers={SENT_BY_SCRIPT: "1"}
        )

    def test_send_redirection_to_script_says_where_to_go_and_the_page_what_was_done(self, as_: As) -> None:
        browser = as_("administrator")

        answer = self._post(browser, pictures.png())

        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Location"] == LOGO_TAB
        assert "Le logo est enregistré." in Page(browser.get(LOGO_TAB)).flashes[0]
        assert shown(browser) == (64, 32)

    def test_send_redirection_to_script_a_refusal_is_the_page_that_shows_it(self, as_: As) -> None:
        answer = self._post(as_("administrator"), b"%PDF")

        assert answer.status_code == 422
        assert Page(answer).error("file-logo")

    def test_send_redirection_to_script_leads_the_signed_out_to_sign_in(self, browser: Callable[[], Browser]) -> None:
        answer = self._post(browser(), pictures.png())

        assert answer.status_code == 204
        assert "/connexion" in answer.headers["Location"]

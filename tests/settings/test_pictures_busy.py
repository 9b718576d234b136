"""The tab Logo while others deposit pictures: each waits for its turn, holding nobody up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from cpro.core.capacity import Capacity
from cpro.establishments import imaging
from tests.helpers import pictures
from tests.helpers.answers import PARTICULARS
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.uploads import LOGO_TAB as URL
from tests.helpers.uploads import upload

As = Callable[..., Browser]


class TestUploadPicture:
    def test_upload_picture_while_others_are_decoded_asks_to_try_again(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = Capacity(1, patience=0.01)
        monkeypatch.setattr(imaging, "_DECODING", busy)
        browser = as_("administrator")

        with busy.take(), nothing_written(app):
            answer = upload(browser, pictures.png())

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "réessayez dans un instant" in Page(answer).text
        assert upload(browser, pictures.png()).status_code == 303

    def test_upload_picture_that_waits_for_its_turn_keeps_nobody_from_saving(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = Capacity(1, patience=60)
        monkeypatch.setattr(imaging, "_DECODING", busy)
        waiting, saving = as_("administrator"), as_("head")
        waiting.get(URL)

        with ThreadPoolExecutor(1) as other, busy.take():
            sent = other.submit(upload, waiting, pictures.png())
            while busy._places._value or not sent.running():  # type: ignore[attr-defined]
                time.sleep(0.01)
            time.sleep(0.2)  # it is in the view by then
            saved = saving.post(PARTICULARS, {**saving.form(PARTICULARS), "city": "Nancy"})

        assert saved.status_code == 303
        assert sent.result().status_code == 303

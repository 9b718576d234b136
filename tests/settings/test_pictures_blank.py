"""Paramètres, the tab Logo: a picture that prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.uploads import LOGO_TAB as URL
from tests.helpers.uploads import upload

As = Callable[..., Browser]


class TestUploadPicture:
    @pytest.mark.parametrize(
        ("mode", "colour", "is_told"),
        [
            ("RGB", (255, 255, 255), True),
            ("RGB", (252, 253, 251), True),
            ("RGBA", (0, 0, 0, 0), True),
            ("RGBA", (10, 10, 10, 2), True),
            ("L", 255, True),
            ("RGB", (240, 240, 200), False),
            ("RGBA", (0, 0, 0, 128), False),
        ],
    )
    def test_upload_picture_that_prints_nothing_is_kept_and_warned_about(
        self, as_: As, mode: str, colour: Any, is_told: bool
    ) -> None:
        browser = as_("administrator")
        content = pictures.encoded(pictures.two_halves(400, 400, mode, colour, colour), "PNG")

        upload(browser, content, "cachet")

        page = Page(browser.get(URL))
        assert ("Cette image est blanche ou transparente partout" in page.text) is is_told
        assert "400 × 400 pixels" in page.text

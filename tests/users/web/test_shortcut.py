"""The one-key shortcut « / » is turned off, and on again, for one device."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.browser import Browser
from tests.helpers.pages import Page

ACCOUNT, SHORTCUT = "/mon-compte", "/mon-compte/raccourci"
As = Callable[..., Browser]


def key_of(browser: Browser) -> str | None:
    """Return the key that the field of the search declares."""
    [field] = [each for each in Page(browser.get(ACCOUNT)).root.iter("input") if each.get("id") == "partout"]
    return field.get("aria-keyshortcuts")


class TestKeep:
    def test_keep_turns_it_off_and_on_again_from_the_page(self, as_: As) -> None:
        teacher, other_device = as_("teacher"), as_("head")
        assert key_of(teacher) == "/"

        answer = teacher.post(SHORTCUT, {"actif": "non"}, follow_redirects=True)
        assert "la touche « / » ne fait plus rien" in Page(answer).text
        assert key_of(teacher) is None
        assert key_of(other_device) == "/"

        teacher.post(SHORTCUT, {"actif": "oui"})
        assert key_of(teacher) == "/"

    def test_keep_the_cookie_holds_nothing_of_a_person(self, as_: As) -> None:
        [cookie] = [
            each for each in as_("teacher").post(SHORTCUT, {}).headers.getlist("Set-Cookie") if "raccourci" in each
        ]

        assert cookie.startswith("cpro_raccourci=non;")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

"""An id or a code that no row has, whatever it looks like: an answer that says so, never a failure of the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from cpro.core.ticked_rows import NoSuchRow
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.screens import screens

ODD_IDS = ["mot", "", "0", "-1", "1.5", "٣", "2147483648", "99999999999", "9" * 20, "9" * 5000]


@pytest.mark.parametrize("odd", ODD_IDS, ids=lambda text: text[:20] or "blank")
class TestOddIds:
    def test_odd_id_is_not_found(self, migrated_app: Flask, as_: Callable[..., Browser], odd: str) -> None:
        browser = as_("administrator")

        for screen in screens(migrated_app):
            if browser.get(f"{screen.url}/").status_code == 403:
                continue  # not the administrator's
            assert browser.get(f"{screen.url}/details/?id={odd}").status_code == 404, screen.title

    def test_odd_id_is_no_row_that_was_ticked(self, as_: Callable[..., Browser], world: World, odd: str) -> None:
        browser = as_("administrator")
        teacher = world.a.account_ids["teacher"]

        answer = browser.post("/admin/utilisateurs/action/", {"action": "deactivate", "rowid": [teacher, odd]})

        assert answer.status_code == 303
        assert Page(browser.get("/admin/utilisateurs/")).says(NoSuchRow.message)


@pytest.mark.parametrize("code", ["\x00", "2ALP\x00", "9" * 5000])
def test_odd_code_is_refused(as_: Callable[..., Browser], code: str) -> None:
    browser = as_("administrator")
    wording = {"key": "links", "wording": "Liens utiles"}
    person = {"role": "teacher", "last_name": "Mica", "first_name": "Zoé"}

    assert browser.post("/admin/masques/new/", {**wording, "diploma": code}).status_code == 422
    assert browser.post("/admin/utilisateurs/new/", {**person, "divisions": code}).status_code == 422
    assert browser.post("/admin/parametres/masques", {"diplome": code}).status_code == 404

"""A list opened anew offers its last filter again; rows close together stay so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
LIST = "/admin/eleves/"


@pytest.fixture(autouse=True)
def pupil(world: World, arrange: Look) -> None:
    """Give the school a pupil who left."""
    with arrange() as session:
        session.add(make_student(world.a.id, last_name="MICA A", first_name="Léo", is_active=False))


class TestCloseRows:
    def test_close_rows_are_kept_in_every_list_until_asked_otherwise(self, as_: As) -> None:
        browser = as_("administrator")
        assert "listing-close" not in browser.get(LIST).text
        browser.get(f"{LIST}?rangs=serres")
        assert "listing-close" in browser.get("/admin/divisions/").text
        assert "listing-close" in browser.get(f"{LIST}?rangs=autre").text

        browser.get(f"{LIST}?rangs=normaux")

        assert "listing-close" not in browser.get("/admin/divisions/").text


class TestInUse:
    def test_in_use_each_filter_is_seen_and_one_press_takes_it_away(self, as_: As) -> None:
        page = Page(as_("administrator").get(f"{LIST}?recherche=mica&situation=partis&lignes=50"))

        assert f"{LIST}?recherche=mica&lignes=50" in page.links
        assert f"{LIST}?situation=partis&lignes=50" in page.links

    def test_in_use_the_last_filter_is_offered_not_applied(self, as_: As) -> None:
        browser = as_("administrator")
        assert "Reprendre" not in Page(browser.get(LIST)).text
        browser.get(f"{LIST}?situation=partis")

        page = Page(browser.get(LIST))

        assert "Reprendre : partis" in page.text
        assert f"{LIST}?situation=partis" in page.links
        assert "MICA A" in page.text

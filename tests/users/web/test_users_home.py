"""Where each role lands."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.helpers.browser import Browser

LANDINGS = {
    "administrator": "/admin/",
    "head": "/admin/",
    "teacher": "/eleves",
    "student": "/eleves/moi",
    "support": "/ecoles",
    "inspector": "/ecoles",
}
PARTICULARS = "/admin/parametres/etablissement"


def links_of(page: str) -> set[str]:
    """Return every address a page leads to."""
    return {html.unescape(each) for each in re.findall(r'(?:href|src)="([^"#][^"]*)"', page)}


class TestHome:
    @pytest.mark.parametrize("role", LANDINGS)
    def test_home_each_role_lands_on_a_page_of_its_own(self, as_: Callable[..., Browser], role: str) -> None:
        answer = as_(role).get("/", follow_redirects=True)

        assert answer.status_code == 200
        assert answer.request.path == LANDINGS[role]

    @pytest.mark.parametrize("role", LANDINGS)
    def test_home_has_no_dead_link(self, as_: Callable[..., Browser], role: str) -> None:
        browser = as_(role)
        links = links_of(browser.get("/", follow_redirects=True).text)
        assert "/mon-compte" in links

        for link in links:
            assert urlsplit(link).netloc == "", f"{link} leaves the site"
            answer = browser.get(link)
            answer.close()
            assert answer.status_code in (200, 303), link
            if answer.status_code == 303:
                assert not answer.location.startswith("/connexion"), link

    @pytest.mark.parametrize("role", LANDINGS)
    def test_home_no_menu_leads_where_one_may_not_go(self, as_: Callable[..., Browser], role: str) -> None:
        browser = as_(role, enter="a") if role == "support" else as_(role)

        for link in links_of(browser.get("/", follow_redirects=True).text):
            answer = browser.get(link, follow_redirects=True)
            answer.close()
            assert answer.status_code == 200, link

    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_home_teachers_and_students_have_no_screen_of_the_administration(
        self, as_: Callable[..., Browser], role: str
    ) -> None:
        browser = as_(role)

        assert browser.get("/admin/").status_code == 403
        assert browser.get(PARTICULARS).status_code == 403
        assert browser.get("/ecoles").status_code == 403

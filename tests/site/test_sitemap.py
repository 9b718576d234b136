"""The map of the site holds all that the menu, the tabs and help lead to, for each role, and no dead link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from cpro.settings.tabs import TABS
from cpro.site.help import HELP_PAGES
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]
_NAV = re.compile(r"<nav.*?</nav>", re.S)
_HREF = re.compile(r'<a [^>]*href="([^"]+)"')
PEOPLE = [
    *((role, None) for role in ("administrator", "head", "teacher", "student", "support", "inspector")),
    ("support", "a"),
]


def shown_in_navigation(page: str) -> set[str]:
    """Return the addresses of the menu and of the tabs of a page."""
    return {link for nav in _NAV.findall(page) for link in _HREF.findall(nav)}


@pytest.mark.parametrize(("role", "enter"), PEOPLE)
def test_sitemap_holds_what_the_menu_the_tabs_and_help_lead_to(as_: As, role: str, enter: str | None) -> None:
    browser = as_(role, enter=enter)
    page = browser.get("/plan-du-site").text
    links = set(Page(browser.get("/plan-du-site")).links)
    menu = shown_in_navigation(page)
    pages = {link for each in menu for link in shown_in_navigation(browser.get(each, follow_redirects=True).text)}

    assert menu | pages <= links
    assert {f"/aide/{slug}" for slug in HELP_PAGES} <= links
    assert 'href="/plan-du-site"' in page[page.index("<footer") :]


@pytest.mark.parametrize(("role", "enter"), PEOPLE)
def test_sitemap_leads_only_to_what_one_may_open(as_: As, role: str, enter: str | None) -> None:
    browser = as_(role, enter=enter)
    statuses = {link: browser.get(link).status_code for link in Page(browser.get("/plan-du-site")).links}

    assert {link: status for link, status in statuses.items() if status != 200} == {}


def test_sitemap_of_a_stranger_names_no_page_of_a_school(browser: Callable[[], Browser]) -> None:
    stranger = browser()
    links = Page(stranger.get("/plan-du-site")).links

    assert {"/connexion", "/activation", "/mentions/accessibilite", "/verifier"} <= set(links)
    assert not [link for link in links if link.startswith(("/admin", "/aide", "/mon-compte", "/eleves"))]
    assert {link: stranger.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_sitemap_names_each_page_once_as_its_tab_does(as_: As) -> None:
    page = Page(as_("administrator").get("/plan-du-site"))
    labels = [text_of(link) for link in page.main.iter("a")]

    assert {tab.label for tab in TABS} - set(labels) == {"Modules"}  # the head's
    assert len(page.links) == len(set(page.links)) + 1  # « Paramètres » opens its first tab

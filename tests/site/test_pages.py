"""Help: every page of the list opens, in its order, and no page of help is left out of the list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from cpro.config import PROJECT_ROOT
from cpro.core.clock import utcnow
from cpro.site.help import HELP_PAGES
from cpro.site.operator_powers import OPERATOR_POWERS
from cpro.transfers.models import TransferState
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "help"
As = Callable[..., Browser]


def test_security_contact_says_whom_to_tell_and_until_when(
    app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", "securite@cpro.example")

    answer = browser().get("/.well-known/security.txt")

    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert answer.mimetype == "text/plain"
    assert fields["Contact"] == "mailto:securite@cpro.example"
    assert fields["Canonical"] == "https://cpro.example/.well-known/security.txt"
    assert timedelta(days=30) < datetime.fromisoformat(fields["Expires"]) - utcnow() < timedelta(days=365)


def test_security_contact_is_not_served_without_an_address(browser: Callable[[], Browser]) -> None:
    assert browser().get("/.well-known/security.txt").status_code == 404


def test_robots_reads_nothing(browser: Callable[[], Browser]) -> None:
    assert browser().get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_favicon_is_a_picture(browser: Callable[[], Browser]) -> None:
    answer = browser().get("/favicon.ico")

    assert Image.open(BytesIO(answer.data)).format == "ICO"
    answer.close()


def test_help_pages_are_one_for_each_template() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.html")} - {"base", "index"} == {*HELP_PAGES}


def test_help_links_lead_to_sections_that_exist() -> None:
    links = [
        link
        for path in TEMPLATES.parent.rglob("*.html")
        for link in re.findall(r"pages\.help_page', slug='([\w-]+)', _anchor='([\w-]+)'", path.read_text())
    ]

    assert {("utilisateurs", "qui-a-acces"), ("parcours", "chiffres")} <= {*links}
    for slug, anchor in links:
        assert f'<h2 id="{anchor}">' in (TEMPLATES / f"{slug}.html").read_text(), (slug, anchor)


def test_help_page_opens_and_lists_all_in_their_order(as_: As) -> None:
    browser = as_("head")

    for slug in HELP_PAGES:
        page = Page(browser.get(f"/aide/{slug}"))
        tabs = next(each for each in page.main.iter("nav") if each.get("aria-label") == "Pages d’aide")
        links = [*tabs.iter("a")]

        assert [each.text for each in links] == [*HELP_PAGES.values()]
        assert [each.get("href") for each in links if each.get("aria-current")] == [f"/aide/{slug}"]


def test_help_on_transfers_says_their_states_as_the_screens_do(as_: As) -> None:
    told = Page(as_("head").get("/aide/transferts")).text.lower()

    assert [each for each in TransferState if each.label.lower().rpartition(": ")[2] not in told] == []


def test_help_index_leads_to_every_page_and_every_page_to_it(as_: Callable[..., Browser]) -> None:
    browser = as_("student")
    found = [each.get("href") for each in Page(browser.get("/aide")).main.iter("a")]

    assert found == [*(f"/aide/{slug}" for slug in HELP_PAGES), "/probleme", "/mentions/administration"]
    assert 'href="/aide"' in browser.get(found[0]).text
    assert 'href="/aide"' not in Browser(browser.client.application).get("/connexion").text


def test_help_page_an_unknown_page_is_not_found(as_: As) -> None:
    answer = as_("head").get("/aide/rien")

    assert answer.status_code == 404
    assert "Cette page d’aide n’existe pas." in Page(answer).text


class TestOperator:
    @pytest.mark.parametrize(
        ("entity", "address", "told"),
        [
            ("", "", "Cette équipe n’a indiqué ici ni son nom ni son adresse."),
            ("L’académie d’Exemple", "", "Aucune adresse n’est indiquée pour l’équipe."),
            ("", "aide@cpro.example", "Son adresse : aide@cpro.example."),
            ("L’académie d’Exemple", "aide@cpro.example", "mis à disposition par L’académie d’Exemple."),
        ],
    )
    def test_operator_says_who_it_is_or_that_nothing_was_configured(
        self,
        app: Flask,
        browser: Callable[[], Browser],
        monkeypatch: pytest.MonkeyPatch,
        entity: str,
        address: str,
        told: str,
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_ENTITY", entity)
        monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", address)

        page = Page(browser().get("/mentions/administration"))

        assert told in page.text
        assert [each for each in page.links if each.startswith("mailto:")] == ([f"mailto:{address}"] if address else [])
        assert ("la personne ou au service qui a ouvert CPro" in page.text) is not bool(address)

    def test_operator_has_the_powers_of_commands_that_there_are(self) -> None:
        paper = (PROJECT_ROOT / "docs" / "commandes.md").read_text(encoding="utf-8")

        assert [each for _words, commands in OPERATOR_POWERS for each in commands if f"| `{each}` |" not in paper] == []

    @pytest.mark.parametrize("path", ["/aide", "/aide/urgence", "/aide/utilisateurs", "/aide/inspecteurs"])
    def test_operator_is_reached_from_the_sentences_that_name_it(self, as_: As, path: str) -> None:
        assert "/mentions/administration" in Page(as_("head").get(path)).links

    def test_operator_is_reached_from_the_foot_of_every_page(self, browser: Callable[[], Browser]) -> None:
        assert 'href="/mentions/administration"' in browser().get("/connexion").text

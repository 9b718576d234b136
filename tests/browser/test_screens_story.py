"""Delete one row, act on several, without a mouse and without a script: each time after a confirmation."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scenes import press
from tests.browser.screen_scenes import DIPLOMAS, SHEETS, USERS
from tests.helpers.chromium import Site

WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])


@pytest.fixture
def page(site: Site, javascript: bool) -> Page:
    """Return the browser of the administrator."""
    return site.visitor("administrateur@lovelace", javascript=javascript)


def _create_diploma(site: Site, page: Page, code: str) -> str:
    """Create a diploma of the school's own; return what people call it."""
    name = f"Diplôme {code}"
    page.goto(f"{DIPLOMAS}new/")
    press("Valider", code=code, label=name, short_label=name)(site, page)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return name


def _create_teacher(site: Site, page: Page, last_name: str) -> None:
    page.goto(f"{USERS}new/")
    press("Valider", last_name=last_name, first_name="Camille")(site, page)
    expect(page.locator(".flash")).to_contain_text("Imprimez sa fiche d’activation")


@WITH_AND_WITHOUT
class TestDelete:
    def test_asks_once_and_deletes(self, site: Site, page: Page, javascript: bool) -> None:
        name = _create_diploma(site, page, f"CONF-{javascript:d}")

        page.get_by_role("link", name="Supprimer").click()
        expect(page.get_by_role("main")).to_contain_text(f"Supprimer {name}")
        page.get_by_role("link", name="Ne rien changer").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.get_by_role("link", name="Supprimer").click()
        page.get_by_role("button", name=f"Supprimer {name}").click()

        expect(page.locator(".flash")).to_contain_text("Suppression faite")
        expect(page.locator("tbody")).not_to_contain_text(name)

    def test_with_the_keyboard_alone(self, site: Site, page: Page, javascript: bool) -> None:
        name = _create_diploma(site, page, f"CLAV-{javascript:d}")

        page.get_by_role("link", name="Supprimer").focus()
        page.keyboard.press("Enter")
        button = page.get_by_role("button", name=f"Supprimer {name}")
        expect(button).to_be_visible()
        _tab_to(page, f"Supprimer {name}")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")

        expect(page.locator(".flash")).to_contain_text("Suppression faite")


@WITH_AND_WITHOUT
class TestSeveralRows:
    def test_asks_once_naming_them_and_acts(self, site: Site, page: Page, javascript: bool) -> None:
        self._the_head_lets_teachers_open_at_once(site)
        suffix = "avec" if javascript else "sans"
        for name in ("Azurite", "Olivine"):
            _create_teacher(site, page, f"{name}-{suffix}")
        page.goto(f"{USERS}?recherche={suffix}")

        for name in ("AZURITE", "OLIVINE"):
            _tab_to(page, f"Cocher Camille {name}-{suffix.upper()} (camille.{name.lower()}-{suffix})")
            page.keyboard.press("Space")
        page.get_by_role("button", name="Continuer").click()
        expect(page.get_by_role("main")).to_contain_text(f"Camille AZURITE-{suffix.upper()}")
        page.get_by_role("link", name="Ne rien changer").click()
        expect(_states(page, suffix)).to_have_text(["jamais activé", "jamais activé"])

        page.goto(f"{USERS}?recherche={suffix}")
        for name in ("AZURITE", "OLIVINE"):
            page.get_by_label(f"Cocher Camille {name}-{suffix.upper()}").check()
        page.get_by_role("button", name="Continuer").click()
        page.get_by_role("button", name="Désactiver 2 utilisateurs").click()

        expect(page.locator(".flash")).to_contain_text("2 comptes désactivés")
        expect(_states(page, suffix)).to_have_text(["désactivé", "désactivé"])

    def _the_head_lets_teachers_open_at_once(self, site: Site) -> None:
        page = site.visitor("chef@lovelace")
        page.goto(f"{USERS}accord-enseignants")
        page.get_by_label("Aucun").check()
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.locator(".flash")).to_be_visible()

    def test_says_what_to_do_when_nothing_is_ticked(self, page: Page) -> None:
        page.goto(USERS)

        page.get_by_role("button", name="Continuer").click()

        expect(page.locator(".flash")).to_contain_text("Cochez d’abord des lignes")


def _states(page: Page, suffix: str) -> object:
    """Return the cells that tell where the accounts of this run stand."""
    return (
        page.locator("tbody tr")
        .filter(has_text=re.compile(f"-{suffix.upper()}"))
        .get_by_role("cell", name=re.compile("^(jamais activé|désactivé)$"))
    )


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what has this name."""
    for _ in range(150):
        page.keyboard.press("Tab")
        words = page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.innerText ?? '').trim()")
        if words == name:
            return
    pytest.fail(f"the keyboard never reaches « {name} »")


@WITH_AND_WITHOUT
class TestSheets:
    def test_a_division_chosen_is_never_ignored(self, site: Site, page: Page, javascript: bool) -> None:
        page.goto(f"{SHEETS}?pour=sans-code")
        division = page.get_by_label("Division", exact=True)
        division.select_option(index=1)
        chosen = division.input_value()

        if javascript:
            expect(page.get_by_label("Les élèves d’une division")).to_be_checked()
        else:
            page.get_by_role("button", name="Préparer les fiches").click()
            expect(page.locator("#division-erreur")).to_contain_text("Ce choix ne va pas avec la réponse cochée")
            expect(page.get_by_label("Division", exact=True)).to_have_value(chosen)

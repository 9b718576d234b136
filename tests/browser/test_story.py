"""The first morning of an administrator, whole, with scripts and without: nothing may need one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.scenes import MASKS, PARTICULARS, PICTURES, TRANSFERS, end_sign_in
from tests.helpers.chromium import PASSWORD, Site, sign_in
from tests.helpers.pictures import jpeg, png
from tests.helpers.platform import Platform, as_owner, empty_postgresql_schema

#: The picture deposited, beside which stands the page that it will be printed on.
PICTURE = "img[src*='/logo/image/']"


@pytest.fixture(scope="module", params=[True, False], ids=["with scripts", "without scripts"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Return whether scripts run: everything below is lived both ways."""
    return bool(request.param)


@pytest.fixture(scope="module")
def whole_site(javascript: bool, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield a platform just started, for each way of browsing; on PostgreSQL where the suite runs there."""
    settings, tested_on = {"CPRO_DEMO_PASSWORD": PASSWORD}, os.environ.get("CPRO_TEST_DATABASE_URL", "")
    with ExitStack() as until_the_end:
        if tested_on:
            settings["CPRO_DATABASE_URL"] = until_the_end.enter_context(empty_postgresql_schema(tested_on))
            settings["CPRO_MIGRATION_DATABASE_URL"] = as_owner(settings["CPRO_DATABASE_URL"])
        platform = Platform(tmp_path_factory.mktemp("site"), settings)
        yield Site(until_the_end.enter_context(platform), chromium)


@pytest.fixture
def page(site: Site, javascript: bool) -> Page:
    """Return the browser of somebody signed out."""
    return site.visitor(javascript=javascript)


class TestFirstMorning:
    def test_an_administrator_configures_the_school(self, page: Page, javascript: bool) -> None:
        sign_in(page, "CHATELET", "administrateur")

        self._the_dashboard_says_what_is_missing(page)
        self._a_wrong_uai_is_refused_and_nothing_typed_is_lost(page)
        self._the_particulars_are_saved(page)
        self._transfers_are_activated(page)
        self._masks_are_worded_and_reset(page, javascript)
        self._pictures_come_and_go(page)
        self._signing_out_closes_the_door(page)

    def _the_dashboard_says_what_is_missing(self, page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text("Tableau de bord")
        expect(page.get_by_role("listitem").filter(has_text="Renseigner l’établissement")).to_contain_text("(à faire)")
        expect(page.get_by_role("main")).to_contain_text("adresse électronique")

    def _a_wrong_uai_is_refused_and_nothing_typed_is_lost(self, page: Page) -> None:
        page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Paramètres").click()
        page.get_by_label("Code UAI").fill("0940321S")
        page.get_by_label("Ville").fill("Exempleville-sur-Watt")
        page.get_by_role("button", name="Valider").click()

        summary = page.locator(".error-summary")
        expect(summary).to_be_focused()
        expect(page.get_by_label("Code UAI")).to_have_value("0940321S")
        expect(page.get_by_label("Ville")).to_have_value("Exempleville-sur-Watt")
        expect(page.get_by_label("Code UAI")).to_have_attribute("aria-invalid", "true")
        summary.get_by_role("link", name=re.compile("UAI")).click()
        expect(page.get_by_label("Code UAI")).to_be_focused()

    def _the_particulars_are_saved(self, page: Page) -> None:
        page.get_by_label("Code UAI").fill("0999002x")
        page.get_by_label("Adresse électronique", exact=True).fill("secretariat@chatelet.example")
        page.get_by_role("button", name="Valider").click()

        expect(page.locator(".flash")).to_contain_text("Adresse électronique")
        expect(page.get_by_label("Code UAI")).to_have_value("0999002X")
        page.goto("/admin/")
        expect(page.get_by_role("listitem").filter(has_text="Renseigner l’établissement")).to_contain_text("(fait)")

    def _transfers_are_activated(self, page: Page) -> None:
        page.goto(TRANSFERS)
        page.get_by_role("group", name="Activer les transferts").get_by_label("Oui").check()
        page.get_by_role("button", name="Valider").click()
        expect(page.locator(".error-summary")).to_be_focused()

        page.locator("[name=cnil_kind][value=registre]").check()
        page.locator("[name=cnil_reference]").fill("Registre des traitements, fiche 7")
        page.get_by_role("button", name="Valider").click()

        expect(page.locator(".flash")).to_contain_text("Activer les transferts")
        expect(page.get_by_role("group", name="Activer les transferts").get_by_label("Oui")).to_be_checked()

    def _masks_are_worded_and_reset(self, page: Page, javascript: bool) -> None:
        page.goto(MASKS)
        chooser = page.get_by_role("main").get_by_label("Diplôme")
        chooser.select_option("40025520")
        page.get_by_role("button", name="Afficher").click()
        page.locator("[name=description]").fill("Le chantier")
        page.locator("[name=links]").fill("Documents du constructeur")
        page.get_by_role("button", name="Valider").click()
        expect(page.locator(".flash")).to_contain_text("Bac pro MELEC")
        expect(page.locator("[name=description]")).to_have_value("Le chantier")

        page.get_by_role("button", name=re.compile("Rétablir.*Liens")).click()
        expect(page.get_by_role("main")).to_contain_text("Documents du constructeur")
        page.get_by_role("main").get_by_role("button").click()
        expect(page.locator("[name=links]")).to_have_value("")
        expect(page.locator("[name=description]")).to_have_value("Le chantier")

        page.get_by_role("link", name=re.compile("Réinitialiser")).click()
        page.get_by_role("link", name="Ne rien changer").click()
        expect(page.locator("[name=description]")).to_have_value("Le chantier")
        page.get_by_role("link", name=re.compile("Réinitialiser")).click()
        page.get_by_role("main").get_by_role("button").click()
        expect(page.locator("[name=description]")).to_have_value("")

    def _pictures_come_and_go(self, page: Page) -> None:
        page.goto(PICTURES)
        logo, stamp = page.get_by_role("region", name="Logo"), page.get_by_role("region", name="Cachet")
        for region, name, content in ((logo, "logo.jpg", jpeg(640, 320)), (stamp, "cachet.png", png(300, 300))):
            region.locator("[type=file]").set_input_files({"name": name, "mimeType": "image/*", "buffer": content})
            region.get_by_role("button", name=re.compile("^Télécharger")).click()
            expect(region.locator(PICTURE)).to_be_visible()

        logo.get_by_role("link", name=re.compile("Supprimer")).click()
        page.get_by_role("button", name="Supprimer le logo").click()
        expect(logo.locator(PICTURE)).to_have_count(0)
        expect(stamp.locator(PICTURE)).to_be_visible()

        logo.get_by_role("button", name=re.compile("Annuler")).click()
        expect(logo.locator(PICTURE)).to_be_visible()

    def _signing_out_closes_the_door(self, page: Page) -> None:
        page.get_by_role("button", name="Se déconnecter").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")

        page.goto(PARTICULARS)
        expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")


class TestSessionExpiry:
    def test_what_was_typed_comes_back_after_signing_in_and_is_not_applied(self, site: Site, page: Page) -> None:
        sign_in(page, "lovelace", "administrateur")
        page.goto(PARTICULARS)
        before = page.get_by_label("Ville").input_value()
        page.get_by_label("Ville").fill("Tapé avant la fin de la session")
        end_sign_in(site)

        page.get_by_role("button", name="Valider").click()
        expect(page.get_by_role("main")).to_contain_text("Votre session a pris fin")
        sign_in(page, "lovelace", "administrateur")

        expect(page.get_by_label("Ville")).to_have_value("Tapé avant la fin de la session")
        expect(page.get_by_role("main")).to_contain_text("Saisie retrouvée")
        elsewhere = site.visitor("chef@lovelace")
        elsewhere.goto(PARTICULARS)
        expect(elsewhere.get_by_label("Ville")).to_have_value(before)

        page.get_by_role("link", name="Abandonner cette saisie").click()
        expect(page.get_by_label("Ville")).to_have_value(before)

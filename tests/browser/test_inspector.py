"""Administrator, head, inspector: three people, three browsers, one visit from its opening to its closing."""

from __future__ import annotations

import email
import re
from email import policy

from playwright.sync_api import Page, expect

from tests.browser.scenes import INSPECTORS
from tests.helpers.chromium import PASSWORD, Site
from tests.helpers.days import days_from_today, today
from tests.helpers.office import CODE

ADDRESS = "claire.fer@ac-test.example"


class TestAVisit:
    def test_from_its_opening_to_its_closing(self, site: Site) -> None:
        administrator, head = site.visitor("administrateur@lovelace"), site.visitor("chef@lovelace")
        inspector = site.visitor()

        self._the_administrator_reads_who_can(administrator)
        self._the_head_opens_it(head)
        self._the_inspector_chooses_a_password(site, inspector)
        self._the_inspector_reads_within_the_diploma(inspector)
        self._the_head_reads_what_was_consulted(head)
        self._the_module_off_leads_out_and_on_lets_in(head, inspector)
        self._the_head_closes_and_the_next_page_is_refused(head, inspector)

    def _the_administrator_reads_who_can(self, page: Page) -> None:
        page.goto(INSPECTORS)

        expect(page.get_by_role("main")).to_contain_text("Claude BASALTE")
        expect(page.get_by_role("main").get_by_role("textbox")).to_have_count(0)
        expect(page.get_by_role("link", name="Modules", exact=True)).to_have_count(0)

    def _the_head_opens_it(self, page: Page) -> None:
        page.goto(INSPECTORS)
        page.get_by_label("Nom de l’inspecteur").fill("Claire Fer")
        page.get_by_label("Adresse académique").fill("claire.fer@gmail.com")
        page.get_by_label("Premier jour").fill(today().isoformat())
        page.get_by_label("Dernier jour").fill(days_from_today(7).isoformat())
        page.get_by_label("Bac pro MELEC").check()
        page.get_by_label("Objet").fill("Visite de la terminale MELEC")
        page.get_by_role("button", name="Ouvrir l’accès").click()

        expect(page.locator(".error-summary")).to_be_focused()
        expect(page.get_by_label("Bac pro MELEC")).to_be_checked()
        page.get_by_label("Adresse académique").fill(ADDRESS)
        page.get_by_role("button", name="Ouvrir l’accès").click()

        expect(page.locator(".flash")).to_contain_text("Claire Fer")
        expect(page.get_by_role("region", name="En cours", exact=True)).to_contain_text("Bac pro MELEC")

    def _the_inspector_chooses_a_password(self, site: Site, page: Page) -> None:
        (path,) = (site.platform.folder / "instance" / "mail").glob("*.eml")
        text = str(email.message_from_bytes(path.read_bytes(), policy=policy.default).get_content())
        code, link = CODE.search(text), re.search(r"https?://\S*(/activation\S*)", text)
        assert code and link

        page.goto(link[1])
        expect(page.get_by_label("Identifiant")).to_have_value(ADDRESS)
        page.get_by_label("Code d’activation").fill(code[0])
        page.get_by_label("Nouveau mot de passe").fill(PASSWORD)
        page.get_by_label("Le même").fill(PASSWORD)
        page.get_by_role("button", name="Enregistrer et se connecter").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Choisir un établissement")

    def _the_inspector_reads_within_the_diploma(self, page: Page) -> None:
        expect(page.get_by_role("main")).not_to_contain_text("Châtelet")
        page.get_by_role("button", name=re.compile("Entrer")).click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Parcours des apprenants")
        menu = page.get_by_role("navigation", name="Menu principal")
        expect(menu.get_by_role("link")).to_have_text(["Parcours des apprenants", "Scénarios", "Élèves", "Paramètres"])
        expect(page.get_by_role("main")).to_contain_text("TMELEC")
        page.goto("/admin/divisions/")
        expect(page.get_by_role("main")).not_to_contain_text("1CAP")
        page.goto("/admin/parametres/etablissement")
        expect(page.get_by_label("Nom de l’établissement")).to_be_disabled()
        expect(page.get_by_role("button", name="Valider")).to_have_count(0)

    def _the_head_reads_what_was_consulted(self, page: Page) -> None:
        page.goto(INSPECTORS)
        page.get_by_role("link", name=re.compile("Consultations")).click()

        expect(page.get_by_role("region", name="Consultations", exact=True)).to_contain_text("3 pages lues")
        expect(page.get_by_role("region", name="Consultations", exact=True)).to_contain_text("Divisions")

    def _the_module_off_leads_out_and_on_lets_in(self, head: Page, inspector: Page) -> None:
        head.goto("/admin/parametres/modules")
        expect(head.get_by_role("complementary")).to_contain_text("1 accès en cours")
        head.get_by_role("group", name="Accès inspecteur").get_by_label("Non").check()
        head.get_by_role("button", name="Valider").click()

        inspector.goto("/admin/eleves/")
        expect(inspector.locator(".flash")).to_contain_text("a pris fin")
        expect(inspector.get_by_role("main")).to_contain_text("Aucun établissement ne vous a ouvert d’accès")

        head.get_by_role("group", name="Accès inspecteur").get_by_label("Oui").check()
        head.get_by_role("button", name="Valider").click()
        inspector.goto("/ecoles")
        inspector.get_by_role("button", name=re.compile("Entrer")).click()
        expect(inspector.get_by_role("heading", level=1)).to_have_text("Parcours des apprenants")

    def _the_head_closes_and_the_next_page_is_refused(self, head: Page, inspector: Page) -> None:
        head.goto(INSPECTORS)
        head.get_by_role("link", name=re.compile("^Fermer")).click()
        head.get_by_label("Raison").fill("Visite terminée")
        head.get_by_role("button", name="Fermer l’accès").click()
        expect(head.get_by_role("region", name="Fermés", exact=True)).to_contain_text("Visite terminée")

        inspector.goto("/admin/divisions/")

        expect(inspector.get_by_role("heading", level=1)).to_have_text("Choisir un établissement")
        expect(inspector.locator(".flash")).to_contain_text("a pris fin")

"""A password field shows what is typed when asked, says that capitals are locked, and is hidden again once sent."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.helpers.chromium import PASSWORD, Site


class TestPasswords:
    def test_password_shown_with_a_button_then_sent(self, site: Site) -> None:
        page = site.visitor()
        page.goto("/connexion")
        secret = page.get_by_label("Mot de passe")
        button = page.get_by_role("button", name="Afficher ce qui est tapé")
        page.get_by_label("Établissement").fill("lovelace")
        page.get_by_label("Identifiant").fill("enseignante")
        secret.fill(PASSWORD)

        button.click()
        expect(secret).to_have_attribute("type", "text")
        expect(button).to_have_attribute("aria-pressed", "true")
        button.click()
        expect(secret).to_have_attribute("type", "password")
        button.click()
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url(lambda address: "/connexion" not in address)

        page.get_by_role("button", name="Se déconnecter").click()
        page.wait_for_load_state("networkidle")
        expect(page.get_by_label("Établissement")).to_have_value("lovelace")
        expect(page.get_by_label("Identifiant")).to_have_value("")

    def test_capitals_locked_are_said(self, site: Site) -> None:
        page = site.visitor()
        page.goto("/connexion")
        secret = page.get_by_label("Mot de passe")

        for locked, said in ((True, "Les majuscules sont verrouillées sur ce clavier."), (False, "")):
            secret.evaluate(
                "(field, locked) => field.dispatchEvent(new KeyboardEvent('keydown', "
                "{ key: 'A', modifierCapsLock: locked, bubbles: true }))",
                locked,
            )
            expect(page.locator(".password-capitals")).to_have_text(said)

    def test_without_script_the_field_is_an_ordinary_one(self, site: Site) -> None:
        page = site.visitor(javascript=False)
        page.goto("/connexion")

        expect(page.get_by_role("button", name="Afficher")).to_have_count(0)
        expect(page.get_by_label("Mot de passe")).to_have_attribute("type", "password")

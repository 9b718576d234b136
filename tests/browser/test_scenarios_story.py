"""Writing a scenario: the editor without a mouse, what is pasted, the masks changed meanwhile in another browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.scenario_scenes import save
from tests.helpers.chromium import Site

#: Whatever draft an earlier story left.
NEW = "/scenarios/nouveau?brouillon=aucun"
MASKS = "/admin/parametres/masques?diplome=40025520"

_PASTE = """([element, html]) => {
  const data = new DataTransfer();
  data.setData("text/html", html);
  data.setData("text/plain", "texte seul");
  element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


class TestEditor:
    def test_is_used_with_the_keyboard_alone(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        page.get_by_label("Titre").fill("Écrit au clavier")
        words = page.get_by_role("textbox", name="Description")
        words.focus()

        page.keyboard.type("Un mot ")
        page.keyboard.press("Control+b")
        page.keyboard.type("gras")
        page.keyboard.press("Control+b")
        page.keyboard.press("Enter")
        page.keyboard.type("Premier")
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("toolbar", name="Description").get_by_role("button", name="Gras")).to_be_focused()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(words).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.keyboard.type("voir ")
        page.keyboard.press("Control+k")
        expect(page.get_by_label("Adresse du lien").first).to_be_focused()
        page.keyboard.type("guide.example/page")
        page.keyboard.press("Enter")
        expect(words).to_be_focused()
        page.keyboard.press("Tab")
        expect(words).not_to_be_focused()
        save(page)

        page.wait_for_url(lambda address: "nouveau" not in address)
        shown = page.locator(".rich").first
        assert shown.inner_html() == (
            "<p>Un mot <strong>gras</strong></p><ul><li>Premier</li>"
            '<li>voir <a href="https://guide.example/page" rel="noopener noreferrer nofollow">'
            "https://guide.example/page</a></li></ul>"
        )

    def test_reduces_what_is_pasted_to_what_is_kept(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        words.focus()

        page.evaluate(
            _PASTE,
            [
                words.element_handle(),
                '<h1 style="color:red" onclick="x()">Titre</h1><p class="Mso">Un <b>mot</b><script>x()</script></p>'
                '<img src="x" onerror="x()"><a href="javascript:x()">non</a>',
            ],
        )

        assert words.inner_html().replace("<br>", "") in (
            "<p>Titre</p><p>Un <strong>mot</strong></p>non",
            "<p>Titre</p><p>Un <strong>mot</strong></p><p>non</p>",
            "<p>Titre</p><p>Un <b>mot</b></p><p>non</p>",
        )

    def test_keeps_what_was_written_after_a_refusal(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        page.get_by_role("textbox", name="Description").focus()
        page.keyboard.type("Des mots ")
        page.keyboard.press("Control+b")
        page.keyboard.type("à garder")

        save(page)

        expect(page.locator(".error-summary")).to_be_focused()
        words = page.get_by_role("textbox", name="Description")
        assert words.inner_html() == "<p>Des mots <strong>à garder</strong></p>"
        page.get_by_label("Titre").fill("Corrigé")
        save(page)
        page.wait_for_url(lambda address: "nouveau" not in address)
        assert page.locator(".rich").first.inner_html() == "<p>Des mots <strong>à garder</strong></p>"

    def test_is_a_plain_text_area_without_script(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace", javascript=False)
        page.goto(NEW)

        page.get_by_label("Titre").fill("Écrit sans script")
        page.get_by_label("Description").fill("Du **gras**\n\n- un\n- deux")
        page.locator("main").get_by_role("button", name="Valider", exact=True).click()

        assert page.locator(".rich").first.inner_html() == (
            "<p>Du <strong>gras</strong></p><ul><li>un</li><li>deux</li></ul>"
        )


class TestMasks:
    def test_are_seen_in_the_other_browser_the_moment_they_are_validated(self, site: Site) -> None:
        administrator, teacher = site.visitor("administrateur@lovelace"), site.visitor("enseignante@lovelace")
        teacher.goto("/scenarios/1")
        expect(teacher.get_by_role("main")).to_contain_text("Problématique / missions à réaliser")

        administrator.goto(MASKS)
        preview = administrator.locator("[data-wording=problematic]")
        administrator.locator("[name=problematic]").fill("La question du client")
        expect(preview).to_have_text("La question du client")
        administrator.locator("[name=problematic]").fill("")
        expect(preview).to_have_text("Problématique / missions à réaliser")
        administrator.locator("[name=problematic]").fill("La question du client")
        teacher.reload()
        expect(teacher.get_by_role("main")).not_to_contain_text("La question du client")
        administrator.get_by_role("button", name="Valider", exact=True).click()
        administrator.wait_for_selector(".flash")

        teacher.reload()
        expect(teacher.get_by_role("heading", name="La question du client")).to_be_visible()
        teacher.goto("/scenarios/1/modifier")
        expect(teacher.get_by_role("textbox", name="La question du client")).to_be_visible()
        teacher.goto(f"{NEW}&diplome=CAP-ELEC")
        expect(teacher.get_by_role("main")).not_to_contain_text("La question du client")

    def test_are_previewed_without_script_as_they_are_stored(self, site: Site) -> None:
        page = site.visitor("chef@lovelace", javascript=False)

        page.goto("/admin/parametres/masques?diplome=CAP-ELEC")

        expect(page.locator(".mask-preview")).to_contain_text("Matériels et logiciels utilisés")

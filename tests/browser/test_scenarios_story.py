"""Writing a scenario: the editor without a mouse, what is pasted, the masks changed meanwhile in another browser."""

from __future__ import annotations

import pytest
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

_PASTE_PICTURE = """(element) => {
  const data = new DataTransfer();
  data.items.add(new File(["x"], "image.png", { type: "image/png" }));
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

    def test_marks_and_lists_what_is_selected_and_takes_it_back(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        tools = page.get_by_role("toolbar", name="Description")
        words.focus()
        page.keyboard.type("un deux")
        page.keyboard.press("Enter")
        page.keyboard.type("trois")

        page.keyboard.press("Control+a")
        tools.get_by_role("button", name="Gras").click()
        assert words.inner_html() == "<p><strong>un deux</strong></p><p><strong>trois</strong></p>"
        expect(tools.get_by_role("button", name="Gras")).to_have_attribute("aria-pressed", "true")
        tools.get_by_role("button", name="Gras").click()
        assert words.inner_html() == "<p>un deux</p><p>trois</p>"
        tools.get_by_role("button", name="Liste numérotée").click()
        assert words.inner_html() == "<ol><li>un deux</li><li>trois</li></ol>"
        tools.get_by_role("button", name="Liste", exact=True).click()
        assert words.inner_html() == "<ul><li>un deux</li><li>trois</li></ul>"
        tools.get_by_role("button", name="Liste", exact=True).click()
        assert words.inner_html() == "<p>un deux</p><p>trois</p>"

        page.keyboard.press("End")
        for _word in "deux":
            page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Control+i")
        assert words.locator("em").count() == 1

    def test_undoes_tools_and_typing_step_by_step(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        words.focus()
        page.keyboard.type("un mot")
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+b")
        page.keyboard.press("ArrowRight")
        page.keyboard.type(" de plus")

        page.keyboard.press("Control+z")
        assert words.inner_html() == "<p><strong>un mot</strong></p>"
        page.keyboard.press("Control+z")
        assert words.inner_html() == "<p>un mot</p>"
        page.keyboard.press("Control+y")
        assert words.inner_html() == "<p><strong>un mot</strong></p>"
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        assert not (words.text_content() or "").strip()

    def test_puts_what_is_pasted_where_the_caret_is(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        words.focus()
        page.keyboard.type("début fin")
        for _letter in "fin":
            page.keyboard.press("ArrowLeft")

        page.evaluate(_PASTE, [words.element_handle(), "<p>au <b>milieu</b></p>"])
        page.keyboard.type(" ")
        assert words.inner_html().replace("&nbsp;", " ") in (
            "<p>début au <strong>milieu</strong> fin</p>",
            "<p>début au <strong>milieu </strong>fin</p>",
        )

        page.evaluate(_PASTE, [words.element_handle(), "<ul><li>un</li><li>deux</li></ul>"])
        assert words.locator(":scope > *").evaluate_all("all => all.map((each) => each.localName)") == ["p", "ul", "p"]
        assert (words.text_content() or "").split() == ["début", "au", "milieu", "undeuxfin"]

    def test_takes_a_link_away(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        words.focus()
        page.keyboard.type("le guide")
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+k")
        page.keyboard.type("https://guide.example/")
        page.keyboard.press("Enter")
        assert words.inner_html() == '<p><a href="https://guide.example/">le guide</a></p>'

        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Control+k")
        page.get_by_role("button", name="Retirer le lien").first.click()
        assert words.inner_html() == "<p>le guide</p>"

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
            "<p>Titre</p><p>Un <strong>mot</strong></p>[image non reprise]non",
            "<p>Titre</p><p>Un <strong>mot</strong></p><p>[image non reprise]non</p>",
            "<p>Titre</p><p>Un <b>mot</b></p><p>[image non reprise]non</p>",
        )

    @pytest.mark.parametrize(
        ("pasted", "stored"),
        [
            (
                "<table>\n<tr><th>Outil</th><th>Quantité</th></tr>"
                "<tr><td><p>Pince\n coupante</p></td><td>2</td></tr></table>",
                "<p>Outil — Quantité</p><p>Pince coupante — 2</p>",
            ),
            (
                "<table><tr><td>un<br>deux</td><td>trois</td></tr></table><section>Un</section><dl><dt>Terme</dt></dl>",
                "<p>un<br>deux</p><p>trois</p><p>Un</p><p>Terme</p>",
            ),
            (
                '<p>10<sup>3</sup> Ω, mm<span style="vertical-align: super">2</span>, H<sub>2</sub>O</p>',
                "<p>10³ Ω, mm², H₂O</p>",
            ),
            (
                '<b style="font-weight:normal"><p><span style="font-weight:700">gras</span> maigre</p></b>',
                "<p><strong>gras</strong> maigre</p>",
            ),
            (
                '<ol start="3"><li>Trois</li><li value="7">Sept</li></ol>',
                '<ol start="3"><li>Trois</li></ol><ol start="7"><li>Sept</li></ol>',
            ),
            ('<p>Voici <img src="x" alt="Schéma"></p>', "<p>Voici [image non reprise\u202f: Schéma]</p>"),
            ("<pre>LDA 10\nADD 5</pre>", "<p>LDA 10<br>ADD 5</p>"),
        ],
    )
    def test_keeps_what_a_word_processor_says_in_marks(self, site: Site, pasted: str, stored: str) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        page.get_by_label("Titre").fill("Collé")
        words = page.get_by_role("textbox", name="Description")
        words.focus()

        page.evaluate(_PASTE, [words.element_handle(), pasted])
        save(page)

        page.wait_for_url(lambda address: "nouveau" not in address)
        assert page.locator(".rich").first.inner_html() == stored

    def test_keeps_a_line_break_typed_in_a_paragraph(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        page.get_by_label("Titre").fill("À la ligne")
        page.get_by_role("textbox", name="Description").focus()
        page.keyboard.type("un")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("deux")
        save(page)

        page.wait_for_url(lambda address: "nouveau" not in address)
        assert page.locator(".rich").first.inner_html() == "<p>un<br>deux</p>"

    def test_says_that_a_picture_alone_is_not_kept(self, site: Site) -> None:
        page = site.visitor("enseignante@lovelace")
        page.goto(NEW)
        words = page.get_by_role("textbox", name="Description")
        words.focus()

        page.evaluate(_PASTE_PICTURE, words.element_handle())

        expect(page.get_by_text("ne peut pas être mis dans ce texte")).to_be_visible()
        assert not (words.text_content() or "").strip()

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
        expect(words).to_have_attribute("contenteditable", "true")
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
        teacher.goto(f"{NEW}&diplome=50025524")
        expect(teacher.get_by_role("main")).not_to_contain_text("La question du client")

    def test_are_previewed_without_script_as_they_are_stored(self, site: Site) -> None:
        page = site.visitor("chef@lovelace", javascript=False)

        page.goto("/admin/parametres/masques?diplome=50025524")

        expect(page.locator(".mask-preview")).to_contain_text("Matériels et logiciels utilisés")

"""Fields of files in Chromium: chosen or dropped, named, judged before they are sent, made smaller, on their way."""

from __future__ import annotations

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.helpers import pictures
from tests.helpers.chromium import Site

WHO = "administrateur@lovelace"
IMPORTS, LOGO = "/admin/imports", "/admin/parametres/logo"
_MEGABYTE = 1024 * 1024
_DROP = """([selector, files]) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  const target = document.querySelector(selector);
  for (const kind of ["dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""
_SENT = "input => [...input.files].map((file) => file.name)"


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "", "buffer": content}


def photo(weight: int = 6 * _MEGABYTE) -> bytes:
    """Return a photo taken upright by a telephone on its side: red above, blue below once it is turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return pictures.jpeg(2400, 1800, exif=exif.tobytes()).ljust(weight, b"\0")


def words(found: Locator) -> list[str]:
    return [text.replace("\u202f", " ").replace("\u00a0", " ") for text in found.all_inner_texts()]


@pytest.fixture
def imports(site: Site) -> Page:
    page = site.visitor(WHO)
    page.goto(IMPORTS)
    return page


@pytest.fixture
def logo(site: Site) -> Page:
    page = site.visitor(WHO)
    page.goto(LOGO)
    return page


def test_files_chosen_are_named_weighed_and_judged_as_the_server_would(imports: Page) -> None:
    chosen = imports.locator("#files")
    chosen.set_input_files([payload("eleves.csv", b"NOM;PRENOM\n" * 200), payload("photo.png", pictures.png())])
    lines = imports.locator(".files li")

    expect(lines).to_have_count(2)
    assert chosen.evaluate(_SENT) == ["eleves.csv"]
    assert words(lines)[0].startswith("eleves.csv (2 ko)")
    assert "Ne sera pas envoyé. Ce fichier n’est ni un export de SIECLE" in words(lines)[1]
    said = imports.locator(".field:has(#files) [role=status]")
    expect(said).to_contain_text("photo.png (1\u00a0ko)\u202f: ne sera pas envoyé.")

    # A second choice adds to the first; the same file takes the place of itself.
    chosen.set_input_files([payload("eleves.csv", b"NOM;PRENOM\n"), payload("vide.csv", b"")])
    expect(lines).to_have_count(3)
    assert chosen.evaluate(_SENT) == ["eleves.csv"]
    assert Axe().run(imports).response["violations"] == []


def test_files_all_refused_are_not_sent_and_say_why_again(imports: Page) -> None:
    imports.locator("#files").set_input_files([payload("photo.png", pictures.png())])
    said = imports.locator(".field:has(#files) [role=status]")
    expect(said).to_contain_text("ne sera pas envoyé.")

    imports.get_by_role("button", name="Analyser les fichiers").click()

    expect(said).to_contain_text("Rien n’est envoyé. photo.png")
    expect(imports.get_by_role("button", name="Retirer photo.png")).to_be_focused()
    expect(imports.locator(".files .field-error").first).to_contain_text("ni un export de SIECLE")
    expect(imports.locator(".files")).to_contain_text("Rien n’est envoyé\u202f: choisissez un autre fichier.")
    assert "Choisissez d’abord" not in imports.locator("main").inner_text()


def test_files_are_taken_away_by_keyboard(imports: Page) -> None:
    chosen = imports.locator("#files")
    chosen.set_input_files([payload("un.csv", b"1"), payload("deux.csv", b"2")])
    first = imports.get_by_role("button", name="Retirer un.csv")
    first.focus()

    imports.keyboard.press("Enter")
    expect(imports.get_by_role("button", name="Retirer deux.csv")).to_be_focused()
    assert chosen.evaluate(_SENT) == ["deux.csv"]
    imports.keyboard.press("Space")

    expect(chosen).to_be_focused()
    assert chosen.evaluate(_SENT) == []
    expect(imports.locator(".field:has(#files) [role=status]")).to_have_text(
        "deux.csv est retiré. Aucun fichier choisi."
    )


def test_files_dropped_anywhere_go_to_the_only_field_and_never_open_in_the_page(imports: Page) -> None:
    imports.evaluate(_DROP, ["h1", [["un.csv", "1"], ["deux.csv", "2"]]])

    expect(imports.locator(".files li")).to_have_count(2)
    assert imports.locator("#files").evaluate(_SENT) == ["un.csv", "deux.csv"]
    assert imports.locator(".is-over").count() == 0


def test_files_dropped_go_to_the_field_they_are_dropped_on(logo: Page) -> None:
    logo.evaluate(_DROP, ["h1", [["un.png", "1"]]])
    logo.evaluate(_DROP, ["#file-cachet", [["un.pdf", "%PDF-1.7"], ["deux.png", "\\x89PNG"]]])

    lines = logo.locator(".files li")
    expect(lines).to_have_count(2)
    assert "un document PDF, pas une image" in words(lines)[0]
    assert logo.locator("#file-logo").evaluate(_SENT) == []


def test_a_photo_that_is_too_heavy_is_made_smaller_upright_and_deposited(logo: Page) -> None:
    logo.locator("#file-logo").set_input_files(payload("IMG_2034.JPG", photo()))
    line = logo.locator(".files li")
    expect(line).to_contain_text("réduite")
    assert words(line)[0].startswith("IMG_2034.jpg (") and "elle pesait 6,0 Mo" in words(line)[0]

    logo.get_by_role("button", name="Télécharger un logo").click()

    expect(logo.locator(".flash")).to_contain_text("Le logo est enregistré.")
    address = logo.locator("#titre-logo ~ .picture img").get_attribute("src")
    with Image.open(io.BytesIO(logo.request.get(str(address)).body())) as stored:
        assert stored.size == (900, 1200)
        top, bottom = stored.getpixel((450, 100)), stored.getpixel((450, 1100))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[0] > 180 > top[2] and bottom[2] > 160 > bottom[0]


def test_a_picture_that_is_not_too_large_is_sent_as_it_is(logo: Page) -> None:
    content = pictures.jpeg(1600, 900)
    logo.locator("#file-logo").set_input_files(payload("logo.jpg", content))

    expect(logo.locator(".files li")).to_contain_text("logo.jpg")
    assert logo.locator("#file-logo").evaluate("input => input.files[0].size") == len(content)


def test_what_takes_a_while_shows_how_far_it_is_and_can_be_stopped(imports: Page) -> None:
    network = imports.context.new_cdp_session(imports)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    network.send("Network.emulateNetworkConditions", slow)
    imports.locator("#files").set_input_files(payload("eleves.csv", b"NOM;PRENOM\n" * 300_000))
    send = imports.get_by_role("button", name="Analyser les fichiers")
    send.click()

    expect(imports.locator(".sending")).to_contain_text("Envoi\u202f: ")
    expect(imports.get_by_role("progressbar", name="Envoi")).to_be_visible()
    imports.get_by_role("button", name="Interrompre l’envoi").click()

    expect(imports.locator(".sending")).to_contain_text("Envoi interrompu\u202f: rien n’a été enregistré.")
    assert imports.locator("#files").evaluate(_SENT) == ["eleves.csv"]

    # Sent again, it arrives; the refusal takes its place in the page, whose field works on.
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    send.click()
    expect(imports.get_by_role("alert").first).to_be_focused()
    assert imports.title().startswith("Erreur")
    imports.locator("#files").set_input_files(payload("eleves.csv", b"1"))
    expect(imports.locator(".files li")).to_have_count(1)


def test_what_a_proxy_refuses_without_a_page_of_ours_is_said_and_can_be_sent_again(site: Site, imports: Page) -> None:
    imports.route(IMPORTS, lambda route: route.fulfill(status=413, body="Request Entity Too Large"), times=1)
    imports.locator("#files").set_input_files(payload("eleves.csv", b"NOM;PRENOM\n" * 30_000))
    send = imports.get_by_role("button", name="Analyser les fichiers")
    send.click()

    expect(imports.locator(".sending")).to_contain_text("L’envoi n’a pas abouti\u202f: le serveur a répondu 413.")
    expect(send).to_be_focused()
    assert imports.locator("#files").evaluate(_SENT) == ["eleves.csv"]
    site.witness(imports).complaints.clear()  # the refused request is what was wanted

    with imports.expect_request(lambda request: request.method == "POST"):
        send.click()
    expect(imports.get_by_role("alert").first).to_be_focused()
    assert imports.title().startswith("Erreur")


def test_what_took_a_while_and_is_done_leads_on_and_says_so(logo: Page) -> None:
    logo.locator("#file-logo").set_input_files(payload("logo.png", pictures.png().ljust(2 * _MEGABYTE, b"\0")))
    expect(logo.locator(".files li")).to_have_count(1)

    logo.get_by_role("button", name="Télécharger un logo").click()

    expect(logo.locator(".flash")).to_contain_text("Le logo est enregistré.")
    expect(logo.locator(".files li")).to_have_count(0)


def test_a_picture_is_enlarged_by_keyboard_and_closed_by_escape(logo: Page) -> None:
    link = logo.get_by_role("link", name="Agrandir\u202f: Cachet")
    link.focus()
    logo.keyboard.press("Enter")

    large = logo.get_by_role("dialog")
    expect(large.get_by_role("img")).to_be_visible()
    expect(large.get_by_role("button", name="Fermer")).to_be_focused()
    assert Axe().run(logo).response["violations"] == []
    logo.keyboard.press("Escape")

    expect(large).to_have_count(0)
    expect(link).to_be_focused()


def test_without_script_a_picture_opens_and_white_is_made_transparent(site: Site) -> None:
    page = site.visitor(WHO, width=360, javascript=False)
    page.goto(LOGO)
    page.locator("#file-cachet").set_input_files(payload("cachet.png", pictures.stamp_on_paper()))
    page.get_by_role("button", name="Télécharger le cachet").click()
    page.get_by_role("link", name="Rendre le blanc transparent").click()
    page.wait_for_url("**/transparence")  # with its pictures
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    images = page.locator(".compared img")
    assert images.evaluate_all("all => all.map((each) => each.naturalWidth)") == [300] * 4

    page.get_by_role("button", name="Enregistrer le cachet transparent").click()

    expect(page.locator(".flash")).to_contain_text("Le blanc du cachet est transparent.")
    address = page.get_by_role("link", name="Agrandir\u202f: Cachet").get_attribute("href")
    assert page.request.get(str(address)).headers["content-type"] == "image/png"

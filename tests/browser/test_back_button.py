"""A refused form, then the help, then « Précédent » and reload, in Chromium: what was typed is there, script or not."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scenario_scenes import write
from tests.helpers.chromium import Site, sign_in

WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
PARTICULARS, LOGO = "/admin/parametres/etablissement", "/admin/parametres/logo"
NOT_SAVED = "Votre saisie n’est pas encore enregistrée"

#: who, the page, what is typed by the names of the fields, and the field that a rule refuses
FORMS = {
    "particulars": ("administrateur@lovelace", PARTICULARS, {"name": "Lycée tapé", "phone": "court"}, "phone"),
    "user": ("administrateur@lovelace", "/admin/utilisateurs/new/", {"last_name": "Tapé", "email": "x"}, "email"),
    "mandate": (
        "chef@lovelace",
        "/admin/parametres/inspecteurs",
        {"name": "Inspectrice tapée", "purpose": "Visite tapée", "ends_on": "2027-03-01"},
        "starts_on",
    ),
    "scenario": ("enseignante@lovelace", "/scenarios/nouveau", {"links-0-label": "Lien tapé"}, "title"),
}


def submit(page: Page) -> None:
    """Press the button of the form and wait for what the server answers, and for what the page makes of it."""
    page.locator("main form[method=post] button.btn-primary").last.click()
    page.wait_for_load_state("networkidle")


@WITH_AND_WITHOUT
@pytest.mark.parametrize("form", FORMS)
def test_what_was_typed_survives_the_help_and_a_reload(site: Site, form: str, javascript: bool) -> None:
    who, address, typed, refused = FORMS[form]
    page = site.visitor(who, javascript=javascript)
    page.goto(address)
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)
    if form == "scenario":
        write(page, "Description", "Texte tapé longuement")

    submit(page)
    _is_as_typed(page, typed, refused, form)
    page.goto("/aide/parcours" if form == "scenario" else "/aide/etablissement")
    page.go_back()
    _is_as_typed(page, typed, refused, form)
    page.reload()
    _is_as_typed(page, typed, refused, form)
    assert page.get_by_text(NOT_SAVED).count() + page.get_by_text("Vous aviez commencé à écrire").count() == 1
    page.get_by_role("link", name="Abandonner").or_(page.get_by_role("button", name="Abandonner le brouillon")).click()
    page.wait_for_load_state("networkidle")
    for name, value in typed.items():
        expect(page.locator(f"[name={name}]")).not_to_have_value(value)


def _is_as_typed(page: Page, typed: dict[str, str], refused: str, form: str) -> None:
    for name, value in typed.items():
        expect(page.locator(f"[name={name}]")).to_have_value(value)
    if form == "scenario":  # its draft, kept a moment later, may be what comes back: it says the same
        assert "Texte tapé longuement" in page.content()
    else:
        expect(page.locator(f"[name={refused}]")).to_have_attribute("aria-invalid", "true")


@WITH_AND_WITHOUT
def test_a_choice_between_two_values_survives_too(site: Site, javascript: bool) -> None:
    city = "avec" if javascript else "sans"
    first, second = site.visitor("administrateur@lovelace"), site.visitor("chef@lovelace", javascript=javascript)
    for page, typed in ((second, f"Seconde {city}"), (first, f"Première {city}")):
        page.goto(PARTICULARS)
        page.locator("[name=city]").fill(typed)
    submit(first)
    submit(second)

    second.goto("/aide/etablissement")
    second.go_back()
    second.get_by_label("la valeur enregistrée par").check()
    submit(second)

    expect(second.locator("[name=city]")).to_have_value(f"Première {city}")
    expect(second.locator("main")).not_to_contain_text(NOT_SAVED)


def test_what_weighs_too_much_leads_back_to_its_page(site: Site) -> None:
    """Without the site's script, which refuses such a file before it is sent."""
    page = site.visitor("administrateur@lovelace", javascript=False)
    page.goto(LOGO)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": b"x" * (30 * 1024 * 1024)}
    )
    page.locator("main form:has(input[type=file]) button").first.click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("main")).to_contain_text("volumineux")

    page.goto("/aide/etablissement")
    page.go_back()

    expect(page.locator("main [role=alert]")).to_contain_text("trop volumineux")
    expect(page.locator("input[type=file]").first).to_be_visible()


@WITH_AND_WITHOUT
def test_nothing_is_left_for_the_next_to_sign_in(site: Site, javascript: bool) -> None:
    page = site.visitor(javascript=javascript)
    sign_in(page, "lovelace", "administrateur")
    page.goto(PARTICULARS)
    page.locator("[name=name]").fill("Lycée tapé")
    page.locator("[name=phone]").fill("court")
    submit(page)
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/connexion")

    page.go_back()
    page.wait_for_load_state("networkidle")
    assert "Lycée tapé" not in page.content()
    page.goto("/connexion")
    sign_in(page, "lovelace", "chef")
    page.goto(PARTICULARS)
    assert "Lycée tapé" not in page.content()

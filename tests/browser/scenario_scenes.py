"""Scenarios and competence lists, and every state they can be in; see `scenes`."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.scenes import Scene, end_sign_in, press
from tests.helpers.chromium import Site, sign_in

SCENARIOS, NEW = "/scenarios", "/scenarios/nouveau"
#: Written by the teacher of the demonstration.
FIRST = "/scenarios/1"
DIPLOMAS = "/admin/diplomes/"


def write(page: Page, label: str, words: str) -> None:
    """Write in an editor of rich text."""
    page.wait_for_load_state()  # the text area is there before its editor takes its place
    page.get_by_role("textbox", name=label).click()
    page.keyboard.type(words)


def save(page: Page) -> None:
    """Press « Valider »."""
    page.get_by_role("main").get_by_role("button", name="Valider", exact=True).click()


def _other_diploma(site: Site, page: Page) -> None:
    page.get_by_label("Titre").fill("Un titre déjà tapé")
    write(page, "Matériels", "Un outil déjà choisi")
    page.get_by_label("Diplôme").select_option(label="CAP Électricien")
    page.get_by_role("button", name="Changer de diplôme").click()
    page.wait_for_load_state("networkidle")


def _drafts(site: Site, page: Page) -> None:
    """Leave two drafts, and open the form again."""
    for title in ("Le premier, laissé en plan", "Le second, laissé en plan"):
        page.goto(f"{NEW}?brouillon=aucun")
        page.get_by_label("Titre").fill(title)
        write(page, "Description", "Des mots à retrouver")
        expect(page.locator("[data-draft-state]")).to_contain_text("Brouillon enregistré")
    page.goto(NEW)
    page.get_by_label("Titre").fill("Le second, continué")
    expect(page.locator("[data-draft-state]")).to_contain_text("Brouillon enregistré")


def _refused(site: Site, page: Page) -> None:
    write(page, "Description", "Ce qui est déjà écrit")
    page.locator("#links-0-url").fill("javascript:alert(1)")
    save(page)


def _conflict(site: Site, page: Page) -> None:
    page.get_by_label("Titre").fill("Le titre de la première fenêtre")
    write(page, "Problématique", "Écrit dans la première fenêtre. ")
    other = page.context.new_page()
    other.goto(f"{FIRST}/modifier")
    other.get_by_label("Titre").fill("Le titre de la seconde fenêtre")
    save(other)
    other.wait_for_url(f"**{FIRST}")
    other.close()
    save(page)


def _restored(site: Site, page: Page) -> None:
    sign_in(page, "lovelace", "enseignante")
    page.goto(NEW)
    page.get_by_label("Titre").fill("Tapé avant la fin de la session")
    write(page, "Description", "Écrit avant la fin de la session")
    end_sign_in(site)
    save(page)
    page.wait_for_url(lambda address: "/connexion" in address)
    sign_in(page, "lovelace", "enseignante")


def _link(site: Site, page: Page) -> None:
    """Open the panel of a link in the first editor, and refuse an address."""
    page.get_by_role("button", name="Lien").first.click()
    page.get_by_label("Adresse du lien").first.fill("pas une adresse")
    page.get_by_role("button", name="Mettre le lien").first.click()


def _module_off(site: Site, page: Page) -> None:
    head = site.visitor("chef@chatelet")
    head.goto("/admin/parametres/modules")
    head.locator("[name=scenarios][value=non]").check()
    save(head)
    head.wait_for_selector(".flash")
    page.goto(SCENARIOS)


def _own_diploma(site: Site, page: Page) -> None:
    """Open the list of the school's own diploma, added if it is not there yet."""
    page.goto(DIPLOMAS)
    own = page.locator("tbody a").filter(has_text=re.compile(r"^\s*MAISON\s*$"))
    if own.count() == 0:
        page.goto(f"{DIPLOMAS}new/")
        for name, value in (("code", "MAISON"), ("label", "Certificat de la maison"), ("short_label", "Maison")):
            page.locator(f"main [name={name}]").fill(value)
        save(page)
        page.wait_for_selector(".flash")
    else:
        own.first.click()
    page.get_by_role("link", name="Liste de compétences").click()
    page.wait_for_url("**/competences")


#: As a PDF gives it: a bloc, a label over two lines, a page number.
PASTED = "Bloc de compétences n° 1\n• C1.1 – Rechercher une\ninformation\nC1.2 : Organiser son poste\nPage 12 sur 58"


def _deposit(text: str) -> Callable[[Site, Page], None]:
    def act(site: Site, page: Page) -> None:
        _own_diploma(site, page)
        page.get_by_role("link", name="Déposer une liste").first.click()
        page.wait_for_url("**/deposer")
        if text:
            file = {"name": "liste.csv", "mimeType": "text/csv", "buffer": text.encode()}
            page.locator("[name=file]").set_input_files(file)
            page.get_by_role("button", name="Continuer").click()

    return act


def _paste(text: str) -> Callable[[Site, Page], None]:
    def act(site: Site, page: Page) -> None:
        _own_diploma(site, page)
        page.get_by_role("link", name="Coller une liste").first.click()
        page.wait_for_url("**/coller")
        page.get_by_label("Le texte du référentiel").fill(text)
        page.locator("[name=geste][value=lire]").click()
        page.locator(".confirm-list, .error-summary").first.wait_for()

    return act


SCENARIO_SCENES = [
    Scene("scenarios-teacher", "enseignante@lovelace", SCENARIOS),
    Scene("scenarios-head", "chef@lovelace", SCENARIOS),
    Scene("scenarios-by-diploma", "enseignante@lovelace", f"{SCENARIOS}?diplome=40025520&auteur=moi&tri=titre"),
    Scene("scenarios-none-found", "enseignante@lovelace", f"{SCENARIOS}?recherche=introuvable"),
    Scene("scenarios-empty", "enseignante@chatelet", SCENARIOS),
    Scene("scenario-author", "enseignante@lovelace", FIRST),
    Scene("scenario-head", "chef@lovelace", FIRST),
    Scene("scenario-new", "enseignante@lovelace", NEW),
    Scene("scenario-new-other-diploma", "enseignante@lovelace", NEW, 200, _other_diploma),
    Scene("scenario-new-drafts", "enseignante@lovelace", NEW, 200, _drafts),
    Scene("scenario-new-refused", "enseignante@lovelace", NEW, 422, _refused),
    Scene("scenario-edit", "enseignante@lovelace", f"{FIRST}/modifier"),
    Scene("scenario-edit-link", "enseignante@lovelace", f"{FIRST}/modifier", 200, _link),
    Scene("scenario-edit-conflict", "enseignante@lovelace", f"{FIRST}/modifier", 409, _conflict),
    Scene("scenario-restored", "", "/connexion", 200, _restored),
    Scene("scenario-duplicated", "enseignante@lovelace", "/scenarios/2", 200, press("Dupliquer le scénario")),
    Scene("scenario-archive", "enseignante@lovelace", "/scenarios/3/archiver"),
    Scene("scenario-archived", "enseignante@lovelace", "/scenarios/3/archiver", 200, press("Archiver le scénario")),
    Scene("scenario-forbidden", "administrateur@lovelace", FIRST, 403),
    Scene("competences-national", "administrateur@lovelace", "/admin/diplomes/1/competences"),
    Scene("competences-head", "chef@lovelace", "/admin/diplomes/1/competences"),
    Scene("competences-of-a-diploma", "support@lovelace", "/admin/diplomes/details/?id=1"),
    Scene("competences-empty", "administrateur@lovelace", DIPLOMAS, 200, _own_diploma),
    Scene("competences-deposit", "administrateur@lovelace", DIPLOMAS, 200, _deposit("")),
    Scene("competences-refused", "administrateur@lovelace", DIPLOMAS, 422, _deposit("code;intitulé\nC1;\n;x")),
    Scene("competences-confirm", "administrateur@lovelace", DIPLOMAS, 200, _deposit("code;intitulé\nC1;Étudier\n")),
    Scene("competences-pasted", "administrateur@lovelace", DIPLOMAS, 200, _paste(PASTED)),
    Scene("competences-paste-refused", "administrateur@lovelace", DIPLOMAS, 422, _paste("Rien de tel")),
    Scene("scenarios-module-off", "enseignante@chatelet", "/mon-compte", 403, _module_off),
]

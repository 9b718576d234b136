"""The pages of pupils' records, for each of those who open them, in each of their states."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.scenes import Scene, open_mandate, press
from tests.helpers.chromium import Site

TEACHER, PUPIL, HEAD = "enseignante@lovelace", "apprenant@lovelace", "chef@lovelace"
#: the demonstration's pupil who signs in
OWN = "/eleves/1"
RETENTION = "/admin/parametres/conservation"
Act = Callable[[Site, Page], object]


def follow(label: str) -> Act:
    """Return the action of following the first link of that name."""
    return lambda site, page: page.locator("main").get_by_role("link", name=re.compile(label)).first.click()


def then(*acts: Act) -> Act:
    """Return several actions in a row, each on the page where the one before ended."""

    def act(site: Site, page: Page) -> None:
        for each in acts:
            each(site, page)
            page.wait_for_load_state("networkidle")

    return act


def _bad_fiche(site: Site, page: Page) -> None:
    page.get_by_label("Titre").fill("Une fiche dont les dates sont à l’envers")
    page.get_by_label("Premier jour").fill("2026-10-16")
    page.get_by_label("Dernier jour").fill("2026-10-05")
    page.get_by_role("button", name="Soumettre à mes enseignants").click()


def _conflict(site: Site, page: Page) -> None:
    """Save in a second window what the first one then saves otherwise."""
    _last_draft(site, page)
    follow("^Modifier")(site, page)
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Nom du lieu").fill("Atelier de la seconde fenêtre")
    other.get_by_role("button", name="Enregistrer sans soumettre").click()
    other.locator(".flash").wait_for()
    other.close()
    page.get_by_label("Nom du lieu").fill("Atelier de la première fenêtre")
    page.get_by_role("button", name="Enregistrer sans soumettre").click()


def _last_draft(site: Site, page: Page) -> None:
    page.goto(f"{OWN}/fiches?etat=draft")
    page.locator("main tbody a").first.click()
    page.wait_for_load_state("networkidle")


def _one_competence(site: Site, page: Page) -> None:
    """Open the page that evaluates a division in one competence."""
    then(follow("Évaluer la division 1MELEC"), follow("Une seule compétence"))(site, page)


def _future_grid(site: Site, page: Page) -> None:
    """Send a grid whose day is still to come, as a browser without script does."""
    page.locator("[name=evaluated_on]").evaluate("day => { day.value = '2099-01-01'; }")
    page.get_by_role("button", name="Enregistrer les niveaux").click()


def _some_levels(site: Site, page: Page) -> None:
    page.locator("[name=competence]").select_option(index=2)
    for select in page.locator("tbody select").all()[:4]:
        select.select_option("3")
    page.get_by_role("button", name="Enregistrer les évaluations").click()


def _left_half_written(site: Site, page: Page) -> None:
    """Type a few levels, leave, and come back to the page."""
    address = page.url
    for select in page.locator("tbody select").all()[:4]:
        select.select_option("2")
    page.goto("/eleves")
    page.goto(address)


def _inside(path: str) -> Act:
    def act(site: Site, page: Page) -> None:
        open_mandate(site)
        page.goto("/ecoles")
        page.get_by_role("button", name=re.compile("^Entrer")).click()
        page.goto(path)

    return act


def _departed(site: Site, page: Page) -> None:
    page.goto("/eleves?situation=partis&recherche=topaze")
    page.locator("main tbody a").first.click()


READING = [
    Scene("pupils-teacher", TEACHER, "/eleves"),
    Scene("pupils-head", HEAD, "/eleves"),
    Scene("pupils-gone", TEACHER, "/eleves?situation=partis"),
    Scene("pupils-none", TEACHER, "/eleves?recherche=introuvable"),
    *(
        Scene(f"records-{page or 'overview'}-{who.partition('@')[0]}", who, f"{OWN}/{page}".rstrip("/"))
        for page in ("", "fiches", "evaluations", "bilans")
        for who in (TEACHER, PUPIL, HEAD)
    ),
    Scene("records-inspector", "inspecteur@", "/ecoles", 200, _inside(OWN)),
    Scene("records-gone", TEACHER, "/eleves", 200, _departed),
    Scene("records-gone-fiche", TEACHER, "/eleves", 200, then(_departed, follow("Câblage"))),
    Scene("records-empty", TEACHER, "/eleves/6"),
    Scene("records-empty-fiches", TEACHER, "/eleves/6/fiches"),
    Scene("records-empty-evaluations", TEACHER, "/eleves/6/evaluations"),
    Scene("records-empty-bilans", TEACHER, "/eleves/6/bilans"),
    Scene("records-one-competence", HEAD, f"{OWN}/evaluations?competence=C1"),
    Scene("records-no-such-state", HEAD, f"{OWN}/fiches?etat=submitted"),
    Scene("fiche-pupil", PUPIL, OWN, 200, _last_draft),
    Scene("fiche-teacher", TEACHER, f"{OWN}/fiches?etat=submitted", 200, follow("Raccordement")),
    Scene("fiche-head", HEAD, f"{OWN}/fiches?etat=validated", 200, follow("Installation")),
    Scene("records-forbidden", "administrateur@lovelace", OWN, 403),
    Scene("records-not-taught", "enseignante@lovelace", "/eleves/4", 403),
]

WRITING = [
    Scene("fiche-new-pupil", PUPIL, f"{OWN}/fiches/nouvelle"),
    Scene("fiche-new-teacher", TEACHER, f"{OWN}/fiches/nouvelle"),
    Scene("fiche-refused", PUPIL, f"{OWN}/fiches/nouvelle", 422, _bad_fiche),
    Scene("fiche-conflict", PUPIL, OWN, 409, _conflict),
    Scene("fiche-delete", PUPIL, OWN, 200, then(_last_draft, follow("^Supprimer"))),
    Scene("evaluation-new", TEACHER, f"{OWN}/evaluations/nouvelle"),
    Scene("evaluation-refused", TEACHER, f"{OWN}/evaluations/nouvelle", 422, press("Enregistrer l’évaluation")),
    Scene("evaluation-edit", TEACHER, f"{OWN}/evaluations", 200, follow("^Modifier")),
    Scene("evaluation-delete", TEACHER, f"{OWN}/evaluations", 200, follow("^Supprimer")),
    Scene("bilan-new", TEACHER, f"{OWN}/bilans/nouveau"),
    Scene("bilan-refused", TEACHER, f"{OWN}/bilans/nouveau", 422, press("Enregistrer le bilan")),
    Scene("bilan-edit", TEACHER, f"{OWN}/bilans", 200, follow("^Modifier")),
    Scene("bilan-delete", TEACHER, f"{OWN}/bilans", 200, follow("^Supprimer")),
    Scene("division-grid", TEACHER, "/eleves", 200, follow("Évaluer la division 1MELEC")),
    Scene("division-grid-refused", TEACHER, "/eleves", 422, then(follow("Évaluer la division 1MELEC"), _future_grid)),
    Scene("division-evaluate", TEACHER, "/eleves", 200, _one_competence),
    Scene(
        "division-refused",
        TEACHER,
        "/eleves",
        422,
        then(_one_competence, press("Enregistrer les évaluations")),
    ),
    Scene("division-draft", TEACHER, "/eleves", 200, then(_one_competence, _left_half_written)),
    Scene("division-evaluated", TEACHER, "/eleves", 200, then(_one_competence, _some_levels)),
]


def _shorter(site: Site, page: Page) -> None:
    page.get_by_label("2 ans").check()
    page.get_by_role("button", name="Valider").click()


SETTING = [
    Scene("retention-head", HEAD, RETENTION),
    Scene("retention-administrator", "administrateur@lovelace", RETENTION),
    Scene("retention-empty", "chef@chatelet", RETENTION),
    Scene("retention-saved", "chef@chatelet", RETENTION, 200, _shorter),
    Scene("help-parcours", TEACHER, "/aide/parcours"),
    Scene("help-conservation", HEAD, "/aide/conservation"),
]

RECORD_SCENES = [*READING, *WRITING, *SETTING]

"""A fiche from the pupil to the head, in as many browsers as there are people; with scripts and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.chromium import Site

OWN = "/eleves/1"
WORDS = "Mesures-du-récit"


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Return whether scripts run."""
    return bool(request.param)


def _write(page: Page, label: str, words: str) -> None:
    """Write in a rich text, whether its editor runs or not."""
    page.wait_for_load_state()  # the text area is there before its editor takes its place
    page.get_by_role("textbox", name=label).click()
    page.keyboard.type(words)


def _flash(page: Page) -> str:
    return page.locator(".flash").inner_text().replace("\u202f", " ")


class TestStory:
    def test_a_teacher_writes_a_pupil_writes_the_teacher_validates_the_head_reads_others_do_not(
        self, site: Site, javascript: bool
    ) -> None:
        teacher, pupil, head, administrator, support = (
            site.visitor(who, javascript=javascript)
            for who in (
                "enseignante@lovelace",
                "apprenant@lovelace",
                "chef@lovelace",
                "administrateur@lovelace",
                "support@lovelace",
            )
        )

        # The teacher finds the pupil, and evaluates.
        teacher.goto("/")
        teacher.get_by_role("searchbox", name="Chercher", exact=True).fill("agate noe")
        teacher.get_by_role("button", name="Filtrer").click()
        teacher.get_by_role("link", name="AGATE Noé").click()
        teacher.get_by_role("link", name="Évaluer", exact=True).click()
        teacher.get_by_label("Compétence").select_option(index=10)
        teacher.get_by_label("4 – très bonne maîtrise").check()
        teacher.get_by_role("button", name="Enregistrer l’évaluation").click()
        assert "L’évaluation de Noé AGATE est enregistrée" in _flash(teacher)

        # The pupil lands on their own page, and writes a fiche.
        pupil.goto("/")
        expect(pupil).to_have_url(f"{site.platform.url}{OWN}")
        expect(pupil.locator("main")).to_contain_text("4, très bonne maîtrise")
        pupil.get_by_role("link", name="Écrire une fiche").first.click()
        title = f"Récit d’une mise en service {'avec' if javascript else 'sans'} script"
        pupil.get_by_label("Titre").fill(title)
        pupil.get_by_label("En entreprise (PFMP)").check()
        pupil.get_by_label("Nom du lieu").fill("Ampère et Fils")
        pupil.get_by_label("Premier jour").fill("2026-10-05")
        pupil.get_by_label("Dernier jour").fill("2026-10-16")
        _write(pupil, "Tâches réalisées", WORDS)
        pupil.get_by_role("button", name="Enregistrer sans soumettre").click()
        assert "enregistrée comme brouillon" in _flash(pupil)
        pupil.get_by_role("button", name="Soumettre à mes enseignants").click()
        assert "soumise à vos enseignants" in _flash(pupil)

        # The teacher sees that it waits, reads it, hands it back; the pupil completes it; it is validated.
        teacher.goto("/eleves")
        expect(teacher.locator("main")).to_contain_text("à valider en")
        teacher.goto(f"{OWN}/fiches?etat=submitted")
        teacher.get_by_role("link", name=title).click()
        expect(teacher.locator("main")).to_contain_text(WORDS)
        expect(teacher.get_by_role("link", name="Modifier")).to_have_count(0)
        teacher.get_by_role("button", name="Rendre à son auteur").click()
        assert "rendue à Noé AGATE" in _flash(teacher)
        pupil.reload()
        pupil.get_by_role("link", name="Modifier").click()
        _write(pupil, "Tâches réalisées", "Complété. ")
        pupil.get_by_role("button", name="Soumettre à mes enseignants").click()
        teacher.reload()
        teacher.get_by_role("button", name="Valider la fiche").click()
        assert "La fiche est validée" in _flash(teacher)

        # The pupil cannot change it any more; the head reads it.
        pupil.reload()
        expect(pupil.locator("main")).to_contain_text("a été validée par Inès QUARTZ")
        expect(pupil.get_by_role("link", name="Modifier")).to_have_count(0)
        address = pupil.url
        head.goto(address)
        expect(head.locator("main")).to_contain_text(WORDS)
        for action in ("Modifier", "Supprimer", "Rendre"):
            expect(head.locator("main").get_by_text(action)).to_have_count(0)

        # Neither the administrator nor the support: only that something was done.
        for outsider in (administrator, support):
            for page in (address, OWN, "/eleves"):
                answer = outsider.goto(page)
                assert answer and answer.status == 403
                expect(outsider.locator("body")).not_to_contain_text(WORDS)
            outsider.goto("/admin/journal/?recherche=Agate")
            expect(outsider.locator("main")).not_to_contain_text(WORDS)
            expect(outsider.locator("main")).not_to_contain_text(title)
        administrator.goto("/admin/journal/")
        expect(administrator.locator("main")).to_contain_text("a validé une fiche")

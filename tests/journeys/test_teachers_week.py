"""A teacher's week: a scenario under masks that change, a session that ends, a division, a fiche, a passport."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from tests.journeys import steps
from tests.journeys.live import Live, idle_since
from tests.journeys.visitor import Visitor

TEACHER = "anne-maiwenn.bobine-test"
COLLEAGUE = "gerard.cuivre-fictif"
WORDING = "Le contexte, dans nos mots"


def test_teachers_week(platform: Live) -> None:
    administrator, _head = steps.open_school(platform)
    steps.attach_courses(administrator)
    teacher = steps.activate_teacher(platform, administrator, name="BOBINE-TEST", login=TEACHER, school="curie")
    colleague = steps.activate_teacher(platform, administrator, name="CUIVRE-FICTIF", login=COLLEAGUE, school="curie")
    play(platform, administrator, teacher, colleague)


def play(platform: Live, administrator: Visitor, teacher: Visitor, colleague: Visitor) -> None:
    """Play the week, however its people browse."""
    _a_session_that_ends_loses_nothing(platform, teacher)
    _masks_are_reworded_while_it_is_open(administrator, teacher)
    _a_colleague_saves_the_same_scenario(teacher, colleague)
    _a_division_is_evaluated(platform, teacher)
    _a_fiche_is_validated(teacher)
    _the_passport_is_checked(platform, teacher)


def _a_session_that_ends_loses_nothing(platform: Live, teacher: Visitor) -> None:
    teacher.menu("Scénarios")
    teacher.follow("Écrire un scénario")
    idle_since(platform, TEACHER, "2026-01-01 00:00:00.000000")
    teacher.press(
        "Valider",
        title="Tableau d’un atelier",
        description="Un atelier de bois demande un tableau.",
        co_authors=_colleague_of(teacher),
    )
    teacher.sees("Votre session a pris fin")
    teacher.press("Se connecter", establishment="curie", login=TEACHER, password=steps.PASSWORD)
    assert teacher.field("title") == "Tableau d’un atelier"
    assert teacher.field("description") == "Un atelier de bois demande un tableau."
    teacher.press("Valider")
    teacher.sees("Scénario enregistré", "Gérard CUIVRE-FICTIF")
    assert platform.rows("SELECT title FROM scenario") == [("Tableau d’un atelier",)]


def _colleague_of(teacher: Visitor) -> list[str]:
    boxes = teacher.page.xpath("//input[@name='co_authors']")
    return [box.get("value") for box in boxes if "CUIVRE-FICTIF" in teacher.label_of(box)]


def _masks_are_reworded_while_it_is_open(administrator: Visitor, teacher: Visitor) -> None:
    teacher.follow("Modifier")
    administrator.menu("Paramètres")
    administrator.menu("Masque de saisie")
    administrator.press(_choose_button(administrator), diplome="40025520")
    administrator.press("Valider", description=WORDING)
    administrator.sees("enregistrés")
    teacher.press("Valider", problematic="Choisir les protections.")
    teacher.sees("Scénario enregistré", WORDING, "Choisir les protections.")


def _choose_button(administrator: Visitor) -> str:
    return next(each for each in ("Afficher", "Choisir", "Voir") if administrator.offers(each))


def _a_colleague_saves_the_same_scenario(teacher: Visitor, colleague: Visitor) -> None:
    """Each changes another field: nothing is asked and both stay."""
    teacher.follow("Modifier")
    colleague.menu("Scénarios")
    colleague.follow("Tableau d’un atelier")
    colleague.follow("Modifier")
    colleague.press("Valider", equipment="Un multimètre.")
    colleague.sees("Scénario enregistré")
    teacher.press("Valider", knowledge="Loi d’Ohm.")
    teacher.sees("Loi d’Ohm.", "Un multimètre.")


def _a_division_is_evaluated(platform: Live, teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow("Évaluer la division 2MELEC1")
    column = next(name for box in teacher.page.iter("input") if (name := box.get("name", "")).startswith("tous-"))
    teacher.fill_and_press("Enregistrer les niveaux", {column: "3"})
    assert "3 niveaux enregistrés" in teacher.text or "sont tous enregistrés" in teacher.text  # as they were typed
    assert platform.rows("SELECT level FROM evaluation") == [(3,)] * 3


def _a_fiche_is_validated(teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow("TESTEUR Alix")
    teacher.follow("Écrire une fiche")
    teacher.press(
        "Enregistrer et valider",
        title="Chantier du gymnase",
        place="company",
        place_name="Électricité Quartz",
        starts_on="2026-11-02",
        ends_on="2026-11-06",
        tasks="Pose du tableau.",
    )
    teacher.sees("validée")


def _the_passport_is_checked(platform: Live, teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow("TESTEUR Alix")
    teacher.follow("Télécharger le passeport (PDF)")
    assert teacher.answer.mimetype == "application/pdf"
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(teacher.answer.content)).pages)
    link, code = re.search(r"https?://\S+/verifier", words), re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", words)
    assert link and code, words
    anyone = platform.visitor("an employer")
    anyone.open_received(link[0])
    anyone.press("Vérifier", code=code[0])
    anyone.sees("Lycée Marie-Curie")
    anyone.does_not_see("TESTEUR")

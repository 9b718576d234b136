"""A teacher's week: a scenario under masks that change, a session that ends, a division, a fiche, a passport."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from tests.journeys import steps
from tests.journeys.live import Live, idle_since
from tests.journeys.visitor import Visitor

TEACHER = "anne-maiwenn.bobine-test"
PUPIL = "alix.testeur"
COLLEAGUE = "gerard.cuivre-fictif"
WORDING = "Le contexte, dans nos mots"


def test_teachers_week(platform: Live) -> None:
    administrator, _head = steps.open_school(platform)
    steps.attach_courses(administrator)
    teacher = steps.activate_teacher(platform, administrator, name="BOBINE-TEST", login=TEACHER, school="curie")
    colleague = steps.activate_teacher(platform, administrator, name="CUIVRE-FICTIF", login=COLLEAGUE, school="curie")
    steps.open_pupils_accounts(administrator)
    code = steps.give_code(administrator, "TESTEUR")
    pupil = steps.activate(platform, "a pupil", school="curie", login=PUPIL, code=code)
    play(platform, administrator, teacher, colleague, pupil)
    _what_is_left(platform)


def play(platform: Live, administrator: Visitor, teacher: Visitor, colleague: Visitor, pupil: Visitor) -> None:
    """Play the week, however its people browse."""
    _half_written_it_survives_help_back_and_reload(teacher)
    _a_session_that_ends_loses_nothing(platform, teacher)
    _masks_are_reworded_while_it_is_open(administrator, teacher)
    _a_colleague_saves_the_same_scenario(teacher, colleague)
    _both_write_the_same_field(teacher, colleague)
    _a_division_is_evaluated(platform, teacher)
    _a_fiche_is_written_and_validated(pupil, teacher)
    _the_passport_is_checked(platform, teacher)


def _half_written_it_survives_help_back_and_reload(teacher: Visitor) -> None:
    """Without the script a button keeps what is half written; with it, `tests/browser/test_drafts.py` does the same."""
    teacher.menu("Scénarios")
    teacher.follow("Écrire un scénario")
    if not teacher.offers("Enregistrer le brouillon"):
        return
    teacher.press("Enregistrer le brouillon", title="Tableau d’un", equipment="Des tournevis.")
    teacher.sees("Brouillon enregistré")
    teacher.follow("Aide sur cette page")
    teacher.back()
    for _ in range(2):
        assert (teacher.field("title"), teacher.field("equipment")) == ("Tableau d’un", "Des tournevis.")
        teacher.reload()
    teacher.sees("Vous aviez commencé à écrire")


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


def _both_write_the_same_field(teacher: Visitor, colleague: Visitor) -> None:
    """Who comes second reads both and chooses: neither is lost unseen."""
    teacher.follow("Modifier")
    colleague.follow("Modifier")
    colleague.press("Valider", equipment="Une pince ampèremétrique.")
    teacher.press("Valider", equipment="Un VAT.")
    assert teacher.status == 409
    teacher.sees("Quelqu’un a enregistré cette page entre-temps", "Une pince ampèremétrique.", "Un VAT.")
    teacher.press("Valider", equipment="Un VAT, une pince ampèremétrique.")
    teacher.sees("Scénario enregistré", "Un VAT, une pince ampèremétrique.")
    colleague.reload()
    colleague.sees("Un VAT, une pince ampèremétrique.")


def _a_division_is_evaluated(platform: Live, teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow("Évaluer la division 2MELEC1")
    column = next(name for box in teacher.page.iter("input") if (name := box.get("name", "")).startswith("tous-"))
    teacher.fill_and_press("Enregistrer les niveaux", {column: "3"})
    assert "3 niveaux enregistrés" in teacher.text or "sont tous enregistrés" in teacher.text  # as they were typed
    assert platform.rows("SELECT level FROM evaluation") == [(3,)] * 3


def _a_fiche_is_written_and_validated(pupil: Visitor, teacher: Visitor) -> None:
    pupil.menu("Mon parcours")
    steps.write_fiche(pupil, "Chantier du gymnase", button="Soumettre à mes enseignants")
    teacher.menu("Parcours des apprenants")
    teacher.follow("1 fiche à valider")
    teacher.follow("TESTEUR Alix")
    teacher.follow("Chantier du gymnase")
    teacher.press("Valider la fiche")
    teacher.sees("La fiche est validée")
    pupil.reload()
    pupil.sees("validée")
    assert not pupil.offers("Modifier")


def _the_passport_is_checked(platform: Live, teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow("TESTEUR Alix")
    teacher.follow("Télécharger le passeport (PDF)")
    assert teacher.answer.mimetype == "application/pdf"
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(teacher.answer.content)).pages)
    link, code = re.search(r"https?://\S+/verifier", words), re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", words)
    assert link and code, words
    assert "Chantier du gymnase" in words
    anyone = platform.visitor("an employer")
    anyone.open_received(link[0])
    anyone.press("Vérifier", code=code[0])
    anyone.sees("Lycée Marie-Curie")
    anyone.does_not_see("TESTEUR")


def _what_is_left(platform: Live) -> None:
    """One scenario with everybody's words, the fiche of the pupil, and nobody was written to."""
    statement = "SELECT title, description, problematic, equipment, knowledge FROM scenario"
    assert platform.rows(statement) == [
        (
            "Tableau d’un atelier",
            "<p>Un atelier de bois demande un tableau.</p>",
            "<p>Choisir les protections.</p>",
            "<p>Un VAT, une pince ampèremétrique.</p>",
            "<p>Loi d’Ohm.</p>",
        )
    ]
    fiches = platform.rows("SELECT title, state, author_label, validated_by_label FROM fiche")
    assert fiches == [("Chantier du gymnase", "validated", "Alix TESTEUR", "Anne-Maïwenn BOBINE-TEST")]
    assert platform.rows("SELECT count(*) FROM draft WHERE over_at IS NULL") == [(0,)]
    journal = platform.journal("curie")
    week = journal[journal.index("scenario:created") :]
    assert week == [
        "scenario:created",
        "masks:changed",
        *["scenario:changed"] * 5,
        "evaluation:division",
        "fiche:created",
        "fiche:validated",
        "passport:issued",
    ]
    assert [message["To"] for message in platform.mails()] == ["chef@curie.example"]  # their code, days before

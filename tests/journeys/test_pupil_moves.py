"""A pupil moves from one school to another, and both read where it stands and who must act."""

from __future__ import annotations

from tests.helpers.siecle import FILES, structures, student, students_xml
from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

INE = "990000011DB"
PUPIL = "TESTEUR Alix"
LEFT_ON = "20/11/2026"


def test_pupil_moves(platform: Live) -> None:
    left, _head = steps.open_school(platform)
    teacher = steps.activate_teacher(
        platform, left, name="BOBINE-TEST", login="anne-maiwenn.bobine-test", school="curie"
    )
    _a_fiche_is_written(teacher)
    joined = steps.create_school(platform, code="chatelet", uai=steps.OTHER_UAI, name="Lycée du Châtelet")
    steps.complete_particulars(joined, email="lycee@chatelet.example")

    _brings_the_pupil(platform, joined, ine="", born="15/03/2010")
    _the_pupil_leaves(platform, left)
    _nothing_can_happen_yet(left, joined)
    steps.switch_transfers_on(joined)
    _the_missing_ine_is_named(joined)
    _brings_the_pupil(platform, joined, ine=INE, born="15/03/2010")
    _both_read_of_the_conflict(platform, left, joined)
    _confirmed_it_arrives(platform, left, joined)
    _cancelled_and_asked_again(platform, joined)
    assert {"transfer:confirmed", "transfer:cancelled", "transfer:asked"} <= set(platform.journal("chatelet"))
    assert "transfer:cancelled" in platform.journal("curie")


def _a_fiche_is_written(teacher: Visitor) -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow(PUPIL)
    teacher.follow("Écrire une fiche")
    teacher.press(
        "Enregistrer et valider",
        title="Chantier du gymnase",
        place="company",
        starts_on="2026-11-02",
        ends_on="2026-11-06",
        tasks="Pose du tableau.",
    )
    teacher.sees("validée")


def _brings_the_pupil(platform: Live, joined: Visitor, *, ine: str, born: str) -> None:
    pupil = student("77", ine, DATE_NAISS=born)
    text = students_xml(pupil, structures("77", "2MELEC1")).replace(steps.UAI, steps.OTHER_UAI)
    steps.deposit(joined, [("ElevesSansAdresses.xml", text.encode("iso-8859-15"))])
    steps.apply_import(platform, joined)


def _the_pupil_leaves(platform: Live, left: Visitor) -> None:
    entered = "<DATE_ENTREE>01/09/2026</DATE_ENTREE>"
    text = (FILES / "ElevesSansAdresses.xml").read_bytes().decode("iso-8859-15")
    gone = text.replace(entered, f"{entered}<DATE_SORTIE>{LEFT_ON}</DATE_SORTIE>", 1)
    steps.deposit(left, [("ElevesSansAdresses.xml", gone.encode("iso-8859-15"))])
    steps.apply_import(platform, left)


def _nothing_can_happen_yet(left: Visitor, joined: Visitor) -> None:
    left.menu("Transferts")
    left.sees("0 attend votre décision", "Aucun transfert n’est en cours")
    joined.menu("Transferts")
    joined.sees("Votre établissement n’a pas activé les transferts")
    assert joined.offers("Les activer")


def _the_missing_ine_is_named(joined: Visitor) -> None:
    joined.menu("Transferts")
    joined.follow("Liste des élèves sans INE qui ne pourront pas être transférés")
    joined.sees("TESTEUR", "Alix", "SIECLE")


def _both_read_of_the_conflict(platform: Live, left: Visitor, joined: Visitor) -> None:
    joined.menu("Transferts")
    platform.wait_on_page(joined, "1 attend votre décision")  # what an import brings is looked at by a job
    joined.sees("1 attend votre décision", PUPIL, "la date de naissance diffère", "confirmez")
    left.menu("Transferts")
    left.sees("1 attend autre chose", f"l’établissement {steps.OTHER_UAI} doit confirmer ou refuser")


def _confirmed_it_arrives(platform: Live, left: Visitor, joined: Visitor) -> None:
    joined.follow(PUPIL)
    joined.follow("Confirmer l’identité")
    joined.press("Confirmer et copier")
    joined.sees("le transfert est effectué", "1 fiche")
    left.menu("Transferts")
    left.sees("1 transfert envoyé", "1 fiche")
    titles = platform.rows("SELECT title FROM fiche")
    assert titles == [("Chantier du gymnase",)] * 2  # the school left keeps its own


def _cancelled_and_asked_again(platform: Live, joined: Visitor) -> None:
    joined.follow("Annuler ce transfert")
    joined.press(next(each for each in ("Annuler ce transfert", "Annuler le transfert") if joined.offers(each)))
    assert len(platform.rows("SELECT id FROM fiche")) == 1
    joined.follow("Demander à nouveau")
    joined.press("Demander à nouveau")

    def arrived() -> bool:
        joined.reload()
        return len(platform.rows("SELECT id FROM fiche")) == 2

    platform.wait_until(arrived, "the fiche, a second time")
    joined.menu("Transferts")
    joined.sees("1 transfert reçu")

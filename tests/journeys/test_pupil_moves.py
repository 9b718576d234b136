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
    source, _head = steps.open_school(platform)
    teacher = steps.activate_teacher(
        platform, source, name="BOBINE-TEST", login="anne-maiwenn.bobine-test", school="curie"
    )
    _a_fiche_is_written(teacher)
    destination = steps.create_school(platform, code="chatelet", uai=steps.OTHER_UAI, name="Lycée du Châtelet")
    steps.complete_particulars(destination, email="lycee@chatelet.example")

    _imports_the_pupil(platform, destination, ine="", born="15/03/2010")
    _the_pupil_leaves(platform, source)
    _nothing_can_happen_yet(source, destination)
    steps.switch_transfers_on(destination)
    _the_missing_ine_is_named(destination)
    _imports_the_pupil(platform, destination, ine=INE, born="15/03/2010")
    _both_read_of_the_conflict(platform, source, destination)
    _confirmed_and_agreed_it_arrives(platform, source, destination)
    _cancelled_and_asked_again(platform, destination)
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


def _imports_the_pupil(platform: Live, destination: Visitor, *, ine: str, born: str) -> None:
    pupil = student("77", ine, DATE_NAISS=born)
    text = students_xml(pupil, structures("77", "2MELEC1")).replace(steps.UAI, steps.OTHER_UAI)
    steps.deposit(destination, [("ElevesSansAdresses.xml", text.encode("iso-8859-15"))])
    steps.apply_import(platform, destination)


def _the_pupil_leaves(platform: Live, source: Visitor) -> None:
    entered = "<DATE_ENTREE>01/09/2026</DATE_ENTREE>"
    text = (FILES / "ElevesSansAdresses.xml").read_bytes().decode("iso-8859-15")
    gone = text.replace(entered, f"{entered}<DATE_SORTIE>{LEFT_ON}</DATE_SORTIE>", 1)
    steps.deposit(source, [("ElevesSansAdresses.xml", gone.encode("iso-8859-15"))])
    steps.apply_import(platform, source)


def _nothing_can_happen_yet(source: Visitor, destination: Visitor) -> None:
    source.menu("Transferts")
    source.sees("0 attend votre décision", "Aucun transfert n’est en cours")
    destination.menu("Transferts")
    destination.sees("Votre établissement n’a pas activé les transferts")
    assert destination.offers("Les activer")


def _the_missing_ine_is_named(destination: Visitor) -> None:
    destination.menu("Transferts")
    destination.follow("Liste des élèves sans INE qui ne pourront pas être transférés")
    destination.sees("TESTEUR", "Alix", "SIECLE")


def _both_read_of_the_conflict(platform: Live, source: Visitor, destination: Visitor) -> None:
    destination.menu("Transferts")
    platform.wait_on_page(destination, "1 attend votre décision")  # what an import writes is looked at by a job
    destination.sees("1 attend votre décision", PUPIL, "la date de naissance diffèrent", "confirmez")
    source.menu("Transferts")
    source.sees("1 attend autre chose", "l’autre établissement doit confirmer ou refuser")


def _confirmed_and_agreed_it_arrives(platform: Live, source: Visitor, destination: Visitor) -> None:
    destination.follow(PUPIL)
    destination.follow("Confirmer l’identité")
    destination.press("Confirmer et demander l’accord")
    destination.sees("doit encore donner son accord")
    source.menu("Transferts")
    source.follow(PUPIL)
    source.follow("Donner votre accord")
    source.press("Donner votre accord")
    source.sees("le transfert est effectué", "1 fiche")
    destination.reload()
    destination.sees(steps.UAI, "1 fiche")
    source.menu("Transferts")
    source.sees("1 transfert envoyé", "1 fiche")
    titles = platform.rows("SELECT title FROM fiche")
    assert titles == [("Chantier du gymnase",)] * 2  # the source school keeps its own


def _cancelled_and_asked_again(platform: Live, destination: Visitor) -> None:
    destination.follow("Annuler ce transfert")
    destination.press(
        next(each for each in ("Annuler ce transfert", "Annuler le transfert") if destination.offers(each))
    )
    assert len(platform.rows("SELECT id FROM fiche")) == 1
    destination.follow("Demander à nouveau")
    destination.press("Demander à nouveau")

    def arrived() -> bool:
        destination.reload()
        return len(platform.rows("SELECT id FROM fiche")) == 2

    platform.wait_until(arrived, "the fiche, a second time")
    destination.menu("Transferts")
    destination.sees("1 transfert reçu")

"""A pupil moves from one school to another, and both read where it stands and who must act."""

from __future__ import annotations

from tests.helpers.siecle import FILES, structures, student, students_xml
from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

INE = "990000011DB"
PUPIL = "TESTEUR Alix"
LEFT_ON = "20/11/2026"
A_YEAR_AGO = "2025-11-20 08:00:00.000000"


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
    _a_year_passes_and_the_pupil_is_back(platform, source, destination)
    _gone_from_there_it_must_be_confirmed_again(platform, source, destination)
    _received_again_nothing_is_doubled(platform, source, destination, teacher)
    for school in ("curie", "chatelet"):  # each confirmed once and agreed once, and the other's journal says so too
        journal = platform.journal(school)
        assert (journal.count("transfer:confirmed"), journal.count("transfer:agreed")) == (2, 2)
        assert {"transfer:cancelled", "transfer:asked"} <= set(journal)


def _a_fiche_is_written(teacher: Visitor, title: str = "Chantier du gymnase") -> None:
    teacher.menu("Parcours des apprenants")
    teacher.follow(PUPIL)
    steps.write_fiche(teacher, title)
    teacher.sees("validée")


def _imports_the_pupil(platform: Live, destination: Visitor, *, ine: str, born: str, left_on: str = "") -> None:
    pupil = student("77", ine, DATE_NAISS=born, **({"DATE_SORTIE": left_on} if left_on else {}))
    text = students_xml(pupil, structures("77", "2MELEC1")).replace(steps.UAI, steps.OTHER_UAI)
    steps.deposit(destination, [("ElevesSansAdresses.xml", text.encode("iso-8859-15"))])
    asked = destination.values("confirmations")  # all of this school's pupils leave at once
    steps.apply_import(platform, destination, **({"confirmations": asked} if asked else {}))


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


def _a_year_passes_and_the_pupil_is_back(platform: Live, source: Visitor, destination: Visitor) -> None:
    """The source school's file holds the pupil again, the other's still does: both read which of them must act."""
    steps.deposit(destination, [steps.sample(steps.STS_FILE, steps.OTHER_UAI)])
    steps.apply_import(platform, destination)
    colleague = steps.activate_teacher(
        platform, destination, name="BOBINE-TEST", login="anne-maiwenn.bobine-test", school="chatelet"
    )
    _a_fiche_is_written(colleague, "Chantier de la piscine")
    for table in ("transfer", "transfer_side"):
        platform.let_time_pass(f"UPDATE {table} SET done_at = :then WHERE done_at IS NOT NULL", {"then": A_YEAR_AGO})
    steps.deposit(source, [FILES / "ElevesSansAdresses.xml"])
    steps.apply_import(platform, source)
    for school in (source, destination):
        school.menu("Transferts")
        platform.wait_on_page(school, "1 attend autre chose")
        school.sees("celui des deux qu’il a quitté doit importer à nouveau ses élèves", "1 fiche")
        school.follow(PUPIL, within="même INE présent deux fois")
        school.sees("TESTEUR")
        assert not school.offers("Demander à nouveau")


def _gone_from_there_it_must_be_confirmed_again(platform: Live, source: Visitor, destination: Visitor) -> None:
    """What was confirmed on the way out is asked again on the way back, now of the other school."""
    _imports_the_pupil(platform, destination, ine=INE, born="15/03/2010", left_on="21/11/2026")
    source.menu("Transferts")
    platform.wait_on_page(source, "1 attend votre décision")
    source.sees(PUPIL, "la date de naissance diffèrent", "confirmez", "1 transfert envoyé")
    destination.menu("Transferts")
    destination.sees("1 attend autre chose", "l’autre établissement doit confirmer ou refuser", "1 transfert reçu")


def _received_again_nothing_is_doubled(platform: Live, source: Visitor, destination: Visitor, teacher: Visitor) -> None:
    """Only what the other school wrote arrives; what came from here is not written a second time."""
    source.follow(PUPIL, within="confirmez")
    source.follow("Confirmer l’identité")
    source.press("Confirmer et demander l’accord")
    source.sees("doit encore donner son accord")
    destination.menu("Transferts")
    destination.follow(PUPIL, within="votre accord")
    destination.follow("Donner votre accord")
    destination.press("Donner votre accord")
    destination.sees("le transfert est effectué", "1 fiche")
    source.menu("Transferts")
    source.sees("1 transfert reçu", "1 transfert envoyé")
    destination.menu("Transferts")
    destination.sees("1 transfert reçu", "1 transfert envoyé")
    statement = (
        "SELECT establishment.code, fiche.title FROM fiche"
        " JOIN establishment ON establishment.id = fiche.establishment_id ORDER BY establishment.code, fiche.title"
    )
    both = ["Chantier de la piscine", "Chantier du gymnase"]
    assert platform.rows(statement) == [(school, title) for school in ("chatelet", "curie") for title in both]
    ways = "SELECT source.code, destination.code, transfer.state, transfer.is_current FROM transfer"
    ways += " JOIN establishment AS source ON source.id = transfer.left_id"
    ways += " JOIN establishment AS destination ON destination.id = transfer.joined_id ORDER BY transfer.id"
    found = [(*way, bool(is_current)) for *way, is_current in platform.rows(ways)]
    assert found == [("curie", "chatelet", "done", False), ("chatelet", "curie", "done", True)]
    teacher.menu("Parcours des apprenants")
    teacher.follow(PUPIL)
    teacher.sees("Fiches (2)", *both)
    first = "Premier transfert avec un autre établissement"  # each school is told once of the other
    assert [message["To"] for message in platform.mails() if message["Subject"] == first] == [
        "lycee@curie.example",
        "lycee@chatelet.example",
    ]

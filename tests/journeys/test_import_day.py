"""Import day, everybody working: wrong files, a large one, what was ticked, and undone the next morning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time

from tests.helpers.days import days_from_today
from tests.helpers.siecle import FILES, structures, student
from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

#: Enough for an application that lasts while others work, little enough for a test.
MANY = 3_000
NEWCOMER = "900100"
TEACHER = "anne-maiwenn.bobine-test"


def test_import_day(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    teacher = steps.activate_teacher(platform, administrator, name="BOBINE-TEST", login=TEACHER, school="curie")
    neighbour = steps.create_school(platform, code="chatelet", uai=steps.OTHER_UAI, name="Lycée du Châtelet")
    steps.complete_particulars(neighbour, email="lycee@chatelet.example")

    _the_wrong_files(administrator)
    _the_same_file_twice(administrator)
    _last_years_file_must_be_confirmed(administrator)
    _in_the_evening_a_pupil_arrives_and_another_leaves(platform, administrator)
    _in_the_morning_it_is_undone_once_nobody_works_on_it(platform, administrator, teacher)
    _a_large_one_while_people_work(platform, administrator, teacher, head, neighbour)
    _what_was_ticked_is_what_was_done(platform, administrator)
    _undone(platform, administrator)


def _abandon(administrator: Visitor) -> None:
    administrator.follow("Abandonner cet import")
    administrator.press("Abandonner cet import")


def _the_wrong_files(administrator: Visitor) -> None:
    steps.deposit_refused(administrator, [("ElevesSansAdresses.xml", _other_school())], "0999002X")
    half = (FILES / "ElevesSansAdresses.xml").read_bytes()
    steps.deposit_refused(administrator, [("ElevesSansAdresses.xml", half[: len(half) // 2])], "")
    steps.deposit_refused(administrator, [("photo.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 100)], "photo.jpg")
    administrator.menu("Tableau de bord")
    administrator.sees("11 élèves présents")


def _other_school() -> bytes:
    return (FILES / "ElevesSansAdresses.xml").read_bytes().replace(steps.UAI.encode(), steps.OTHER_UAI.encode())


def _the_same_file_twice(administrator: Visitor) -> None:
    steps.deposit(administrator, steps.samples())
    administrator.sees("Élèves 0 0 0 0 11 0")
    _abandon(administrator)


def _last_years_file_must_be_confirmed(administrator: Visitor) -> None:
    old = (FILES / "ElevesSansAdresses.xml").read_bytes().replace(
        b"<ANNEE_SCOLAIRE>2026", b"<ANNEE_SCOLAIRE>2025"
    )  # fmt: skip
    steps.deposit(administrator, [("ElevesSansAdresses.xml", old)])
    administrator.press("Appliquer l’import")
    assert administrator.status == 422
    administrator.sees("2025")
    administrator.menu("Gérer les imports")


def _in_the_evening_a_pupil_arrives_and_another_leaves(platform: Live, administrator: Visitor) -> None:
    sample = (FILES / "ElevesSansAdresses.xml").read_bytes().decode("iso-8859-15")
    arrived, place = student(NEWCOMER, "", NOM_DE_FAMILLE="ARRIVANTE", PRENOM="Lise"), structures(NEWCOMER, "2MELEC1")
    text = sample.replace("</ELEVES>", f"{arrived}</ELEVES>").replace("</STRUCTURES>", f"{place}</STRUCTURES>")
    entered = "<DATE_ENTREE>01/09/2026</DATE_ENTREE>"
    text = text.replace(entered, f"{entered}<DATE_SORTIE>20/11/2026</DATE_SORTIE>", 1)
    steps.deposit(administrator, [("ElevesSansAdresses.xml", text.encode("iso-8859-15"))])
    steps.apply_import(platform, administrator)
    administrator.sees("Élèves 1 0 1 0 10")
    evening = datetime.combine(days_from_today(-1), time(18), UTC)
    platform.let_time_pass(
        "UPDATE import_run SET applied_at = :evening WHERE id = (SELECT max(id) FROM import_run)",
        {"evening": evening.strftime("%Y-%m-%d %H:%M:%S.%f")},
    )


def _in_the_morning_it_is_undone_once_nobody_works_on_it(
    platform: Live, administrator: Visitor, teacher: Visitor
) -> None:
    """Nothing is undone as long as one pupil it brought has a fiche; the page says so, and never whose it is."""
    teacher.menu("Parcours des apprenants")
    teacher.follow("ARRIVANTE Lise")
    steps.write_fiche(teacher, "Premier jour")
    administrator.menu("Gérer les imports")
    assert not administrator.offers("Annuler le dernier import")
    administrator.follow("Import SIECLE n° 4")
    administrator.sees(
        "ne peut plus être annulé", "un élève qu’il a apporté a depuis des fiches", "Rien n’a été défait"
    )
    administrator.does_not_see("Premier jour")
    assert not administrator.offers("Annuler cet import")
    names = "SELECT last_name, is_active FROM student WHERE last_name IN ('ARRIVANTE', 'TESTEUR') ORDER BY last_name"
    assert [(name, bool(there)) for name, there in platform.rows(names)] == [("ARRIVANTE", True), ("TESTEUR", False)]

    teacher.press("Rendre à son auteur")
    teacher.follow("Supprimer")
    teacher.press("Supprimer la fiche")
    teacher.sees("La fiche est supprimée")
    administrator.menu("Gérer les imports")
    administrator.follow("Annuler le dernier import")
    administrator.sees("Si quelqu’un a travaillé depuis sur ce qu’il a apporté, rien n’est défait")
    administrator.press("Annuler cet import")
    administrator.sees("annulé. Les données sont comme avant lui")
    assert [(name, bool(there)) for name, there in platform.rows(names)] == [("TESTEUR", True)]
    assert platform.rows("SELECT count(*) FROM fiche") == [(0,)]
    assert platform.journal("curie")[-1] == "import:siecle:undone"


def _a_large_one_while_people_work(
    platform: Live, administrator: Visitor, teacher: Visitor, head: Visitor, neighbour: Visitor
) -> None:
    steps.deposit(administrator, steps.many_pupils(MANY))
    platform.wait_on_page(administrator, "Appliquer l’import")
    with ThreadPoolExecutor(4) as pool:
        working = [
            pool.submit(steps.apply_import, platform, administrator),
            pool.submit(_writes_scenarios, platform, teacher),
            pool.submit(_saves_settings, platform, head),
            pool.submit(_imports_too, platform, neighbour),
        ]
        for each in working:
            each.result(timeout=300)
    assert platform.rows("SELECT count(*) FROM student WHERE last_name LIKE 'NOMBREUX%'") == [(MANY,)]
    assert platform.rows("SELECT count(*) FROM scenario") == [(5,)]
    head.menu("Paramètres")
    assert head.field("academy") == "Versailles 4"


def _writes_scenarios(platform: Live, teacher: Visitor) -> None:
    for number in range(5):
        teacher.menu("Scénarios")
        teacher.follow("Écrire un scénario")
        teacher.press("Valider", title=f"Situation {number}")
        steps.try_again_while_busy(platform, teacher)
        teacher.sees("Scénario enregistré")


def _saves_settings(platform: Live, head: Visitor) -> None:
    for number in range(5):
        head.menu("Paramètres")
        head.press("Valider", academy=f"Versailles {number}")
        steps.try_again_while_busy(platform, head)
        head.sees("Enregistré")


def _imports_too(platform: Live, neighbour: Visitor) -> None:
    steps.deposit(neighbour, [("ElevesSansAdresses.xml", _other_school())])
    steps.apply_import(platform, neighbour)


def _what_was_ticked_is_what_was_done(platform: Live, administrator: Visitor) -> None:
    """Of two teachers who left STS, the one ticked on the page that applies is deactivated, the other stays."""
    text = (FILES / steps.STS_FILE).read_bytes().decode("iso-8859-15")
    for number in ("99003", "99001"):
        start = text.index(f'<INDIVIDU ID="{number}"')
        text = text[:start] + text[text.index("</INDIVIDU>", start) + len("</INDIVIDU>") :]
    steps.deposit(administrator, [(steps.STS_FILE, text.encode("iso-8859-15"))])
    administrator.sees("Désactivations proposées")
    labels = {administrator.label_of(box): box for box in administrator.page.xpath("//input[@type='checkbox']")}
    noeud = next(box for label, box in labels.items() if "NŒUD" in label)
    steps.apply_import(platform, administrator, **{noeud.get("name"): [noeud.get("value")]})
    active = dict(platform.rows("SELECT login, is_active FROM account WHERE role = 'teacher'"))
    assert not active["eloise.noeud"]
    assert active["gerard.cuivre-fictif"]


def _undone(platform: Live, administrator: Visitor) -> None:
    administrator.follow("Annuler cet import")
    administrator.press("Annuler cet import")

    def undone() -> bool:
        return bool(dict(platform.rows("SELECT login, is_active FROM account"))["eloise.noeud"])

    platform.wait_until(undone, "the teacher, active again")
    assert "import:siecle:undone" in platform.journal("curie")

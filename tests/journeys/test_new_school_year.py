"""A new school year: those who left are frozen, codes handed out, mandates ended, all led to by one page."""

from __future__ import annotations

from datetime import date, timedelta

from cpro.students.queries import kept_since
from tests.helpers.days import days_from_today, today
from tests.helpers.siecle import FILES
from tests.journeys import steps
from tests.journeys.live import Live
from tests.journeys.visitor import Visitor

TEACHER = "anne-maiwenn.bobine-test"
#: A pupil of the sample files who is in none of the next.
LEAVER = "DOUBLESTRUCTURE"


def test_new_school_year(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    teacher = steps.activate_teacher(platform, administrator, name="BOBINE-TEST", login=TEACHER, school="curie")
    _fiches_were_written(teacher)
    _the_head_opened_an_access_last_year(head)
    administrator.menu("Rentrée")
    administrator.sees("Rattacher les formations (MEF) à un diplôme", "1 formation sans diplôme")
    administrator.sees("Reste « Rattacher les formations (MEF) à un diplôme »")

    _the_files_without_those_who_left(platform, administrator)
    _who_left_is_frozen(teacher)
    _what_remains_is_done_from_the_page(administrator)
    _the_head_does_theirs(platform, head)
    _it_ends_with_a_report(administrator, head)
    assert "new-year:finished" in platform.journal("curie")
    _old_records_are_forgotten_on_their_day(platform, head)


def _fiches_were_written(teacher: Visitor) -> None:
    for pupil in (LEAVER, "TESTEUR Alix"):
        teacher.menu("Parcours des apprenants")
        teacher.follow(pupil)
        steps.write_fiche(teacher, f"Chantier de {pupil}")
        teacher.sees("validée")


def _the_head_opened_an_access_last_year(head: Visitor) -> None:
    head.menu("Paramètres")
    head.menu("Accès inspecteur")
    head.press(
        "Ouvrir l’accès",
        name="Inès Quartz",
        email="ines.quartz@inspection.example",
        starts_on=today().isoformat(),
        ends_on=days_from_today(20).isoformat(),
        purpose="Visite de l’an dernier",
        scope="tous",
    )
    head.sees("Inès Quartz")


def _the_files_without_those_who_left(platform: Live, administrator: Visitor) -> None:
    """Import a file in which a pupil is no more: the analysis says so before anything is written."""
    text = (FILES / "ElevesSansAdresses.xml").read_bytes().decode("iso-8859-15")
    name = text.index(f"<NOM_DE_FAMILLE>{LEAVER}<")
    start = text.rindex("<ELEVE ", 0, name)
    text = text[:start] + text[text.index("</ELEVE>", name) + len("</ELEVE>") :]
    administrator.follow("Gérer les imports (Importer les élèves)")
    administrator.press("Analyser les fichiers", files=[("ElevesSansAdresses.xml", text.encode("iso-8859-15"))])
    administrator.sees("Élèves 0 0 1 0 10 0")
    steps.apply_import(platform, administrator)
    assert platform.rows(
        "SELECT is_active, left_on IS NOT NULL FROM student WHERE last_name = :name", {"name": LEAVER}
    ) == [(False, True)]


def _who_left_is_frozen(teacher: Visitor) -> None:
    """Their records are read and no more written."""
    teacher.menu("Parcours des apprenants")
    teacher.press("Filtrer", situation=teacher.value_called("situation", "partis"))
    teacher.follow(LEAVER)
    teacher.sees("Lecture seule", "ses fiches, ses évaluations et ses bilans sont figés")
    assert not teacher.offers("Écrire une fiche")
    teacher.follow(f"Chantier de {LEAVER}")
    assert not teacher.offers("Modifier")
    assert not teacher.offers("Rendre à son auteur")


def _what_remains_is_done_from_the_page(administrator: Visitor) -> None:
    administrator.menu("Rentrée")
    administrator.sees("1 élève parti depuis juillet")
    administrator.follow("Voir les formations (Rattacher les formations (MEF) à un diplôme)")
    administrator.follow("Corriger 1CAP2")
    administrator.press("Valider", diploma=administrator.value_called("diploma", "CAP Électricien"))
    administrator.menu("Rentrée")
    administrator.follow("Ouvrir les comptes des élèves (Ouvrir les comptes et remettre les codes)")
    administrator.follow("Ouvrir les comptes de tous (10)")
    administrator.press("Ouvrir 10 comptes")
    assert administrator.status == 200, administrator.text
    administrator.menu("Rentrée")
    administrator.follow("Imprimer les fiches (Ouvrir les comptes et remettre les codes)")
    administrator.fill_and_press("Préparer les fiches", {"format": "csv"})
    administrator.menu("Rentrée")
    administrator.press("C’est relu : Relire les masques de saisie")
    administrator.sees("« Relire les masques de saisie » : relu")


def _the_head_does_theirs(platform: Live, head: Visitor) -> None:
    head.menu("Rentrée")
    head.sees("1 accès en cours")
    head.follow("Voir les accès inspecteur (Relire les accès inspecteur)")
    head.follow("Fermer l’accès d’Inès Quartz")
    head.press("Fermer l’accès", reason="Nouvelle année")
    head.menu("Rentrée")
    head.sees("0 accès en cours")
    head.press("C’est relu : Relire les accès inspecteur")
    head.sees("« Relire les accès inspecteur » : relu")


def _it_ends_with_a_report(administrator: Visitor, head: Visitor) -> None:
    administrator.menu("Rentrée")
    administrator.follow("Terminer la rentrée")
    administrator.press("Terminer la rentrée")
    administrator.sees("est terminée", "Vérifier les départs fait 1 élève parti depuis juillet")
    head.menu("Rentrée")
    head.sees("Cette rentrée est terminée")
    head.menu("Tableau de bord")
    head.does_not_see("Préparer la rentrée")


def _old_records_are_forgotten_on_their_day(platform: Live, head: Visitor) -> None:
    """The head reads the day from the page of the new year; nothing goes before it, everything on it."""
    head.menu("Rentrée")
    head.follow("Voir ce qui sera effacé, et quand")
    left_on = today()
    head.sees(f"{LEAVER} Ÿvaine 2MELEC1 {left_on:%d/%m/%Y} 1")
    _the_night_comes(platform, left_on=kept_since(3, today()))
    head.reload()
    head.sees(f"1 {today() + timedelta(days=1):%d/%m/%Y}", "seront supprimées la nuit prochaine 0")
    assert _titles(platform) == [f"Chantier de {LEAVER}", "Chantier de TESTEUR Alix"]
    assert "records:expired" not in platform.journal("curie")

    _the_night_comes(platform, left_on=kept_since(3, today()) - timedelta(days=1))
    head.reload()
    head.sees("Aucun ancien apprenant n’a de fiche, d’évaluation ni de bilan ici")
    assert _titles(platform) == ["Chantier de TESTEUR Alix"]
    assert platform.journal("curie").count("records:expired") == 1
    kept = "SELECT count(*) FROM student WHERE last_name = :name"  # that they were here is kept, nothing of their work
    assert platform.rows(kept, {"name": LEAVER}) == [(1,)]
    assert {message["To"] for message in platform.mails()} == {"chef@curie.example", "ines.quartz@inspection.example"}


def _the_night_comes(platform: Live, *, left_on: date) -> None:
    """Let years pass since the pupil left, and run the task of the night by its command."""
    platform.let_time_pass(
        "UPDATE student SET left_on = :day WHERE last_name = :name", {"day": left_on.isoformat(), "name": LEAVER}
    )
    platform.flask("records", "expire")


def _titles(platform: Live) -> list[str]:
    return [title for (title,) in platform.rows("SELECT title FROM fiche ORDER BY title")]

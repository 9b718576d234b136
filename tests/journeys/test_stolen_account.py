"""A stolen account: the head closes a role, the thief's page does nothing more, everybody comes back with new codes."""

from __future__ import annotations

import csv
import io

import pytest
from pypdf import PdfReader

from tests.journeys import steps
from tests.journeys.live import CODE, Live
from tests.journeys.visitor import NotOffered, Visitor

VICTIM, COLLEAGUE = "anne-maiwenn.bobine-test", "gerard.cuivre-fictif"
NEW_PASSWORD = "Girafe-et-zebre-42!"  # pragma: allowlist secret
HEAD_MAILBOX = "chef@curie.example"


def test_stolen_account(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    steps.attach_courses(administrator)
    victim = steps.activate_teacher(platform, administrator, name="BOBINE-TEST", login=VICTIM, school="curie")
    lost_sheet = steps.create_sheets(administrator, pour="role", role="teacher")[COLLEAGUE]
    thief = steps.sign_in(platform, "thief", school="curie", login=VICTIM)
    for browser in (thief, victim):
        browser.menu("Scénarios")
        browser.follow("Écrire un scénario")

    _the_head_closes_the_teachers_in_three_steps(platform, head)
    _the_thief_does_nothing_more(platform, thief, lost_sheet)
    victim.press("Valider", title="Tableau d’un atelier")
    victim.sees("Votre session a pris fin")
    assert platform.rows("SELECT count(*) FROM scenario") == [(0,)]

    code = steps.give_code(administrator, "BOBINE-TEST")
    _nobody_but_the_head_reopens(administrator, head)
    new_sheet = _the_administrator_prints_again(administrator)
    assert VICTIM not in new_sheet, "who has a code already needs no other"
    steps.activate(platform, "colleague", school="curie", login=COLLEAGUE, code=new_sheet[COLLEAGUE]["Code"])
    _the_victim_finds_what_they_typed(victim, code)
    thief.press("Se connecter", establishment="curie", login=VICTIM, password=steps.PASSWORD)
    thief.sees("ne vont pas ensemble")
    _the_head_hands_over_the_incident_sheet(head)
    lines = platform.journal("curie")
    assert lines.index("establishment:access:locked") < lines.index("establishment:access:reopened")


def _the_head_closes_the_teachers_in_three_steps(platform: Live, head: Visitor) -> None:
    head.menu("Urgence")
    head.follow("Fermer l’accès des enseignants")
    head.press("Fermer maintenant")
    head.sees("L’accès des enseignants est fermé : 2 sessions terminées", "Enseignants : toujours fermé")
    message = platform.wait_for_mail(HEAD_MAILBOX, count=2)
    assert "a fermé d’urgence l’accès à CPro" in message.get_content().replace("\u202f", " ")
    head.menu("Tableau de bord")
    head.sees("Ne peuvent plus se connecter : enseignants")
    head.follow("Voir ce qui est fermé")


def _the_thief_does_nothing_more(platform: Live, thief: Visitor, lost_sheet: dict[str, str]) -> None:
    thief.press("Valider", title="À moi")
    assert thief.path == "/connexion"
    thief.press("Se connecter", establishment="curie", login=VICTIM, password="Une-devinette-42")
    thief.sees("ne vont pas ensemble")
    thief.does_not_see("fermé")
    thief.press("Se connecter", establishment="curie", login=VICTIM, password=steps.PASSWORD)
    thief.sees("L’accès à CPro est fermé pour le moment", "Adressez-vous au chef d’établissement")
    finder = platform.visitor("finder of a sheet")
    finder.open_site()
    finder.follow("J’ai reçu un code d’activation")
    code, password = lost_sheet["Code"], NEW_PASSWORD
    given = {"establishment": "curie", "login": COLLEAGUE, "code": code}
    finder.press("Enregistrer et se connecter", **given, password=password, password_confirm=password)
    finder.sees("Activation refusée")
    assert platform.rows(
        "SELECT count(*) FROM sign_in WHERE account_id IN (SELECT id FROM account WHERE role = 'teacher')"
    ) == [(0,)]


def _nobody_but_the_head_reopens(administrator: Visitor, head: Visitor) -> None:
    administrator.menu("Urgence")
    assert not administrator.offers("Rouvrir l’accès des enseignants")
    with pytest.raises(NotOffered):
        administrator.follow("Préparer de nouvelles fiches")
    head.follow("Rouvrir l’accès des enseignants")
    head.press("Rouvrir", current_password=steps.PASSWORD)
    head.sees("Rouvert : l’accès des enseignants", "Enseignants : rouvert le")


def _the_administrator_prints_again(administrator: Visitor) -> dict[str, dict[str, str]]:
    administrator.reload()
    administrator.follow("Préparer de nouvelles fiches pour ceux qui n’ont plus de code")
    administrator.press("Préparer les fiches", format="csv")
    administrator.follow("Télécharger le tableau CSV")
    lines = csv.DictReader(io.StringIO(administrator.answer.content.decode("utf-8-sig")), delimiter=";")
    sheets = {line["Identifiant"]: line for line in lines}
    assert all(CODE.fullmatch(line["Code"]) for line in sheets.values())
    return sheets


def _the_victim_finds_what_they_typed(victim: Visitor, code: str) -> None:
    victim.follow("J’ai reçu un code d’activation")
    given = {"establishment": "curie", "login": VICTIM, "code": code}
    victim.press("Enregistrer et se connecter", **given, password=NEW_PASSWORD, password_confirm=NEW_PASSWORD)
    assert victim.field("title") == "Tableau d’un atelier"


def _the_head_hands_over_the_incident_sheet(head: Visitor) -> None:
    head.menu("Urgence")
    head.press("Fiche d’incident (PDF)")
    assert head.answer.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(head.answer.content)).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).replace("\u202f", " ").split())
    for fact in ("Fiche d’incident", "Sessions terminées : 2", "Réouverture, enseignants : le", "À notifier avant le"):
        assert fact in text
    assert "BOBINE" not in text

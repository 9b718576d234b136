"""A bad actor inside: each attempt meets a sentence, and the right person is notified."""

from __future__ import annotations

from tests.journeys import steps
from tests.journeys.live import Live, code_in
from tests.journeys.visitor import Visitor

MINE = "moi@perso.example"


def test_bad_actor(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    teacher = steps.activate_teacher(
        platform, administrator, name="BOBINE-TEST", login="anne-maiwenn.bobine-test", school="curie"
    )
    _the_administrator_wants_to_become_a_further_head(platform, administrator, head)
    _the_administrator_wants_to_become_an_inspector(administrator)
    _the_administrator_wants_to_read_records(administrator)
    _a_pupil_wants_anothers_passport(platform, administrator)
    _a_teacher_wants_another_division(teacher, platform)
    _the_support_reads_no_content_and_no_whole_ine(platform)
    _a_guest_wants_the_journal(platform, head)


def test_administrator_of_a_new_school_cannot_be_its_first_head(platform: Live) -> None:
    administrator = steps.create_school(
        platform, code="neuf", uai=steps.OTHER_UAI, name="Lycée Neuf", head_email="chef@neuf.example"
    )
    steps.complete_particulars(administrator, email=MINE)
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("Créer un utilisateur")
    administrator.press("Valider", last_name="Moi", first_name="Même", role="head")
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("MOI")
    administrator.follow("Réinitialiser")
    administrator.press("Réinitialiser", current_password=steps.PASSWORD)

    assert platform.mails(MINE) == []
    assert "chef@neuf.example" in administrator.text
    assert platform.mails("chef@neuf.example")
    assert steps.UAI not in administrator.text


def _the_administrator_wants_to_become_a_further_head(platform: Live, administrator: Visitor, head: Visitor) -> None:
    """The head consents to a second one; the code goes nowhere the administrator could have said."""
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("Créer un utilisateur")
    administrator.press("Valider", last_name="Adjointe", first_name="Nina", role="head")
    administrator.sees("accord")
    administrator.menu("Paramètres")
    administrator.press("Valider", email=MINE)
    administrator.sees("tapez votre mot de passe")
    administrator.press("Valider", current_password=steps.PASSWORD)
    administrator.sees("Enregistré")
    recipients = [str(each["To"]) for each in platform.mails()]
    assert "lycee@curie.example" in recipients  # the old address learns of it at once

    head.menu("Gérer les profils utilisateurs")
    head.follow("ADJOINTE")
    assert head.offers("Donner son accord") or head.offers("Donner mon accord")
    label = "Donner mon accord" if head.offers("Donner mon accord") else "Donner son accord"
    head.follow(label)
    assert MINE not in head.text or "confirm" in head.text

    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("ADJOINTE")
    assert all(str(each["To"]) != MINE or "code" not in str(each["Subject"]) for each in platform.mails())


def _the_administrator_wants_to_become_an_inspector(administrator: Visitor) -> None:
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("Créer un utilisateur")
    assert not {"inspector", "support"} & set(administrator.values("role"))
    administrator.menu("Paramètres")
    administrator.menu("Accès inspecteur")
    assert not administrator.offers("Ouvrir l’accès")
    administrator.sees("Seul le chef d’établissement ouvre")


def _the_administrator_wants_to_read_records(administrator: Visitor) -> None:
    for content in ("Parcours des apprenants", "Scénarios", "Passeports"):
        assert not administrator.offers(content)
    administrator.menu("Élèves")
    administrator.follow("TESTEUR")
    for content in ("Fiches", "Évaluations", "Bilans", "Télécharger le passeport"):
        assert not administrator.offers(content)
    administrator.open_received("/eleves/1")
    assert administrator.status == 403
    administrator.open_received("/passeport/1.pdf")
    assert administrator.status == 403


def _a_pupil_wants_anothers_passport(platform: Live, administrator: Visitor) -> None:
    administrator.menu("Élèves")
    administrator.follow("TESTEUR")
    administrator.follow("Ouvrir un compte") if administrator.offers("Ouvrir un compte") else None
    administrator.press(next(each for each in ("Ouvrir 1 compte", "Ouvrir un compte") if administrator.offers(each)))
    pupil = steps.activate(
        platform, "pupil", school="curie", login="alix.testeur", code=steps.give_code(administrator, "TESTEUR")
    )
    own = platform.rows("SELECT id FROM student WHERE last_name = 'TESTEUR'")[0][0]
    others = [each for (each,) in platform.rows("SELECT id FROM student") if each != own]
    for each in others[:3]:
        pupil.open_received(f"/passeport/{each}.pdf")
        assert pupil.status in (403, 404)
        pupil.open_received(f"/eleves/{each}")
        assert pupil.status in (403, 404)


def _a_teacher_wants_another_division(teacher: Visitor, platform: Live) -> None:
    [(other,)] = platform.rows("SELECT id FROM division WHERE code = '1CAPMM'")
    teacher.open_received(f"/eleves/evaluer/{other}")
    assert teacher.status in (403, 404)
    [(pupil,)] = platform.rows("SELECT id FROM student WHERE last_name = 'APPRENTI'")
    teacher.open_received(f"/eleves/{pupil}")
    assert teacher.status in (403, 404)


def _the_support_reads_no_content_and_no_whole_ine(platform: Live) -> None:
    printed = platform.flask("platform-users", "create", "support@platform.example", "--role", "support")
    support = steps.activate(
        platform, "support", school="", login="support@platform.example", code=code_in(printed),
        password="Basalte-et-granit-42",
    )  # fmt: skip
    support.press("Entrer : Lycée Marie-Curie")
    support.menu("Élèves")
    support.sees("TESTEUR")
    assert "990000011DB" not in support.answer.content.decode()
    support.follow("TESTEUR")
    assert "990000011DB" not in support.answer.content.decode()
    support.open_received("/eleves/1")
    assert support.status == 403


def _a_guest_wants_the_journal(platform: Live, head: Visitor) -> None:
    guest = platform.visitor("guest")
    guest.open_received("/admin/journal/")
    assert guest.title == "Se connecter"
    head.menu("Journal")
    head.sees("refusé")

"""A bad actor inside: each attempt meets a sentence, and the right person is notified."""

from __future__ import annotations

from tests.helpers.days import today
from tests.journeys import steps
from tests.journeys.live import Live, code_in, link_in
from tests.journeys.visitor import Visitor

MINE = "moi@perso.example"


def test_bad_actor(platform: Live) -> None:
    administrator, head = steps.open_school(platform)
    teacher = steps.activate_teacher(
        platform, administrator, name="BOBINE-TEST", login="anne-maiwenn.bobine-test", school="curie"
    )
    _the_administrator_wants_to_become_a_further_head(platform, administrator, head)
    _the_administrator_wants_to_become_a_new_teacher(platform, administrator, head)
    _the_administrator_posts_what_no_page_offers(platform, administrator)
    _the_administrator_wants_to_become_an_inspector(administrator)
    _the_administrator_wants_to_read_records(administrator)
    _a_pupil_wants_anothers_passport(platform, administrator)
    _a_teacher_wants_another_division(teacher, platform)
    _the_inspector_wants_a_second_diploma(platform, head)
    _the_support_reads_no_content_and_no_whole_ine(platform)
    _a_guest_wants_the_journal(platform, head)
    _the_administrator_takes_a_teachers_place(platform, administrator, teacher, head)


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


def _mailbox(platform: Live, address: str) -> str:
    return "\n".join(str(each.get_content()) for each in platform.mails(address))


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
    platform.wait_for_mail("lycee@curie.example")  # the old address learns of it at once

    head.menu("Gérer les profils utilisateurs")
    head.follow("ADJOINTE")
    assert head.offers("Donner son accord") or head.offers("Donner mon accord")
    label = "Donner mon accord" if head.offers("Donner mon accord") else "Donner son accord"
    head.follow(label)
    assert MINE not in head.text or "confirm" in head.text

    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("ADJOINTE")
    assert all(str(each["To"]) != MINE or "code" not in str(each["Subject"]) for each in platform.mails())


def _the_administrator_wants_to_become_a_new_teacher(platform: Live, administrator: Visitor, head: Visitor) -> None:
    """A teacher who does not exist waits for the head, who is told; no code can be drawn meanwhile."""
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("Créer un utilisateur")
    administrator.press("Valider", last_name="Inventé", first_name="Odile", role="teacher")
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("INVENTÉ")
    assert not administrator.offers("Réinitialiser")
    assert not administrator.offers("Fiche d’activation")
    [(invented,)] = platform.rows("SELECT id FROM account WHERE last_name = 'Inventé'")
    administrator.menu("Paramètres")  # a page with a token
    administrator.forge("/admin/utilisateurs/reinitialiser/", id=str(invented), current_password=steps.PASSWORD)
    administrator.sees("accord")
    assert platform.rows("SELECT id FROM activation_code WHERE account_id = :id", {"id": invented}) == []

    head.menu("Tableau de bord")
    head.sees("Donner l’accord du chef d’établissement")


def _the_administrator_posts_what_no_page_offers(platform: Live, administrator: Visitor) -> None:
    """What only the head does is refused in a sentence, writes nothing, and is in the journal."""
    waiting = platform.rows("SELECT id FROM account WHERE consent_needed AND consented_at IS NULL ORDER BY id")
    [(head_id,)] = platform.rows("SELECT id FROM account WHERE role = 'head' AND activated_at IS NOT NULL")
    administrator.menu("Paramètres")
    for path, fields in (
        ("/admin/utilisateurs/action/", {"action": "consent", "rowid": str(waiting[0][0]), "confirme": "oui"}),
        ("/admin/utilisateurs/action/", {"action": "seen", "rowid": str(waiting[-1][0]), "confirme": "oui"}),
        ("/admin/utilisateurs/accord-enseignants", {"exiger": "aucun"}),
        ("/admin/utilisateurs/desactiver/", {"id": str(head_id)}),
        ("/admin/utilisateurs/reinitialiser/", {"id": str(head_id), "current_password": steps.PASSWORD}),
        (f"/admin/utilisateurs/edit/?id={head_id}", {"email": MINE}),
        ("/admin/parametres/acces-inspecteur", {"name": "Moi", "email": MINE, "diplomas": "40025520"}),
    ):
        administrator.menu("Paramètres") if not administrator.page.xpath("//input[@name='csrf_token']") else None
        administrator.forge(path, **fields)
        assert administrator.status in (403, 404, 409) or "Le compte d’un chef" in administrator.text, path
        assert administrator.text, path
    assert platform.rows("SELECT id FROM account WHERE consent_needed AND consented_at IS NULL ORDER BY id") == waiting
    assert platform.rows("SELECT is_active, email FROM account WHERE id = :id", {"id": head_id})[0][0]
    assert "access:refused" in platform.journal("curie")
    assert "mandate:opened" not in platform.journal("curie")
    assert platform.mails(MINE) == []


def _the_inspector_wants_a_second_diploma(platform: Live, head: Visitor) -> None:
    """An access for one diploma opens no pupil of another, at whatever address; the head reads what was opened."""
    head.menu("Paramètres")
    head.menu("Accès inspecteur")
    day = today().isoformat()
    fields = {"starts_on": day, "ends_on": day, "purpose": "Visite", "diplomas": ["40025520"]}
    head.press("Ouvrir l’accès", name="Inès Quartz", email="ines@inspection.example", scope="choisis", **fields)
    message = platform.wait_for_mail("ines@inspection.example")
    inspector = platform.visitor("inspector")
    inspector.open_received(link_in(message))
    password = "Basalte-et-granit-43"
    inspector.press("Enregistrer et se connecter", code=code_in(message), password=password, password_confirm=password)
    inspector.press("Entrer : Lycée Marie-Curie")
    inspector.does_not_see("APPRENTI")
    [(other,)] = platform.rows("SELECT id FROM student WHERE last_name = 'APPRENTI'")
    for address in (f"/eleves/{other}", f"/passeport/{other}.pdf", f"/admin/eleves/details/?id={other}"):
        inspector.open_received(address)
        assert inspector.status in (403, 404), address
        assert "APPRENTI" not in inspector.answer.content.decode()
    inspector.open_received("/admin/journal/")
    assert inspector.status == 403


def _the_administrator_takes_a_teachers_place(
    platform: Live, administrator: Visitor, teacher: Visitor, head: Visitor
) -> None:
    """Drawing a code for a teacher ends the teacher's sign-ins, writes to them, and stands in the head's journal."""
    own = "maiwenn@ecole.example"
    teacher.open_site()
    [(first, last)] = platform.rows("SELECT first_name, last_name FROM account WHERE upper(last_name) = 'BOBINE-TEST'")
    teacher.menu(f"Mon compte : {first} {last.upper()}")
    teacher.follow("Voir ou changer mon adresse électronique")
    teacher.press("Enregistrer mon adresse", email=own, current_password=steps.PASSWORD)
    steps.give_code(administrator, "BOBINE-TEST")
    platform.wait_until(lambda: "a préparé un code d’activation" in _mailbox(platform, own), "the teacher is told")
    teacher.reload()
    assert teacher.title == "Se connecter"
    head.menu("Journal")
    head.sees("BOBINE-TEST")


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

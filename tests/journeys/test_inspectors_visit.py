"""An inspector's visit: invited while the relay is down, reads, is refused the rest, closed while reading."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.days import days_from_today, today
from tests.helpers.mail_server import Sink
from tests.journeys import steps
from tests.journeys.conftest import empty_database
from tests.journeys.live import Live, code_in, link_in, live
from tests.journeys.visitor import Visitor

INSPECTOR = "ines.quartz@inspection.example"
INSPECTOR_PASSWORD = "Basalte-et-granit-42"


def test_inspectors_visit(tmp_path: Path) -> None:
    server = Sink()
    server.start()
    with empty_database(tmp_path) as address, live(tmp_path, address, mail_server=server) as platform:
        administrator, head = steps.open_school(platform)
        play(platform, server, administrator, head)
    server.stop()


def play(platform: Live, server: Sink, administrator: Visitor, head: Visitor) -> None:
    """Play the visit, however its people browse; `server` takes the mails, and begins again after its hour."""
    server.stop()
    _head_opens_an_access(head)
    head.sees("Dernier message")
    platform.wait_on_page(head, "en attente")

    server.start()
    platform.let_time_pass("UPDATE job SET not_before = created_at WHERE kind LIKE 'mail:%'")
    platform.let_time_pass("UPDATE mail_message SET next_try_at = created_at WHERE state_value = 'waiting'")
    message = platform.wait_for_mail(INSPECTOR)
    inspector = platform.visitor("inspector")
    inspector.open_received(link_in(message))
    inspector.press(
        "Enregistrer et se connecter",
        code=code_in(message),
        password=INSPECTOR_PASSWORD,
        password_confirm=INSPECTOR_PASSWORD,
    )
    inspector.press("Entrer : Lycée Marie-Curie")
    inspector.sees("en lecture seule")
    inspector.does_not_see("APPRENTI")  # a pupil of the other diploma
    inspector.follow("TESTEUR Alix")
    inspector.sees("Alix TESTEUR")
    inspector.menu("Scénarios")
    inspector.sees("Scénarios")
    for refused in ("Journal", "Gérer les imports", "Gérer les profils utilisateurs", "Transferts"):
        assert not inspector.offers(refused)

    _head_extends_it(head)
    head.follow("Consultations d’Inès Quartz")
    head.sees("Alix TESTEUR", "Scénarios", "a rejoint l’établissement")
    _head_closes_it(head)
    inspector.menu("Parcours des apprenants")
    inspector.sees("a pris fin, ou vient d’être fermé")
    assert not inspector.offers("Entrer : Lycée Marie-Curie")

    administrator.menu("Paramètres")
    administrator.menu("Accès inspecteur")
    administrator.sees("Seul le chef d’établissement ouvre")
    assert not administrator.offers("Ouvrir l’accès")
    assert {"mandate:opened", "mandate:extended", "mandate:closed"} <= set(platform.journal("curie"))


def _head_opens_an_access(head: Visitor) -> None:
    head.menu("Paramètres")
    head.menu("Accès inspecteur")
    head.press(
        "Ouvrir l’accès",
        name="Inès Quartz",
        email=INSPECTOR,
        scope="choisis",
        starts_on=today().isoformat(),
        ends_on=days_from_today(1).isoformat(),
        purpose="Visite de la terminale",
        diplomas=["40025520"],
    )
    head.sees("Accès ouvert à Inès Quartz")


def _head_extends_it(head: Visitor) -> None:
    head.menu("Paramètres")
    head.menu("Accès inspecteur")
    head.follow("Prolonger l’accès")
    head.press("Prolonger l’accès", ends_on=days_from_today(2).isoformat())
    head.menu("Paramètres")
    head.menu("Accès inspecteur")


def _head_closes_it(head: Visitor) -> None:
    head.menu("Paramètres")
    head.menu("Accès inspecteur")
    head.follow("Fermer l’accès")
    head.press("Fermer l’accès", reason="La visite est terminée")
    head.sees("fermé")

"""« Qui a accès »: every access to the whole school stands on one page, with the way to end it, for the head alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit import visits
from cpro.audit.operations import About, record
from cpro.core.permissions import ROLE_PERMISSIONS, Actor, Permission, Role
from cpro.inspectors.models import MandateDiploma
from cpro.students.models import Diploma
from cpro.users.models import Account, PlatformAccount
from tests.factories import World, make_account, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.statements import statements_sent

PAGE = "/admin/acces"
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]


def cells(browser: Browser, name: str) -> list[str]:
    """Return the row of the page that begins with a name."""
    return next(row for row in Page(browser.get(PAGE)).rows() if row[0].startswith(name))


@pytest.fixture(autouse=True)
def monday() -> object:
    """Have these tests happen one Monday."""
    with time_machine.travel(MORNING, tick=True):
        yield


class TestInspectors:
    def test_accesses_name_the_diplomas_and_the_days_of_a_mandate(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            diploma = session.query(Diploma).first()
            assert diploma is not None
            mandate = make_mandate(world, all_diplomas=False, ends_on=date(2027, 6, 30))
            mandate.diplomas = [MandateDiploma(establishment_id=world.a.id, diploma_id=diploma.id)]
            session.add(mandate)
            session.flush()
            mandate_id = mandate.id
        head = as_("head")

        row = cells(head, "Dominique Schiste")

        assert row[1:3] == ["en cours", "Bac pro MELEC, du 01/01/2020 au 30/06/2027"]
        assert row[3:5] == ["travaux des apprenants, élèves et divisions", "jamais"]
        links = Page(head.get(PAGE)).links
        for act in ("consultations", "prolonger", "fermer"):
            address = f"/admin/parametres/inspecteurs/{mandate_id}/{act}"
            assert address in links
            assert head.get(address).status_code == 200

    @pytest.mark.parametrize(
        ("starts_on", "ends_on", "state"),
        [
            (date(2020, 1, 1), date(2026, 11, 23), "se termine aujourd’hui"),
            (date(2020, 1, 1), date(2026, 11, 30), "se termine dans 7 jours"),
            (date(2020, 1, 1), date(2026, 12, 1), "en cours"),
            (date(2026, 11, 24), date(2026, 11, 25), "à venir"),
        ],
    )
    def test_accesses_say_what_ends_soon(
        self, as_: As, world: World, arrange: Arrange, starts_on: date, ends_on: date, state: str
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world, starts_on=starts_on, ends_on=ends_on))

        assert cells(as_("head"), "Dominique Schiste")[1] == state

    def test_accesses_tell_what_is_over_for_a_month_and_never_what_is_another_schools(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        closed = {"closed_by_label": "Claude", "closing_reason": "Finie"}
        with arrange() as session:
            session.add(make_mandate(world, inspector_name="Passée", ends_on=date(2026, 11, 22)))
            session.add(make_mandate(world, inspector_name="Fermée", closed_at=MORNING, **closed))
            long_ago = MORNING - timedelta(days=40)
            session.add(make_mandate(world, inspector_name="Lointaine", closed_at=long_ago, **closed))
            session.add(make_mandate(world, inspector_name="Ancienne", ends_on=date(2026, 10, 1)))
            session.add(make_mandate(world, "b", inspector_name="Voisine"))
        head = as_("head")

        text = Page(head.get(PAGE)).text

        assert not {"Lointaine", "Ancienne", "Voisine"} & {*text.split()}
        assert "Aucun accès inspecteur n’est en cours ni à venir." in text
        assert cells(head, "Fermée")[1] == "fermé le 23/11/2026 à 10 h 00"
        assert cells(head, "Passée")[1] == "terminé"
        assert not [link for link in Page(head.get(PAGE)).links if link.endswith("/fermer")]

    def test_accesses_say_when_the_inspector_was_there_last(self, as_: As, world: World, arrange: Arrange) -> None:
        with arrange() as session:
            session.add_all([make_mandate(world), make_mandate(world, "b")])
        inspector = as_("inspector", enter="a")
        inspector.get("/admin/divisions/")

        assert cells(as_("head"), "Dominique Schiste")[4] == "23/11/2026 à 10 h 00"
        assert cells(as_("head", "b"), "Dominique Schiste")[4] == "jamais"


class TestAccounts:
    def test_accesses_list_heads_and_administrators_with_their_last_sign_in(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            account = session.get_one(Account, world.a.account_ids["administrator"])
            account.last_sign_in_at = MORNING - timedelta(days=3)
            account.activated_at = datetime(2026, 9, 2, tzinfo=UTC)
        head = as_("head")

        row = cells(head, "Alix GRANITE")
        assert (row[1], row[2], row[4]) == (
            "actif",
            "Administrateur, depuis le 02/09/2026",
            "20/11/2026 à 10 h 00",
        )
        assert row[3] == "élèves et divisions, comptes, réglages, journal ; pas les travaux des apprenants"
        row = cells(head, "Claude BASALTE")
        assert row[2].startswith("Chef d’établissement, depuis le ")
        assert row[3] == "travaux des apprenants, élèves et divisions, comptes, réglages, journal"
        assert "Inès" not in Page(head.get(PAGE)).text
        assert f"/admin/utilisateurs/details/?id={world.a.account_ids['administrator']}" in Page(head.get(PAGE)).links

    def test_accesses_lead_to_the_consent_that_a_second_administrator_waits_for(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            second = make_account(world.a.id, Role.ADMINISTRATOR, last_name="Mica", consent_needed=True)
            session.add(second)
            session.flush()
            second_id = second.id
        head, consent = as_("head"), f"/admin/utilisateurs/accord/?id={second_id}"
        assert cells(head, "Prénom MICA")[1] == "attend l’accord du chef"
        assert "rien pour l’instant ; une fois l’accord donné : élèves et divisions" in " ".join(
            cells(head, "Prénom MICA")
        )
        assert consent in Page(head.get(PAGE)).links

        head.get(consent)
        head.post("/admin/utilisateurs/accord/", {"id": str(second_id)})

        row = cells(head, "Prénom MICA")
        assert "rien pour l’instant" not in " ".join(row)
        assert (row[1], "Retirer mon accord" in row[5]) == ("actif", True)

    def test_accesses_offer_no_consent_to_take_back_that_would_be_refused(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            given = {"consent_needed": True, "consented_at": MORNING}
            session.add(make_account(world.a.id, Role.HEAD, last_name="Adjointe", **given))

        assert "Retirer mon accord" not in cells(as_("head"), "Prénom ADJOINTE")[5]

    def test_accesses_leave_out_a_deactivated_account_and_say_what_is_closed(
        self, as_: As, world: World, arrange: Arrange
    ) -> None:
        with arrange() as session:
            session.add(make_account(world.a.id, Role.ADMINISTRATOR, last_name="Partie", is_active=False))
        head = as_("head")
        head.get("/admin/urgence/fermer?role=administrator")
        head.post("/admin/urgence/fermer", {"role": "administrator"})

        assert "PARTIE" not in Page(head.get(PAGE)).text
        assert cells(head, "Alix GRANITE")[1] == "fermé d’urgence"
        assert cells(head, "Claude BASALTE")[1] == "actif"


class TestSupportVisits:
    def test_accesses_say_who_of_the_support_entered_when_and_what_was_opened(self, as_: As, world: World) -> None:
        support = as_("support", enter="a")
        support.get("/admin/parametres/transferts")
        support.get(f"/admin/eleves/details/?id={world.a.student_id}")
        support.post("/ecoles/quitter")

        when, who, left, opened = cells(as_("head"), "23/11/2026")

        assert (when, who, left) == ("23/11/2026 à 10 h 00", "Personne support (Support)", "23/11/2026 à 10 h 00")
        assert opened.startswith("Page des paramètres : Transferts")
        assert "Élève : Zoé SECRET-ALPHA" in opened

    def test_accesses_tell_a_search_and_a_refusal_from_what_was_opened(self, as_: As) -> None:
        support = as_("support", enter="a")
        support.get("/admin/eleves/")
        assert cells(as_("head"), "23/11/2026")[3].startswith("Rien d’inscrit au journal.")

        support.get("/admin/eleves/?recherche=gneiss")
        support.get("/admin/parametres/transferts/effectues")
        assert support.get("/admin/eleves/ouvrir-comptes").status_code == 403

        shown = cells(as_("head"), "23/11/2026")[3]
        assert "Recherche : Élèves" in shown and "Liste : Transferts" in shown
        assert "Accès refusé : Gérer les profils" in shown
        assert "Page : " not in shown

    def test_accesses_keep_two_visits_apart(self, as_: As, world: World) -> None:
        as_("support", enter="a").post("/ecoles/quitter")
        again = as_("support", enter="a")
        again.get("/admin/parametres/transferts")

        rows = [row for row in Page(as_("head").get(PAGE)).rows() if row[0].startswith("23/11/2026")]

        assert [("Transferts" in row[3], row[2]) for row in rows] == [
            (True, "encore présent"),
            (False, "23/11/2026 à 10 h 00"),
        ]

    def test_accesses_read_each_visit_however_much_a_later_one_opened(
        self, as_: As, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visits, "LINES_READ", 1)
        first = as_("support", enter="a")
        first.get(f"/admin/eleves/details/?id={world.a.student_id}")
        first.post("/ecoles/quitter")
        again = as_("support", enter="a")
        for address in ("parametres/transferts", "parametres", f"eleves/details/?id={world.a.student_id}"):
            again.get(f"/admin/{address}")

        later, earlier = (row for row in Page(as_("head").get(PAGE)).rows() if row[0].startswith("23/11/2026"))

        assert earlier[2] == "23/11/2026 à 10 h 00"
        assert "Élève : Zoé SECRET-ALPHA" in earlier[3] and "dans le journal" not in earlier[3]
        assert "Transferts" in later[3] and "d’autres pages encore, dans le journal" in later[3]

    def test_accesses_say_that_a_visit_ended_with_the_session(self, as_: As) -> None:
        as_("support", enter="a")

        with time_machine.travel(MORNING + timedelta(days=1), tick=True):
            assert cells(as_("head"), "23/11/2026")[2] == "à la fin de sa session"

    def test_accesses_say_once_what_is_called_as_its_kind(self, as_: As, world: World, arrange: Arrange) -> None:
        as_("support", enter="a")
        with arrange() as session:
            account = session.query(PlatformAccount).filter_by(role=Role.SUPPORT).one()
            support = Actor("platform", account.id, "Personne support", "support", "test")
            about = About("support_state", "1", "État des traitements")
            record("record:opened", about, by=support, now=MORNING, establishment_id=world.a.id, session=session)

        assert cells(as_("head"), "23/11/2026")[3].count("État des traitements") == 1

    def test_accesses_forget_a_visit_after_a_month_and_never_tell_another_school(self, as_: As) -> None:
        as_("support", enter="a")

        assert "Personne support" not in Page(as_("head", "b").get(PAGE)).text
        with time_machine.travel(MORNING + timedelta(days=32), tick=True):
            assert "Personne support" not in Page(as_("head").get(PAGE)).text


class TestRights:
    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_accesses_are_refused_to_the_others(self, as_: As, role: str) -> None:
        browser = as_(role)

        assert browser.get(PAGE).status_code == 403
        assert f'href="{PAGE}"' not in browser.get("/mon-compte").text

    def test_accesses_are_reached_from_menu_dashboard_and_search(self, as_: As) -> None:
        head = as_("head")

        assert f'href="{PAGE}"' in head.get("/mon-compte").text
        assert PAGE in Page(head.get("/admin/")).links
        assert PAGE not in Page(as_("administrator").get("/admin/")).links
        assert PAGE in Page(head.get("/recherche?q=DDFPT")).links

    def test_accesses_show_each_part_to_those_who_may_read_it(
        self, as_: As, world: World, arrange: Arrange, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world))
        rights = ROLE_PERMISSIONS[Role.ADMINISTRATOR] | {Permission.ACCESSES_VIEW}
        monkeypatch.setitem(ROLE_PERMISSIONS, Role.ADMINISTRATOR, rights)

        text = Page(as_("administrator").get(PAGE)).text

        assert "Alix GRANITE" in text
        assert "Dominique Schiste" not in text


def test_accesses_send_as_many_statements_for_many_rows(app: Flask, as_: As, world: World, arrange: Arrange) -> None:
    head = as_("head")
    as_("support", enter="a").get("/admin/parametres/transferts")
    with arrange() as session:
        session.add(make_mandate(world))
    head.get(PAGE)
    with statements_sent(app) as few:
        head.get(PAGE)
    for _ in range(3):
        as_("support", enter="a").get("/admin/eleves/")
    with arrange() as session:
        session.add_all(make_mandate(world, inspector_name=f"Inspection {rank}") for rank in range(20))
        session.add_all(make_account(world.a.id, Role.HEAD) for _ in range(20))
        given = {"consent_needed": True, "consented_at": MORNING}
        session.add_all(make_account(world.a.id, Role.ADMINISTRATOR, **given) for _ in range(8))

    with statements_sent(app) as many:
        text = head.get(PAGE).text

    assert text.count("Retirer mon accord") == 8
    assert len(many) == len(few)

"""Schools without SIECLE: the template, filled in and deposited on the same page, with the same rules and undoing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.core.spreadsheets import xlsx_file
from cpro.establishments.models import Establishment
from cpro.imports.models import ChangeAction, ImportChange, ImportQuestion
from cpro.students.models import Division, Origin, Student
from cpro.users.models import Account
from tests.factories import NOW, World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import Desk
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
TITLES = ("Nom de famille", "Prénom", "Date de naissance", "INE", "Classe", "Numéro")
ALIX = ("Testeur", "Alix", "14/03/2010", "990000011DB", "CAP1", "")
NOE = ("Agathe", "Noé", "01/02/2010", "", "CAP1", "A-12")
ZOE = ("Onyx", "Zoé", "03/04/2010", "", "CAP2", "")
STAFF_TITLES = ("Civilité", "Nom", "Prénom", "Fonction", "Discipline", "Adresse électronique", "Classes", "Numéro")
MARIE = ("Mme", "Curie", "Marie", "ENS", "Physique", "marie.curie@cfa.example", "CAP1", "P1")
HEAD = ("M.", "Poincaré", "Henri", "DIR", "", "henri@cfa.example", "", "")


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk, arrange: Look, world: World) -> Iterator[None]:
    """Let school A say that it does not use SIECLE."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def admin(as_: As) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def pupils(*rows: tuple[str, ...], titles: tuple[str, ...] = TITLES, encoding: str = "utf-8") -> tuple[str, bytes]:
    """Return a table of pupils as CSV."""
    return "eleves.csv", "\r\n".join(";".join(row) for row in (titles, *rows)).encode(encoding)


def staff(*rows: tuple[str, ...]) -> tuple[str, bytes]:
    """Return a table of staff as CSV."""
    return pupils(*rows, titles=STAFF_TITLES)


def there(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return the pupils of tables by first name."""
    with desk.look() as session:
        codes = {id_: code for id_, code in session.execute(select(Division.id, Division.code))}
        return {
            pupil.first_name: {
                "id": pupil.id,
                "ine": pupil.ine,
                "number": pupil.local_id,
                "division": codes.get(pupil.division_id or 0, ""),
                "active": pupil.is_active,
                "came_by": pupil.came_by.value,
            }
            for pupil in session.scalars(select(Student).where(Student.came_by == Origin.TABLE))
        }


def row_of(browser: Browser, address: str, title: str = "Élèves") -> list[str]:
    """Return a line of the table of figures."""
    return next(row[1:] for row in Page(browser.get(address)).rows() if row[0] == title)


class TestApplyStudentTable:
    def test_apply_student_table_they_arrive_by_their_table_and_are_told_apart(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        page = Page(apply(app, admin, analyse(admin, pupils(ALIX, NOE, ZOE))))

        found = there(desk)
        assert {name: (one["division"], one["number"], one["ine"]) for name, one in found.items()} == {
            "Alix": ("CAP1", None, "990000011DB"),
            "Noé": ("CAP1", "A-12", None),
            "Zoé": ("CAP2", None, None),
        }
        assert "Import hors SIECLE n° 1" in page.text
        assert "a appliqué un import hors SIECLE" in Page(admin.get("/admin/journal/")).text

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
    def test_apply_student_table_in_the_encodings_of_spreadsheets(
        self, app: Flask, admin: Browser, desk: Desk, encoding: str
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ZOE, encoding=encoding)))

        assert list(there(desk)) == ["Zoé"]

    def test_apply_student_table_as_a_workbook(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, ("eleves.xlsx", xlsx_file([TITLES, ALIX, NOE], title="Élèves"))))

        assert sorted(there(desk)) == ["Alix", "Noé"]

    def test_apply_student_table_the_same_table_twice_changes_nothing(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX, NOE)))
        before = there(desk)

        address = analyse(admin, pupils(ALIX, NOE))

        assert row_of(admin, address)[:6] == ["0", "0", "0", "0", "2", "0"]
        apply(app, admin, address)
        assert there(desk) == before

    def test_apply_student_table_ine_then_number_then_a_person_never_the_name_alone(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX, NOE, ZOE)))
        before = there(desk)

        address = analyse(
            admin,
            pupils(
                ("Testeur", "Alixe", *ALIX[2:4], "CAP2", ""),
                ("Agathe", "Noël", *NOE[2:4], "CAP1", "A-12"),
                (*ZOE[:4], "CAP3", ""),
            ),
        )

        assert row_of(admin, address)[:7] == ["0", "2", "0", "0", "0", "0", "1"]
        with desk.look() as session:
            question = session.scalars(select(ImportQuestion)).one()
            field, candidate = question.field, question.candidates[0][0]
        assert candidate == before["Zoé"]["id"]
        admin.post(f"{address}/reponses", {field: str(candidate)})
        apply(app, admin, address)
        after = there(desk)
        assert {one["id"] for one in after.values()} == {one["id"] for one in before.values()}
        assert sorted(after) == ["Alixe", "Noël", "Zoé"]

    def test_apply_student_table_one_button_answers_what_is_obvious(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        many = [("Onyx", f"Zoé{number}", "03/04/2010", "", "CAP2", "") for number in range(5)]
        apply(app, admin, analyse(admin, pupils(*many)))
        moved = [(*one[:4], "CAP3", "") for one in many]
        address = analyse(admin, pupils(*moved))
        assert "5 questions sans réponse" in Page(admin.get(address)).text

        admin.post(f"{address}/reponses", {"geste": "evident"})

        assert row_of(admin, address)[:7] == ["0", "5", "0", "0", "0", "0", "0"]

    def test_apply_student_table_the_absent_are_proposed_unticked_and_counted_once_ticked(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX, NOE, ZOE)))
        address = analyse(admin, pupils(ALIX))
        assert "Désactivations proposées" in Page(admin.get(address)).text
        assert row_of(admin, address)[2] == "0"
        apply(app, admin, address)
        assert all(one["active"] for one in there(desk).values())

        address = analyse(admin, pupils(ALIX))
        admin.post(f"{address}/choix", {"geste": "tout"})
        page = Page(admin.get(address))

        assert row_of(admin, address)[2] == "2"
        assert "2 élèves seraient désactivés sur 3 (67 %)" in page.text
        assert admin.post(f"{address}/appliquer", admin.form(address)).status_code == 422
        apply(app, admin, address, "deactivations")
        assert {name: one["active"] for name, one in there(desk).items()} == {"Alix": True, "Noé": False, "Zoé": False}

    def test_apply_student_table_a_leaving_date_in_the_table_deactivates(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX, NOE)))
        titles = (*TITLES, "Date de sortie")

        address = analyse(admin, pupils((*ALIX, "01/10/2026"), (*NOE, "30/06/2027"), titles=titles))
        apply(app, admin, address, "deactivations")

        assert {name: one["active"] for name, one in there(desk).items()} == {"Alix": False, "Noé": True}

    def test_apply_student_table_a_leaving_date_of_a_namesake_is_asked_about(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        """Without INE nor number, the pupil who leaves is known by name and birth date alone."""
        apply(app, admin, analyse(admin, pupils(ZOE)))
        gone = pupils((*ZOE, "01/10/2026"), titles=(*TITLES, "Date de sortie"))
        address = analyse(admin, gone)

        page = admin.get(address).text
        assert "sorti avant d’être connu ici" not in page
        assert "La même personne" in page
        assert "elle sera créée" not in page  # who has left is not created
        admin.post(f"{address}/reponses", {"geste": "evident"})
        apply(app, admin, address, "deactivations")

        with desk.look() as session:
            zoe = session.scalars(select(Student).where(Student.last_name == "Onyx")).one()
            assert (zoe.is_active, str(zoe.departed_on)) == (False, "2026-10-01")

    def test_apply_student_table_it_is_undone_like_any_other(self, app: Flask, admin: Browser, desk: Desk) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX)))
        before = there(desk)
        address = analyse(admin, pupils(ALIX, NOE, ZOE), staff(MARIE))
        apply(app, admin, address)
        assert len(there(desk)) == 3

        assert admin.post(f"{address}/annuler").status_code == 303

        assert there(desk) == before
        assert "marie.curie" not in desk.accounts()

    def test_apply_student_table_a_pupil_whom_siecle_names_later_came_by_siecle(
        self, app: Flask, admin: Browser, desk: Desk, arrange: Look, world: World
    ) -> None:
        apply(app, admin, analyse(admin, pupils(ALIX)))
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = True

        desk.import_files(desk.file_of({"id": "1", "ine": "990000011DB"}))

        assert there(desk) == {}
        assert desk.students()["1"]["came_by"] == "siecle"

    def test_apply_student_table_a_manual_creation_is_told_apart_too(self, admin: Browser, desk: Desk) -> None:
        admin.post("/admin/eleves/new/", {"last_name": "Main", "first_name": "Écrite", "division": "2ALP"})

        with desk.look() as session:
            assert session.scalars(select(Student.came_by).where(Student.last_name == "Main")).all() == [Origin.HAND]

    def test_apply_student_table_another_schools_number_matches_no_pupil(
        self, app: Flask, admin: Browser, desk: Desk, arrange: Look, world: World
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.b.id, last_name="Autre", local_id="A-12", ine="990000011DB"))

        apply(app, admin, analyse(admin, pupils(ALIX, NOE)))

        assert sorted(there(desk)) == ["Alix", "Noé"]
        with arrange() as session:
            others = session.scalars(select(Student.last_name).where(Student.establishment_id == world.b.id)).all()
        assert sorted(others) == ["Autre", "Secret-beta"]


class TestApplyStaffTable:
    @pytest.mark.parametrize("waits", [False, True])
    def test_apply_staff_table_teachers_wait_as_those_made_by_hand(
        self, app: Flask, admin: Browser, desk: Desk, arrange: Look, world: World, waits: bool
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).typed_teachers_open_at_once = not waits

        apply(app, admin, analyse(admin, pupils(ALIX), staff(MARIE)))

        assert desk.accounts()["marie.curie"]["consent_needed"] == waits

    def test_apply_staff_table_teachers_and_a_first_head_receive_accounts(
        self, app: Flask, admin: Browser, desk: Desk, arrange: Look, world: World
    ) -> None:
        with arrange() as session:
            session.get_one(Account, world.a.account_ids["head"]).is_active = False

        apply(app, admin, analyse(admin, pupils(ALIX), staff(MARIE, HEAD)))

        accounts = desk.accounts()
        assert accounts["marie.curie"]["email"] == "marie.curie@cfa.example"
        assert accounts["marie.curie"]["sts_key"] == "table:P1"
        # An administrator types this table: what it says proves nothing, and the head is to see whom it names.
        assert (accounts["marie.curie"]["confirmed_email"], accounts["marie.curie"]["unseen_by_head"]) == ("", True)
        head = accounts["henri.poincare"]
        # An administrator types this table: the address of a head would be a way into the account.
        assert (head["role"], head["email"], head["password_hash"]) == ("head", "", None)

    def test_apply_staff_table_a_further_head_waits_for_the_one_in_place(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, staff(HEAD)))

        assert desk.accounts()["henri.poincare"]["consent_needed"]

    def test_apply_staff_table_the_head_in_place_is_neither_changed_nor_proposed(
        self, app: Flask, admin: Browser, desk: Desk, world: World
    ) -> None:
        before = desk.accounts()["claude.basalte"]
        row = ("Mme", "Basalte", "Claude", "ENS", "Maths", "pirate@cfa.example", "", "")

        address = analyse(admin, staff(row, MARIE))
        admin.post(f"{address}/choix", {"geste": "tout"})
        apply(app, admin, address)

        assert desk.accounts()["claude.basalte"] == before

    def test_apply_staff_table_the_same_table_twice_changes_nothing(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        table = staff(MARIE, ("M.", "Sans", "Numéro", "ENS", "", "sans.numero@cfa.example", "CAP1, INCONNUE", ""))
        apply(app, admin, analyse(admin, pupils(ALIX), table))
        before = desk.accounts()

        address = analyse(admin, pupils(ALIX), table)

        assert row_of(admin, address, "Personnels")[:6] == ["0", "0", "0", "0", "2", "0"]
        apply(app, admin, address)
        assert desk.accounts() == before

    def test_apply_staff_table_an_address_once_known_is_not_changed_by_a_table(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, staff(MARIE)))

        address = analyse(admin, staff((*MARIE[:5], "autre@cfa.example", *MARIE[6:])))
        apply(app, admin, address)

        assert desk.accounts()["marie.curie"]["email"] == "marie.curie@cfa.example"
        assert "adresse électronique inchangée" in Page(admin.get(f"{address}/constats")).text

    def test_apply_staff_table_a_namesake_is_asked_about(self, app: Flask, admin: Browser, desk: Desk) -> None:
        row = ("Mme", "Quartz", "Inès", "ENS", "", "", "", "")
        address = analyse(admin, staff(row))
        with desk.look() as session:
            question = session.scalars(select(ImportQuestion)).one()
            field, candidate = question.field, question.candidates[0][0]

        assert row_of(admin, address, "Personnels")[5:7] == ["0", "1"]
        admin.post(f"{address}/reponses", {field: str(candidate)})
        apply(app, admin, address)

        assert [name for name in desk.accounts() if name.startswith("ines.quartz")] == ["ines.quartz"]

    def test_apply_staff_table_absent_teachers_are_proposed_unticked(
        self, app: Flask, admin: Browser, desk: Desk, arrange: Look, world: World
    ) -> None:
        with arrange() as session:
            session.add(make_account(world.a.id, Role.TEACHER, login="parti.depuis", last_name="Parti"))
        address = analyse(admin, staff(MARIE))
        apply(app, admin, address)
        assert desk.accounts()["parti.depuis"]["is_active"]

        address = analyse(admin, staff(MARIE))
        with desk.look() as session:
            proposed = session.scalars(
                select(ImportChange).where(ImportChange.run_id == 2, ImportChange.action == ChangeAction.DEACTIVATE)
            ).all()
            wanted = next(each.id for each in proposed if "PARTI" in each.object_label)
        admin.post(f"{address}/choix", {"montre": [each.id for each in proposed], "coche": [wanted]})
        apply(app, admin, address)

        accounts = desk.accounts()
        assert (accounts["parti.depuis"]["is_active"], accounts["ines.quartz"]["is_active"]) == (False, True)

"""The demonstration: two schools as the contract says, loaded once into an empty database."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.validators import is_ine_key_doubtful, normalise_uai
from cpro.establishments.models import Establishment, PictureVersion
from cpro.students.models import Diploma, Division, Student
from cpro.users.models import Account, PlatformAccount
from tests.factories import make_establishment
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up

PASSWORD = "Mot-de-passe-de-demonstration-1"


def load(app: Flask, password: str = PASSWORD) -> Result:
    """Run `flask --app app demo load`."""
    before, app.config["CPRO_DEMO_PASSWORD"] = app.config["CPRO_DEMO_PASSWORD"], password
    try:
        return app.test_cli_runner().invoke(args=["demo", "load"])
    finally:
        app.config["CPRO_DEMO_PASSWORD"] = before


@pytest.fixture
def demo(app: Flask) -> Flask:
    """Return the application with its demonstration."""
    result = load(app)
    assert result.exception is None, result.output
    assert result.stderr == ""
    return app


def school(app: Flask, code: str) -> dict[str, Any]:
    """Return the row of a school."""
    return next(row for row in rows(app, Establishment) if row["code"] == code)


def of(app: Flask, model: Any, code: str) -> list[dict[str, Any]]:
    """Return the rows of a school."""
    return [row for row in rows(app, model) if row["establishment_id"] == school(app, code)["id"]]


class TestLoadCommand:
    @pytest.mark.parametrize("password", [PASSWORD, "Autre-mot-de-passe-2", ""])
    def test_load_command_a_second_load_changes_nothing(self, demo: Flask, password: str) -> None:
        files = sorted(Path(demo.config["CPRO_UPLOADS"]).rglob("*"))

        with nothing_written(demo):
            result = load(demo, password)

        assert result.exit_code == 1
        assert "la démonstration n’a pas été chargée" in result.stderr
        assert sorted(Path(demo.config["CPRO_UPLOADS"]).rglob("*")) == files

    def test_load_command_a_real_school_keeps_it_away(self, app: Flask) -> None:
        set_up(app, lambda session: session.add(make_establishment()))

        with nothing_written(app):
            result = load(app)

        assert result.exit_code == 1
        assert PASSWORD not in result.output


class TestDemoAccounts:
    @pytest.mark.parametrize("establishment", ["lovelace", "chatelet", "0999001W", "0999002x"])
    @pytest.mark.parametrize("login", ["administrateur", "chef", "enseignante", "apprenant"])
    def test_demo_accounts_of_each_school_sign_in(
        self, demo: Flask, browser: Callable[[], Browser], establishment: str, login: str
    ) -> None:
        assert browser().sign_in(establishment, login, PASSWORD).status_code == 303

    @pytest.mark.parametrize("login", ["inspecteur@cpro.example", "support@cpro.example"])
    def test_demo_accounts_of_the_platform_sign_in(
        self, demo: Flask, browser: Callable[[], Browser], login: str
    ) -> None:
        assert browser().sign_in("", login, PASSWORD).status_code == 303

    def test_demo_accounts_hold_the_roles_of_their_names(self, demo: Flask) -> None:
        roles = {"administrateur": "administrator", "chef": "head", "enseignante": "teacher", "apprenant": "student"}

        for code in ("lovelace", "chatelet"):
            assert {row["login"]: row["role"] for row in of(demo, Account, code)} == roles
        assert {row["email"]: row["role"] for row in rows(demo, PlatformAccount)} == {
            "inspecteur@cpro.example": "inspector",
            "support@cpro.example": "support",
        }

    def test_demo_accounts_without_a_password_given_one_is_generated_and_printed_once(
        self, app: Flask, browser: Callable[[], Browser]
    ) -> None:
        result = load(app, "")

        found = re.search(r"Mot de passe de tous les comptes\W+(\S+)", result.stdout)
        assert found is not None
        assert re.fullmatch(r"([0-9a-f]{4}-){4}[0-9a-f]{4}", found[1])
        assert browser().sign_in("lovelace", "chef", found[1]).status_code == 303
        assert browser().sign_in("lovelace", "chef", "").status_code == 422

    def test_demo_accounts_people_are_invented_and_addresses_reserved(self, demo: Flask) -> None:
        addresses = [row["email"] for model in (Account, PlatformAccount) for row in rows(demo, model)]
        addresses += [school(demo, "lovelace")["email"], school(demo, "lovelace")["dpd_email"]]

        assert all(address.endswith(".example") for address in addresses if address)

    def test_demo_accounts_the_password_is_nowhere_in_clear(self, demo: Flask) -> None:
        assert PASSWORD not in str(rows(demo, Account) + rows(demo, PlatformAccount) + rows(demo, AuditEntry))


class TestDemoSchools:
    def test_demo_schools_are_the_two_of_the_contract(self, demo: Flask) -> None:
        schools = [(row["code"], row["uai"], row["name"]) for row in rows(demo, Establishment)]

        assert schools == [
            ("lovelace", "0999001W", "Lycée professionnel Ada Lovelace"),
            ("chatelet", "0999002X", "Lycée professionnel Émilie du Châtelet"),
        ]
        assert all(normalise_uai(uai) == uai for _, uai, _ in schools)

    def test_demo_schools_the_first_is_complete(self, demo: Flask, browser: Callable[[], Browser]) -> None:
        row = school(demo, "lovelace")
        person = browser()
        person.sign_in("lovelace", "administrateur", PASSWORD)

        assert row["email"]
        assert row["postal_code"]
        assert row["signatory_name"]
        assert (row["transfers_enabled"], row["cnil_kind"]) == (True, "registre")
        assert row["cnil_reference"]
        assert "Vous pouvez créer des utilisateurs." in Page(person.get("/admin/parametres/etablissement")).text

    def test_demo_schools_the_second_lacks_its_address_and_has_transfers_off(
        self, demo: Flask, browser: Callable[[], Browser]
    ) -> None:
        row = school(demo, "chatelet")
        person = browser()
        person.sign_in("chatelet", "administrateur", PASSWORD)

        assert (row["email"], row["transfers_enabled"], row["uses_siecle"]) == ("", False, True)
        sentence = "L’adresse électronique manque : 13 apprenants ne peuvent pas exporter leur passeport."
        assert sentence in Page(person.get("/admin/parametres/etablissement")).text

    @pytest.mark.parametrize("tab", ["etablissement", "transferts", "masques?diplome=40025520", "logo"])
    def test_demo_schools_each_tab_opens_and_what_it_holds_is_taken_back_as_it_stands(
        self, demo: Flask, browser: Callable[[], Browser], tab: str
    ) -> None:
        for code in ("lovelace", "chatelet"):
            person, url = browser(), f"/admin/parametres/{tab}"
            person.sign_in(code, "administrateur", PASSWORD)
            assert person.get(url).status_code == 200
            if tab != "logo":
                with nothing_written(demo):
                    assert person.post(url, person.form(url)).status_code == 303

    def test_demo_schools_the_first_has_a_logo_and_a_stamp_that_are_served(
        self, demo: Flask, browser: Callable[[], Browser]
    ) -> None:
        pictures = rows(demo, PictureVersion)
        person = browser()
        person.sign_in("lovelace", "administrateur", PASSWORD)

        assert sorted(row["kind"] for row in pictures) == ["cachet", "logo"]
        assert {row["establishment_id"] for row in pictures} == {school(demo, "lovelace")["id"]}
        for row in pictures:
            answer = person.get(f"/admin/parametres/logo/image/{row['kind']}")
            assert (answer.status_code, answer.mimetype) == (200, row["mimetype"])
        assert "compte peu de pixels" not in Page(person.get("/admin/parametres/logo")).text

    def test_demo_schools_there_are_a_bac_pro_and_a_cap(self, demo: Flask) -> None:
        diplomas = {row["code"]: row["short_label"] for row in rows(demo, Diploma) if row["establishment_id"] is None}

        assert diplomas["40025520"] == "Bac pro MELEC"
        assert any(label.startswith("CAP") for label in diplomas.values())
        prepared = {row["diploma_id"] for row in rows(demo, Division)}
        assert {row["code"] for row in rows(demo, Diploma) if row["id"] in prepared} == {"40025520", "50025524"}


class TestDemoStudents:
    @pytest.mark.parametrize(("code", "about"), [("lovelace", 120), ("chatelet", 12)])
    def test_demo_students_are_as_many_as_the_contract_says(self, demo: Flask, code: str, about: int) -> None:
        active = [row for row in of(demo, Student, code) if row["is_active"]]

        assert about <= len(active) <= about + 2
        assert len({(row["last_name"], row["first_name"]) for row in active}) == len(active)
        assert all(row["division_id"] for row in active[:about])

    @pytest.mark.parametrize("code", ["lovelace", "chatelet"])
    def test_demo_students_some_have_no_ine_and_no_two_share_one(self, demo: Flask, code: str) -> None:
        students = of(demo, Student, code)
        numbers = [row["ine"] for row in students if row["ine"]]

        assert 0 < len([row for row in students if row["ine"] is None]) < len(students) / 4
        assert len(set(numbers)) == len(numbers)
        assert not any(is_ine_key_doubtful(number) for number in numbers)

    def test_demo_students_one_left_the_first_school_and_arrived_in_the_second(self, demo: Flask) -> None:
        shared = [
            ine for ine, times in Counter(row["ine"] for row in rows(demo, Student) if row["ine"]).items() if times > 1
        ]

        assert len(shared) == 1
        (source,) = [row for row in of(demo, Student, "lovelace") if row["ine"] == shared[0]]
        (destination,) = [row for row in of(demo, Student, "chatelet") if row["ine"] == shared[0]]
        assert (source["is_active"], destination["is_active"]) == (False, True)
        assert source["left_on"] is not None
        assert (source["last_name"], source["birth_date"]) == (destination["last_name"], destination["birth_date"])

    def test_demo_students_the_account_of_the_pupil_is_a_pupils(self, demo: Flask) -> None:
        for code in ("lovelace", "chatelet"):
            (account,) = [row for row in of(demo, Account, code) if row["login"] == "apprenant"]
            (student,) = [row for row in of(demo, Student, code) if row["account_id"] == account["id"]]
            assert (student["last_name"], student["first_name"]) == (account["last_name"], account["first_name"])

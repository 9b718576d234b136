"""Accounts created and corrected by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import NoResultFound

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.permissions import Role
from cpro.establishments.gate import GateClosed
from cpro.users.errors import OwnAccount, RoleRefused
from cpro.users.operations import manual
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestCreateManualAccount:
    @pytest.mark.parametrize(
        ("empty", "label"),
        [("name", "le nom"), ("email", "l’adresse électronique"), ("uai", "le code UAI")],
    )
    def test_create_manual_account_waits_for_the_particulars(
        self, app: Flask, office: Office, empty: str, label: str
    ) -> None:
        set_school(app, office.school.id, **{empty: None if empty == "uai" else ""})

        with nothing_written(app), pytest.raises(GateClosed) as refusal:
            office.create()

        assert [each.field for each in refusal.value.missing] == [empty]
        assert label in refusal.value.message.lower().replace("uai", "UAI")
        assert refusal.value.status == 409

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("last_name", "   "),
            ("first_name", ""),
            ("first_name", "x" * 101),
            ("last_name", "a\x00b"),
            ("email", "pas une adresse"),
            ("civility", "Dr"),
            ("discipline", "x" * 101),
            ("role", ""),
            ("role", "proviseur"),
            ("role", "inspector"),
            ("role", "support"),
        ],
    )
    def test_create_manual_account_blames_the_field(self, app: Flask, office: Office, field: str, value: str) -> None:
        with nothing_written(app), pytest.raises(FieldErrors) as refusal:
            office.create(**{field: value})

        assert set(refusal.value.errors) == {field}

    def test_create_manual_account_an_inspector_comes_by_a_mandate_only(self, office: Office) -> None:
        with pytest.raises(FieldErrors, match="mandat"):
            office.create("inspector")

    def test_create_manual_account_keeps_what_was_typed(self, office: Office) -> None:
        account = office.find(
            office.create(civility="Mme", last_name=" Mica ", email="Zoe@TEST.example", discipline="Génie électrique")
        )

        assert (account.civility, account.last_name, account.first_name) == ("Mme", "Mica", "Zoé")
        assert (account.email, account.discipline) == ("Zoe@test.example", "Génie électrique")
        assert (account.role, account.is_active, account.is_pending) == (Role.TEACHER, True, False)
        assert account.password_hash is None

    @pytest.mark.parametrize("role", ["student", "administrator"])
    def test_create_manual_account_only_a_teacher_has_a_discipline(self, app: Flask, office: Office, role: str) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="Seul un enseignant a une discipline") as refusal:
            office.create(role, discipline="Latin")

        assert refusal.value.field == "discipline"

    def test_create_manual_account_writes_one_line_of_the_journal(self, app: Flask, office: Office) -> None:
        with watching(app) as watch:
            office.create(email="zoe@test.example")

        assert watch.line["action"] == "account:created"
        assert watch.line["changes"]["email"] == [None, "zoe@test.example"]
        assert watch.line["changes"]["login"] == [None, "zoe.mica"]

    def test_create_manual_account_the_account_is_the_schools(self, office: Office) -> None:
        assert office.find(office.create()).establishment_id == office.school.id


class TestUpdateAccount:
    def test_update_account_another_schools_account_does_not_exist(
        self, app: Flask, office: Office, world: World
    ) -> None:
        with nothing_written(app), pytest.raises(NoResultFound):
            office.act(manual.update_account, account=world.b.account_ids["teacher"], values={"last_name": "Pris"})

    def test_update_account_changes_what_was_typed_and_records_it(self, app: Flask, office: Office) -> None:
        account_id = office.school.account_ids["teacher"]

        with watching(app) as watch:
            changes = office.act(manual.update_account, account=account_id, values={"last_name": "Onyx"})

        assert changes == {"last_name": ("Quartz", "Onyx")}
        assert office.find(account_id).last_name == "Onyx"
        assert office.find(account_id).login == "ines.quartz"
        assert (watch.line["action"], watch.line["changes"]) == ("account:changed", {"last_name": ["Quartz", "Onyx"]})

    def test_update_account_nothing_changed_writes_nothing(self, app: Flask, office: Office) -> None:
        with nothing_written(app):
            office.act(
                manual.update_account, account=office.school.account_ids["teacher"], values={"last_name": "Quartz"}
            )

    def test_update_account_the_second_of_two_people_is_warned(self, app: Flask, office: Office) -> None:
        account_id = office.school.account_ids["teacher"]
        opened_on = fingerprint(manual.get_account_details(office.find(account_id)))
        office.act(manual.update_account, account=account_id, values={"last_name": "Onyx"})

        with nothing_written(app), pytest.raises(StaleForm) as refusal:
            office.act(manual.update_account, account=account_id, values={"last_name": "Jade"}, opened_on=opened_on)

        assert refusal.value.theirs["last_name"] == "Onyx"

    @pytest.mark.parametrize("role", ["administrator", "head", "student", "inspector", "support", "", "x"])
    def test_update_account_a_teacher_takes_no_other_role(self, app: Flask, office: Office, role: str) -> None:
        with nothing_written(app), pytest.raises((RoleRefused, FieldErrors)) as refusal:
            office.act(manual.update_account, account=office.school.account_ids["teacher"], values={"role": role})

        assert set(refusal.value.errors) == {"role"}

    def test_update_account_the_form_offers_the_roles_that_are_accepted(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        ids = {**office.school.account_ids, "second": office.add(Role.ADMINISTRATOR)}
        browser = as_("administrator")

        offered = {}
        for who in ("teacher", "student", "administrator", "second"):
            page = Page(browser.get(f"/admin/utilisateurs/edit/?id={ids[who]}"))
            [roles] = [each for each in page.main.iter("select") if each.get("name") == "role"]
            offered[who] = {each.get("value") for each in roles.iter("option")}

        assert offered == {
            "teacher": {"teacher"},
            "student": {"student"},
            "administrator": {"administrator"},
            "second": {"administrator", "teacher"},
        }

    @pytest.mark.parametrize("role", ["teacher", "head", "administrator"])
    def test_update_account_a_student_stays_one(self, app: Flask, office: Office, role: str) -> None:
        with nothing_written(app), pytest.raises(RoleRefused):
            office.act(manual.update_account, account=office.school.account_ids["student"], values={"role": role})

    @pytest.mark.parametrize("role", ["teacher", "head", "student"])
    def test_update_account_own_role_cannot_be_changed(self, app: Flask, office: Office, role: str) -> None:
        office.add(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(OwnAccount, match="son propre rôle"):
            office.act(manual.update_account, account=office.school.account_ids["administrator"], values={"role": role})

    def test_update_account_another_administrator_may_become_a_teacher(self, office: Office) -> None:
        second = office.add(Role.ADMINISTRATOR, consent_needed=True, consented_at=NOW)

        office.act(manual.update_account, account=second, values={"role": "teacher"})

        account = office.find(second)
        assert (account.role, account.consent_needed, account.consented_at) == (Role.TEACHER, False, None)

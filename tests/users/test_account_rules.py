"""Accounts created, corrected, closed, reopened and reset by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.permissions import Role
from cpro.core.tenancy import platform_session
from cpro.establishments.gate import GateClosed
from cpro.students import teacher_divisions
from cpro.students.models import Division, TeacherDivision
from cpro.users.errors import InactiveAccount, LastAdministrator, OwnAccount, RoleRefused
from cpro.users.models import Account, SignIn
from cpro.users.operations import access, manual
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching

NAMES = {"last_name": "Mica", "first_name": "Zoé"}


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestCreateByHand:
    @pytest.mark.parametrize(
        ("empty", "label"),
        [("name", "le nom"), ("email", "l’adresse électronique"), ("uai", "le code UAI")],
    )
    def test_waits_for_the_particulars(self, app: Flask, office: Office, empty: str, label: str) -> None:
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
    def test_blames_the_field(self, app: Flask, office: Office, field: str, value: str) -> None:
        with nothing_written(app), pytest.raises(FieldErrors) as refusal:
            office.create(**{field: value})

        assert set(refusal.value.errors) == {field}

    def test_an_inspector_comes_by_a_mandate_only(self, office: Office) -> None:
        with pytest.raises(FieldErrors, match="mandat"):
            office.create("inspector")

    def test_keeps_what_was_typed(self, office: Office) -> None:
        account = office.find(
            office.create(civility="Mme", last_name=" Mica ", email="Zoe@TEST.example", discipline="Génie électrique")
        )

        assert (account.civility, account.last_name, account.first_name) == ("Mme", "Mica", "Zoé")
        assert (account.email, account.discipline) == ("Zoe@test.example", "Génie électrique")
        assert (account.role, account.is_active, account.is_pending) == (Role.TEACHER, True, False)
        assert account.password_hash is None

    def test_only_a_teacher_has_a_discipline(self, office: Office) -> None:
        assert office.find(office.create("student", discipline="Latin")).discipline == ""

    def test_writes_one_line_of_the_journal(self, app: Flask, office: Office) -> None:
        with watching(app) as watch:
            office.create(email="zoe@test.example")

        assert watch.line["action"] == "account:created"
        assert watch.line["changes"]["email"] == [None, "zoe@test.example"]
        assert watch.line["changes"]["login"] == [None, "zoe.mica"]

    def test_the_account_is_the_schools(self, office: Office) -> None:
        assert office.find(office.create()).establishment_id == office.school.id


class TestDivisionsOfATeacher:
    def create(self, office: Office, role: str, division_ids: list[int]) -> int:
        def action(**values: Any) -> int:
            return teacher_divisions.create_user({**NAMES, "role": role}, division_ids=division_ids, **values).id

        return office.act(action)

    def stored(self, app: Flask) -> list[tuple[int, int]]:
        with app.app_context(), platform_session("test") as session:
            return [(row.account_id, row.division_id) for row in session.scalars(select(TeacherDivision))]

    def test_another_schools_division_does_not_exist(self, app: Flask, office: Office, world: World) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="n’existe plus") as refusal:
            self.create(office, "teacher", [world.b.division_id])

        assert refusal.value.field == "divisions"

    def test_only_a_teacher_has_some(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="Seul un enseignant"):
            self.create(office, "student", [office.school.division_id])

    def test_come_with_the_account_in_one_line(self, app: Flask, office: Office) -> None:
        with watching(app) as watch:
            account_id = self.create(office, "teacher", [office.school.division_id])

        assert self.stored(app) == [(account_id, office.school.division_id)]
        assert watch.line["changes"]["divisions"] == ["", "2ALP"]

    def test_are_replaced_and_journaled(self, app: Flask, office: Office, arrange: Callable[..., Any]) -> None:
        account_id = self.create(office, "teacher", [office.school.division_id])
        with arrange() as session:
            other = Division(establishment_id=office.school.id, code="1TOP")
            session.add(other)
            session.flush()
            other_id = other.id

        changes = office.act(teacher_divisions.update_user, account=account_id, values={}, division_ids=[other_id])

        assert changes == {"divisions": ("2ALP", "1TOP")}
        assert self.stored(app) == [(account_id, other_id)]

    def test_stay_when_the_form_does_not_speak_of_them(self, app: Flask, office: Office) -> None:
        account_id = self.create(office, "teacher", [office.school.division_id])

        office.act(teacher_divisions.update_user, account=account_id, values={"first_name": "Zoë"})

        assert len(self.stored(app)) == 1


class TestUpdateAccount:
    def test_another_schools_account_does_not_exist(self, app: Flask, office: Office, world: World) -> None:
        with nothing_written(app), pytest.raises(NoResultFound):
            office.act(manual.update_account, account=world.b.account_ids["teacher"], values={"last_name": "Pris"})

    def test_changes_what_was_typed_and_records_it(self, app: Flask, office: Office) -> None:
        account_id = office.school.account_ids["teacher"]

        with watching(app) as watch:
            changes = office.act(manual.update_account, account=account_id, values={"last_name": "Onyx"})

        assert changes == {"last_name": ("Quartz", "Onyx")}
        assert office.find(account_id).last_name == "Onyx"
        assert office.find(account_id).login == "ines.quartz"
        assert (watch.line["action"], watch.line["changes"]) == ("account:changed", {"last_name": ["Quartz", "Onyx"]})

    def test_nothing_changed_writes_nothing(self, app: Flask, office: Office) -> None:
        with nothing_written(app):
            office.act(
                manual.update_account, account=office.school.account_ids["teacher"], values={"last_name": "Quartz"}
            )

    def test_the_second_of_two_people_is_warned(self, app: Flask, office: Office) -> None:
        account_id = office.school.account_ids["teacher"]
        opened_on = fingerprint(manual.get_account_details(office.find(account_id)))
        office.act(manual.update_account, account=account_id, values={"last_name": "Onyx"})

        with nothing_written(app), pytest.raises(StaleForm) as refusal:
            office.act(manual.update_account, account=account_id, values={"last_name": "Jade"}, opened_on=opened_on)

        assert refusal.value.theirs["last_name"] == "Onyx"

    @pytest.mark.parametrize("role", ["administrator", "head", "student", "inspector", "support", "", "x"])
    def test_a_teacher_takes_no_other_role(self, app: Flask, office: Office, role: str) -> None:
        with nothing_written(app), pytest.raises((RoleRefused, FieldErrors)) as refusal:
            office.act(manual.update_account, account=office.school.account_ids["teacher"], values={"role": role})

        assert set(refusal.value.errors) == {"role"}

    def test_the_form_offers_the_roles_that_are_accepted(self, office: Office, as_: Callable[..., Browser]) -> None:
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
    def test_a_student_stays_one(self, app: Flask, office: Office, role: str) -> None:
        with nothing_written(app), pytest.raises(RoleRefused):
            office.act(manual.update_account, account=office.school.account_ids["student"], values={"role": role})

    @pytest.mark.parametrize("role", ["teacher", "head", "student"])
    def test_own_role_cannot_be_changed(self, app: Flask, office: Office, role: str) -> None:
        office.add(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(OwnAccount, match="son propre rôle"):
            office.act(manual.update_account, account=office.school.account_ids["administrator"], values={"role": role})

    def test_another_administrator_may_become_a_teacher(self, office: Office) -> None:
        second = office.add(Role.ADMINISTRATOR, consent_needed=True, consented_at=NOW)

        office.act(manual.update_account, account=second, values={"role": "teacher"})

        account = office.find(second)
        assert (account.role, account.consent_needed, account.consented_at) == (Role.TEACHER, False, None)


class TestDeactivate:
    def test_not_oneself(self, app: Flask, office: Office) -> None:
        office.add(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(OwnAccount, match="son propre compte"):
            office.act(access.deactivate_account, account=office.school.account_ids["administrator"])

    def test_not_the_last_administrator(self, app: Flask, office: Office) -> None:
        second = office.add(Role.ADMINISTRATOR, is_active=False)

        for who in (second, "head"):
            with nothing_written(app), pytest.raises(LastAdministrator):
                office.act(access.deactivate_account, who, account=office.school.account_ids["administrator"])

    def test_a_pending_administrator_does_not_count(self, app: Flask, office: Office) -> None:
        pending = office.add(Role.ADMINISTRATOR, consent_needed=True)

        with nothing_written(app), pytest.raises(LastAdministrator):
            office.act(access.deactivate_account, pending, account=office.school.account_ids["administrator"])

    def test_signs_the_person_out_at_once(self, app: Flask, office: Office, as_: Callable[..., Browser]) -> None:
        teacher = as_("teacher")
        assert teacher.get("/mon-compte").status_code == 200

        with watching(app) as watch:
            office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        assert watch.line["action"] == "account:disabled"
        assert teacher.get("/mon-compte").status_code == 303
        with app.app_context(), platform_session("test") as session:
            assert list(session.scalars(select(SignIn))) == []

    def test_voids_the_codes_not_yet_used(self, office: Office, browser: Callable[[], Browser]) -> None:
        [pupil] = office.add_pupils(1, login="lea.ambre")
        code = office.act(access.reset_account, account=pupil)
        office.act(access.deactivate_account, account=pupil)
        office.act(access.reactivate_account, account=pupil)

        answer = activate(browser(), office, "lea.ambre", code)

        assert answer.status_code == 422
        assert "Activation refusée" in answer.text

    def test_twice_changes_nothing(self, app: Flask, office: Office) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with nothing_written(app):
            office.act(access.deactivate_account, account=office.school.account_ids["teacher"])


class TestReactivate:
    def test_reactivates_the_person_with_their_password(
        self, office: Office, browser: Callable[[], Browser], app: Flask
    ) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with watching(app) as watch:
            office.act(access.reactivate_account, account=office.school.account_ids["teacher"])

        assert watch.line["action"] == "account:enabled"
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 303

    def test_twice_changes_nothing(self, app: Flask, office: Office) -> None:
        with nothing_written(app):
            office.act(access.reactivate_account, account=office.school.account_ids["teacher"])


class TestReset:
    def test_not_oneself(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(OwnAccount, match="Mon compte"):
            office.act(access.reset_account, account=office.school.account_ids["administrator"])

    def test_not_a_deactivated_account(self, app: Flask, office: Office) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with nothing_written(app), pytest.raises(InactiveAccount):
            office.act(access.reset_account, account=office.school.account_ids["teacher"])

    def test_ends_password_and_sign_ins_and_gives_a_code(
        self, app: Flask, office: Office, as_: Callable[..., Browser], browser: Callable[[], Browser]
    ) -> None:
        teacher = as_("teacher")

        with watching(app) as watch:
            code = office.act(access.reset_account, account=office.school.account_ids["teacher"])

        assert CODE.fullmatch(code or "")
        assert code not in str(watch.line)
        assert teacher.get("/mon-compte").status_code == 303
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 422
        assert activate(browser(), office, "ines.quartz", code).status_code == 303

    def test_the_new_code_voids_the_earlier_one(self, office: Office, browser: Callable[[], Browser]) -> None:
        teacher = office.school.account_ids["teacher"]
        earlier = office.act(access.reset_account, account=teacher)
        office.act(access.reset_account, account=teacher, now=NOW + timedelta(minutes=1))

        assert activate(browser(), office, "ines.quartz", earlier).status_code == 422


def activate(browser: Browser, office: Office, login: str, code: Any) -> Any:
    """Type a code on the activation page, while it is valid."""
    import time_machine

    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        browser.get("/activation")
        return browser.post(
            "/activation",
            {
                "establishment": office.school.code,
                "login": login,
                "code": code,
                "password": "Girafe-et-zèbre-42",
                "password_confirm": "Girafe-et-zèbre-42",
            },
        )


class TestDatabase:
    def test_refuses_a_consent_for_an_account_without_powers(self, office: Office) -> None:
        from sqlalchemy.exc import IntegrityError

        with pytest.raises(IntegrityError):
            office.add(Role.STUDENT, consent_needed=True)

    def test_refuses_a_sign_in_under_another_school(self, app: Flask, world: World) -> None:
        from sqlalchemy.exc import IntegrityError

        from cpro.core.transactions import platform_unit_of_work

        with app.app_context(), pytest.raises(IntegrityError), platform_unit_of_work("test") as work:
            work.session.add(
                SignIn(
                    establishment_id=world.b.id,
                    account_id=world.a.account_ids["teacher"],
                    token_hash="x" * 64,
                    created_at=NOW,
                    last_seen_at=NOW,
                )
            )
            assert work.session.get(Account, world.a.account_ids["teacher"])

"""What follows from a right, whoever's it is: reading without acting, and the code that nobody else sees."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.errors import Forbidden
from cpro.core.permissions import ROLE_PERMISSIONS, Actor, Permission, Role, can, role_can, roles_with
from cpro.extensions import db
from cpro.users.errors import NotByAdministrator, RoleRefused
from cpro.users.models import Account
from cpro.users.operations import access, consent, manual
from cpro.users.operations.credential_sheets import NoSheet, check_may_have_sheet
from cpro.users.queries import is_without_code
from cpro.users.roles import MANUAL_ROLES, PRINTED_ROLES
from tests.factories import NOW, World, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
Give = Callable[..., None]

MODULES = "/admin/parametres/modules"
INSPECTORS = "/admin/parametres/inspecteurs"
ALL_ON = {"scenarios": "oui", "passport": "oui", "inspectors": "oui"}
#: What the head has and does not act with.
ACTING = {
    Permission.ESTABLISHMENT_EDIT,
    Permission.TRANSFERS_EDIT,
    Permission.TRANSFERS_MANAGE,
    Permission.TRANSFERS_NOTICES,
    Permission.PICTURES_EDIT,
    Permission.USERS_CONSENT,
    Permission.SECOND_FACTORS_RESET,
    Permission.SCHOOL_ADDRESS_CONFIRM,
    Permission.MANDATES_MANAGE,
    Permission.MODULES_SWITCH,
    Permission.RETENTION_EDIT,
}


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Return what gives a role further rights, for the time of a test."""

    def more(role: Role, *permissions: Permission) -> None:
        monkeypatch.setitem(ROLE_PERMISSIONS, role, ROLE_PERMISSIONS[role] | set(permissions))

    return more


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Role:
    """Return a role that reads what the head reads and does nothing, in the place of the teacher's."""
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.TEACHER, ROLE_PERMISSIONS[Role.HEAD] - ACTING)
    return Role.TEACHER


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestRights:
    @pytest.mark.parametrize("value", ["", "system", "anonymous", "HEAD", "proviseur"])
    def test_can_gives_a_text_that_is_no_role_no_right(self, value: str) -> None:
        by = Actor("system", None, "Tâche périodique", value)

        assert not any(role_can(value, permission) or by.can(permission) for permission in Permission)
        assert not can(None, Permission.HELP_READ)

    @pytest.mark.parametrize("role", Role)
    def test_rights_who_acts_has_the_rights_of_their_role(self, role: Role) -> None:
        by = Actor("account", 1, "Alix Granite", role.value)

        assert {permission for permission in Permission if by.can(permission)} == ROLE_PERMISSIONS[role]
        assert all((role in roles_with(permission)) is by.can(permission) for permission in Permission)

    def test_rights_who_reads_all_records_has_a_private_code_and_no_sheet(self) -> None:
        private = {role for role in Role if role.has_private_code}
        assert private >= {Role.HEAD, Role.INSPECTOR}
        assert not private & {Role.ADMINISTRATOR, Role.TEACHER, Role.STUDENT, Role.SUPPORT}
        assert set(PRINTED_ROLES) == set(MANUAL_ROLES) - private
        assert not Role.ADMINISTRATOR.can(Permission.SCHOOL_RECORDS_READ)

    def test_rights_the_platform_and_the_strong_passwords_are_who_they_were(self) -> None:
        assert [role for role in Role if role.is_platform] == [Role.INSPECTOR, Role.SUPPORT]
        assert [role for role in Role if not role.is_privileged] == [Role.TEACHER, Role.STUDENT]


class TestRightsReadingWithoutActing:
    def test_modules_page_is_closed_to_who_may_not_read_it(self, as_: As) -> None:
        browser = as_("administrator")

        assert browser.get(MODULES).status_code == browser.post(MODULES, ALL_ON).status_code == 403

    def test_modules_page_is_read_without_a_switch(self, app: Flask, as_: As, give: Give) -> None:
        give(Role.ADMINISTRATOR, Permission.MODULES_VIEW)
        browser = as_("administrator")

        page = browser.get(MODULES)

        assert page.status_code == 200
        assert "Lecture seule" in page.text
        assert "activé" in Page(page).text
        assert 'name="passport"' not in page.text
        with nothing_written(app):
            assert browser.post(MODULES, {**ALL_ON, "passport": "non"}).status_code == 403

    def test_consultations_are_closed_to_who_may_not_read_them(self, as_: As, world: World, arrange: Look) -> None:
        mandate_id = _open_mandate(world, arrange)

        assert as_("administrator").get(f"{INSPECTORS}/{mandate_id}/consultations").status_code == 403

    def test_consultations_are_read_without_a_power_on_the_mandate(
        self, app: Flask, as_: As, world: World, arrange: Look, give: Give
    ) -> None:
        mandate_id = _open_mandate(world, arrange)
        give(Role.ADMINISTRATOR, Permission.MANDATES_VIEW, Permission.CONSULTATIONS_VIEW)
        browser = as_("administrator")

        assert browser.get(f"{INSPECTORS}/{mandate_id}/consultations").status_code == 200
        with nothing_written(app):
            for act in ("fermer", "prolonger"):
                address = f"{INSPECTORS}/{mandate_id}/{act}"
                assert browser.get(address).status_code == browser.post(address).status_code == 403

    def test_consultations_are_not_read_by_managing_mandates(
        self, as_: As, world: World, arrange: Look, give: Give
    ) -> None:
        mandate_id = _open_mandate(world, arrange)
        give(Role.ADMINISTRATOR, Permission.MANDATES_MANAGE)

        assert as_("administrator").get(f"{INSPECTORS}/{mandate_id}/consultations").status_code == 403


class TestRightsOfWhoReadsWhatTheHeadReads:
    """The rules on the code of a head hold for a role that reads as much: no list names it."""

    @pytest.fixture
    def account(self, office: Office, reader: Role) -> int:
        return office.add(reader, password_hash=None, activated_at=None)

    def test_role_that_reads_all_waits_for_the_head(self, office: Office, reader: Role) -> None:
        assert office.find(office.create(reader.value)).is_pending

    def test_role_that_reads_all_has_no_sheet(self, app: Flask, office: Office, account: int) -> None:
        with nothing_written(app), pytest.raises(NoSheet):
            office.act(lambda row, by, now: check_may_have_sheet(row, by), account=account)

    def test_role_that_reads_all_gives_the_administrator_no_code(self, office: Office, account: int) -> None:
        assert office.act(access.reset_account, password_given=True, account=account) is None

    def test_role_that_reads_all_is_not_counted_among_those_without_a_code(self, office: Office, account: int) -> None:
        with office.session():
            assert account not in db.session.scalars(select(Account.id).where(is_without_code(NOW))).all()

    def test_role_that_reads_all_once_activated_is_reset_by_nobody(
        self, app: Flask, office: Office, reader: Role
    ) -> None:
        account = office.add(reader)

        with nothing_written(app), pytest.raises(NotByAdministrator):
            office.act(access.reset_account, password_given=True, account=account)

    @pytest.mark.parametrize("values", [{"email": "alix@alpha.example"}, {"role": "administrator"}])
    def test_role_that_reads_all_is_corrected_by_nobody_else(
        self, app: Flask, office: Office, account: int, values: dict[str, str]
    ) -> None:
        with nothing_written(app), pytest.raises(NotByAdministrator):
            office.act(manual.update_account, account=account, values=values)

    def test_role_that_reads_all_nobody_becomes_one_by_a_change_of_role(
        self, app: Flask, office: Office, reader: Role
    ) -> None:
        other = office.add(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(RoleRefused, match="ne cesse de l’être"):
            office.act(manual.update_account, account=other, values={"role": reader.value})

    def test_role_that_reads_all_consents_to_nobody(self, app: Flask, office: Office, reader: Role) -> None:
        waiting = office.add(Role.ADMINISTRATOR, consent_needed=True)
        with nothing_written(app), pytest.raises(Forbidden):
            office.act(consent.grant_consent, "teacher", account=waiting)

    def test_role_that_reads_all_reads_all_records_and_writes_none(
        self, app: Flask, as_: As, reader: Role, world: World
    ) -> None:
        browser, student = as_("teacher"), f"/eleves/{world.a.student_id}"

        assert browser.get(student).status_code == 200
        assert browser.get(MODULES).status_code == 200
        with nothing_written(app):
            for page in (f"{student}/fiches/nouvelle", f"{student}/evaluations/nouvelle", f"{student}/bilans/nouveau"):
                assert browser.get(page).status_code == browser.post(page).status_code == 403


def _open_mandate(world: World, arrange: Look) -> int:
    with arrange() as session:
        mandate = make_mandate(world)
        session.add(mandate)
        session.flush()
        return int(mandate.id)

"""Accounts closed, reopened and reset by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.permissions import Role
from cpro.core.tenancy import platform_session
from cpro.users.errors import InactiveAccount, LastAdministrator, OwnAccount
from cpro.users.models import Account
from cpro.users.operations import access
from cpro.users.sign_in_models import SignIn
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import CODE, Office
from tests.helpers.records import nothing_written, watching


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestDeactivateAccount:
    def test_deactivate_account_not_oneself(self, app: Flask, office: Office) -> None:
        office.add(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(OwnAccount, match="son propre compte"):
            office.act(access.deactivate_account, account=office.school.account_ids["administrator"])

    def test_deactivate_account_not_the_last_administrator(self, app: Flask, office: Office) -> None:
        second = office.add(Role.ADMINISTRATOR, is_active=False)

        for who in (second, "head"):
            with nothing_written(app), pytest.raises(LastAdministrator):
                office.act(access.deactivate_account, who, account=office.school.account_ids["administrator"])

    def test_deactivate_account_a_pending_administrator_does_not_count(self, app: Flask, office: Office) -> None:
        pending = office.add(Role.ADMINISTRATOR, consent_needed=True)

        with nothing_written(app), pytest.raises(LastAdministrator):
            office.act(access.deactivate_account, pending, account=office.school.account_ids["administrator"])

    def test_deactivate_account_signs_the_person_out_at_once(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        teacher = as_("teacher")
        assert teacher.get("/mon-compte").status_code == 200

        with watching(app) as watch:
            office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        assert watch.line["action"] == "account:disabled"
        assert teacher.get("/mon-compte").status_code == 303
        with app.app_context(), platform_session("test") as session:
            assert list(session.scalars(select(SignIn))) == []

    def test_deactivate_account_voids_the_codes_not_yet_used(
        self, office: Office, browser: Callable[[], Browser]
    ) -> None:
        [pupil] = office.add_pupils(1, login="lea.ambre")
        code = office.act(access.reset_account, password_given=True, account=pupil)
        office.act(access.deactivate_account, account=pupil)
        office.act(access.reactivate_account, account=pupil)

        answer = activate(browser(), office, "lea.ambre", code)

        assert answer.status_code == 422
        assert "Activation refusée" in answer.text

    def test_deactivate_account_twice_changes_nothing(self, app: Flask, office: Office) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with nothing_written(app):
            office.act(access.deactivate_account, account=office.school.account_ids["teacher"])


class TestReactivateAccount:
    def test_reactivate_account_reactivates_the_person_with_their_password(
        self, office: Office, browser: Callable[[], Browser], app: Flask
    ) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with watching(app) as watch:
            office.act(access.reactivate_account, account=office.school.account_ids["teacher"])

        assert watch.line["action"] == "account:enabled"
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 303

    def test_reactivate_account_twice_changes_nothing(self, app: Flask, office: Office) -> None:
        with nothing_written(app):
            office.act(access.reactivate_account, account=office.school.account_ids["teacher"])


class TestResetAccount:
    def test_reset_account_not_oneself(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(OwnAccount, match="Mon compte"):
            office.act(access.reset_account, password_given=True, account=office.school.account_ids["administrator"])

    def test_reset_account_not_a_deactivated_account(self, app: Flask, office: Office) -> None:
        office.act(access.deactivate_account, account=office.school.account_ids["teacher"])

        with nothing_written(app), pytest.raises(InactiveAccount):
            office.act(access.reset_account, password_given=True, account=office.school.account_ids["teacher"])

    def test_reset_account_ends_password_and_sign_ins_and_gives_a_code(
        self, app: Flask, office: Office, as_: Callable[..., Browser], browser: Callable[[], Browser]
    ) -> None:
        teacher = as_("teacher")

        with watching(app) as watch:
            code = office.act(access.reset_account, password_given=True, account=office.school.account_ids["teacher"])

        assert CODE.fullmatch(code or "")
        assert [line["action"] for line in watch.lines] == ["accounts:teachers:code", "account:reset"]
        assert code not in str(watch.lines)
        assert teacher.get("/mon-compte").status_code == 303
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 422
        assert activate(browser(), office, "ines.quartz", code).status_code == 303

    def test_reset_account_the_new_code_voids_the_earlier_one(
        self, office: Office, browser: Callable[[], Browser]
    ) -> None:
        teacher = office.school.account_ids["teacher"]
        earlier = office.act(access.reset_account, password_given=True, account=teacher)
        office.act(access.reset_account, password_given=True, account=teacher, now=NOW + timedelta(minutes=1))

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
    def test_database_refuses_a_consent_for_an_account_without_powers(self, office: Office) -> None:
        from sqlalchemy.exc import IntegrityError

        with pytest.raises(IntegrityError):
            office.add(Role.STUDENT, consent_needed=True)

    def test_database_refuses_a_sign_in_under_another_school(self, app: Flask, world: World) -> None:
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

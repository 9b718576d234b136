"""A further head and a second administrator wait for the head."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cpro.core.errors import DomainError, Forbidden
from cpro.core.permissions import Role
from cpro.users.errors import (
    ConsentImpossible,
    ConsentPending,
    HeadCodeUndeliverable,
    LastAdministrator,
    NotByAdministrator,
)
from cpro.users.operations import access, consent
from cpro.users.operations.consent import NothingToConsent
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching

DISABLED = "Ce compte est désactivé"
MAILBOX = "direction@alpha.example"


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestNeedsConsent:
    def test_needs_consent_is_impossible_without_a_head(self, app: Flask, office: Office) -> None:
        office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(ConsentImpossible, match="créez d’abord celui-ci") as refusal:
            office.create("administrator")

        assert refusal.value.field == "role"

    def test_needs_consent_a_head_who_waits_is_none(self, app: Flask, office: Office) -> None:
        office.create("head", last_name="Jade")
        office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(ConsentImpossible):
            office.create("administrator")

    def test_needs_consent_waits_and_gets_no_code(self, app: Flask, office: Office) -> None:
        second = office.create("administrator")

        assert office.find(second).is_pending
        with nothing_written(app), pytest.raises(ConsentPending, match="attend l’accord"):
            office.act(access.reset_account, password_given=True, account=second)

    def test_needs_consent_is_opened_by_the_head(self, app: Flask, office: Office) -> None:
        second = office.create("administrator")

        with watching(app) as watch:
            office.act(consent.grant_consent, "head", account=second)

        assert office.find(second).may_sign_in
        assert (watch.line["action"], watch.line["actor_label"]) == ("account:consent:granted", "Claude BASALTE")
        assert office.mails() == []
        assert CODE.fullmatch(office.act(access.reset_account, password_given=True, account=second) or "")

    def test_needs_consent_coming_back_waits_anew(self, office: Office) -> None:
        second = office.add(Role.ADMINISTRATOR, consent_needed=True, consented_at=NOW)
        office.act(access.deactivate_account, account=second)

        office.act(access.reactivate_account, account=second)

        assert office.find(second).is_pending

    def test_needs_consent_coming_back_is_impossible_without_a_head(self, app: Flask, office: Office) -> None:
        first, second = office.school.account_ids["administrator"], office.add(Role.ADMINISTRATOR)
        office.act(access.deactivate_account, second, account=first)
        office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(ConsentImpossible):
            office.act(access.reactivate_account, second, account=first)


class TestSignInWhileWaiting:
    """Told as a disabled account is: after the right secret only."""

    @pytest.fixture
    def waiting(self, office: Office) -> str:
        office.add(Role.ADMINISTRATOR, login="zoe.mica", consent_needed=True)
        return "zoe.mica"

    def test_sign_in_while_waiting_the_list_names_those_that_the_dashboard_counts(
        self, office: Office, as_: Callable[..., Browser], waiting: str
    ) -> None:
        office.add(Role.ADMINISTRATOR, login="paul.gypse", last_name="Gypse", consent_needed=True, is_active=False)
        head = as_("head")

        assert "Gypse" not in head.get("/admin/utilisateurs/?etat=accord").text
        assert "zoe.mica" in head.get("/admin/utilisateurs/?etat=accord").text
        assert "1 personne" in Page(head.get("/admin/")).text

    def test_sign_in_while_waiting_says_nothing_to_who_does_not_know_the_password(
        self, browser: Callable[[], Browser], waiting: str
    ) -> None:
        answer = browser().sign_in("alpha", waiting, "Faux-faux-faux-42!")

        assert answer.status_code == 422
        assert DISABLED not in answer.text

    def test_sign_in_while_waiting_says_so_to_who_does(self, browser: Callable[[], Browser], waiting: str) -> None:
        answer = browser().sign_in("alpha", waiting, PASSWORD)

        assert answer.status_code == 403
        assert DISABLED in answer.text

    def test_sign_in_while_waiting_gets_no_forgotten_code(
        self, office: Office, browser: Callable[[], Browser], arrange: Callable[..., Any]
    ) -> None:
        account = office.add(Role.ADMINISTRATOR, login="zoe.mica", consent_needed=True, email="zoe@test.example")
        page = browser()
        page.get("/mot-de-passe-oublie")

        page.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": "zoe.mica"})

        assert office.mails() == []
        assert office.find(account).is_pending

    def test_sign_in_while_waiting_a_code_created_before_does_not_activate(
        self, office: Office, browser: Callable[[], Browser]
    ) -> None:
        import time_machine

        pupil = office.add(Role.ADMINISTRATOR, login="zoe.mica", password_hash=None, activated_at=None)
        code = office.act(access.reset_account, password_given=True, account=pupil)
        office.change(pupil, consent_needed=True)
        page = browser()
        with time_machine.travel(NOW + timedelta(hours=1), tick=False):
            page.get("/activation")

            answer = page.post(
                "/activation",
                {
                    "establishment": "alpha",
                    "login": "zoe.mica",
                    "code": code,
                    "password": "Girafe-et-zèbre-42",
                    "password_confirm": "Girafe-et-zèbre-42",
                },
            )

        assert answer.status_code == 403
        assert DISABLED in answer.text


class TestGrantConsent:
    @pytest.fixture
    def further(self, office: Office) -> int:
        return office.create("head")

    @pytest.mark.parametrize("who", ["administrator", "teacher", "student"])
    def test_grant_consent_is_the_heads_alone(self, app: Flask, office: Office, further: int, who: str) -> None:
        with nothing_written(app), pytest.raises(Forbidden, match="Seul le chef"):
            office.act(consent.grant_consent, who, account=further, mailed_to=MAILBOX)

    def test_grant_consent_is_not_given_by_who_waits(self, app: Flask, office: Office, further: int) -> None:
        other = office.create("head", last_name="Jade")

        for who in (further, other):
            with nothing_written(app), pytest.raises(Forbidden):
                office.act(consent.grant_consent, who, account=further, mailed_to=MAILBOX)

    def test_grant_consent_is_not_given_by_a_disabled_head(self, app: Flask, office: Office, further: int) -> None:
        by = office.actor("head")
        office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(Forbidden):
            office.act(consent.grant_consent, by, account=further, mailed_to=MAILBOX)

    def test_grant_consent_is_not_given_by_the_head_of_another_school(
        self, app: Flask, office: Office, further: int
    ) -> None:
        by = Office(app, office.world, "b").actor("head")

        with nothing_written(app), pytest.raises(Forbidden):
            office.act(consent.grant_consent, by, account=further, mailed_to=MAILBOX)

    def test_grant_consent_has_nothing_to_give_to_who_does_not_wait(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(NothingToConsent):
            office.act(consent.grant_consent, "head", account=office.school.account_ids["teacher"])

    def test_grant_consent_mails_a_heads_code_to_the_school(self, app: Flask, office: Office, further: int) -> None:
        with watching(app) as watch:
            office.act(consent.grant_consent, "head", account=further, mailed_to=MAILBOX)

        [(to, text)] = office.mails()
        assert to == MAILBOX
        assert CODE.search(text)
        assert office.find(further).may_sign_in
        assert watch.line["changes"]["code_mailed_to"] == [None, MAILBOX]

    def test_grant_consent_is_refused_when_the_address_changed_since_the_head_read_it(
        self, app: Flask, office: Office, further: int
    ) -> None:
        set_school(app, office.school.id, head_email="alix@boite.example")

        with nothing_written(app), pytest.raises(DomainError, match="a changé entre-temps"):
            office.act(consent.grant_consent, "head", account=further, mailed_to=MAILBOX)

        assert office.mails() == []

    def test_grant_consent_creates_no_code_where_no_address_is_proved(
        self, app: Flask, office: Office, further: int
    ) -> None:
        set_school(app, office.school.id, head_email="")

        with watching(app) as watch:
            office.act(consent.grant_consent, "head", account=further, mailed_to="")

        assert office.find(further).may_sign_in
        assert office.mails() == []
        assert "code_mailed_to" not in watch.line["changes"]
        assert "activation_code" not in watch.changed

    def test_grant_consent_is_refused_when_the_address_is_the_administrators(
        self, app: Flask, office: Office, further: int
    ) -> None:
        mailbox = "alix.granite@alpha.example"
        set_school(app, office.school.id, head_email=mailbox)

        with nothing_written(app), pytest.raises(HeadCodeUndeliverable, match="Alix GRANITE"):
            office.act(consent.grant_consent, "head", account=further, mailed_to=mailbox)


class TestRevokeConsent:
    @pytest.fixture
    def second(self, office: Office) -> int:
        return office.add(Role.ADMINISTRATOR, login="zoe.mica", consent_needed=True, consented_at=NOW)

    def test_revoke_consent_is_the_heads_alone(self, app: Flask, office: Office, second: int) -> None:
        for who in ("administrator", second):
            with nothing_written(app), pytest.raises(Forbidden):
                office.act(consent.revoke_consent, who, account=second)

    def test_revoke_consent_has_nothing_to_take_from_the_first_administrator(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(NothingToConsent):
            office.act(consent.revoke_consent, "head", account=office.school.account_ids["administrator"])

    def test_revoke_consent_leaves_an_administrator(self, app: Flask, office: Office, second: int) -> None:
        office.act(access.deactivate_account, second, account=office.school.account_ids["administrator"])

        with nothing_written(app), pytest.raises(LastAdministrator):
            office.act(consent.revoke_consent, "head", account=second)

    def test_revoke_consent_ends_sign_ins_and_codes(
        self, app: Flask, office: Office, second: int, browser: Callable[[], Browser]
    ) -> None:
        page = browser()
        assert page.sign_in("alpha", "zoe.mica", PASSWORD).status_code == 303

        with watching(app) as watch:
            office.act(consent.revoke_consent, "head", account=second)

        assert watch.line["action"] == "account:consent:revoked"
        assert page.get("/admin/").status_code == 303
        assert browser().sign_in("alpha", "zoe.mica", PASSWORD).status_code == 403

    def test_revoke_consent_a_further_head_who_activated_is_in_place(self, app: Flask, office: Office) -> None:
        further = office.add(Role.HEAD, consent_needed=True, consented_at=NOW)

        with nothing_written(app), pytest.raises(NotByAdministrator, match="en fonction"):
            office.act(consent.revoke_consent, "head", account=further)

    def test_revoke_consent_stops_a_further_head_who_has_not_yet(self, office: Office) -> None:
        further = office.create("head")
        office.act(consent.grant_consent, "head", account=further, mailed_to=MAILBOX)

        office.act(consent.revoke_consent, "head", account=further)

        assert office.find(further).is_pending

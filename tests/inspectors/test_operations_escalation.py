"""Attempts to become the head, or an inspector, without the head; and what stops each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.inspectors.operations import OnlyTheHead, open_mandate
from cpro.users.models import Account
from tests.factories import NOW, TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written
from tests.inspectors.conftest import FORM, TAB, Desk

Look = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]
USERS = "/admin/utilisateurs"


class TestInspectorEscalation:
    def test_inspector_escalation_the_users_screen_creates_no_inspector(self, desk: Desk) -> None:
        """Stopped by the roles that an account of a school may have (users.operations.manual)."""
        browser = desk.browser("administrator")

        for role in ("inspector", "support"):
            answer = browser.post(
                f"{USERS}/new/", {"last_name": "Fer", "first_name": "Claire", "role": role, "civility": ""}
            )
            assert answer.status_code == 422

        assert len(desk.accounts()) == 2

    def test_inspector_escalation_a_token_of_ones_own_page_opens_nothing_on_the_heads_address(self, desk: Desk) -> None:
        """Stopped by the permission of the route, before the form is read."""
        browser = desk.browser("administrator")
        browser.get(TAB)

        with nothing_written(desk.app):
            assert browser.post(TAB, FORM).status_code == 403

    def test_inspector_escalation_a_request_forged_on_the_heads_browser_opens_nothing(self, desk: Desk) -> None:
        """Stopped by the token."""
        browser = desk.browser("head")

        answer = browser.post(TAB, FORM, token=False, headers={"Sec-Fetch-Site": "cross-site"})

        assert answer.status_code == 400
        assert desk.mandates() == []

    @pytest.mark.parametrize("who", ["administrator", "teacher"])
    def test_inspector_escalation_the_operation_itself_asks_for_a_head(
        self, desk: Desk, world: World, who: str
    ) -> None:
        """Stopped a second time by the operation, whatever role the actor claims."""
        claimed = Actor("account", world.a.account_ids[who], "Claude BASALTE", "head", "")

        assert self._opened_by(desk, world, claimed) is False

    def test_inspector_escalation_another_schools_head_is_not_this_ones(self, desk: Desk, world: World) -> None:
        assert self._opened_by(desk, world, Actor("account", world.b.account_ids["head"], "X", "head", "")) is False

    def test_inspector_escalation_nor_the_command_line(self, desk: Desk, world: World) -> None:
        assert self._opened_by(desk, world, TESTER) is False

    def test_inspector_escalation_a_head_disabled_meanwhile_opens_nothing(
        self, desk: Desk, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            session.get_one(Account, world.a.account_ids["head"]).is_active = False

        assert self._opened_by(desk, world, Actor("account", world.a.account_ids["head"], "X", "head", "")) is False

    def test_inspector_escalation_a_head_who_waits_for_consent_cannot_even_sign_in(
        self, desk: Desk, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            head = session.get_one(Account, world.a.account_ids["head"])
            head.consent_needed = True
        browser = Browser(desk.app)

        answer = browser.sign_in("alpha", world.logins["head"], world.password)

        assert answer.status_code == 403
        assert browser.get(TAB).status_code == 303

    def test_inspector_escalation_an_inspectors_account_without_mandate_reads_nothing(
        self, desk: Desk, world: World
    ) -> None:
        browser = desk.browser("inspector")

        assert browser.post(f"/ecoles/{world.a.id}/entrer").status_code == 404
        assert browser.get("/admin/eleves/").location == "/ecoles"

    def test_inspector_escalation_an_inspectors_sign_in_is_none_in_a_school(self, desk: Desk, world: World) -> None:
        browser = Browser(desk.app)

        answer = browser.sign_in("alpha", world.platform_logins["inspector"], world.password)

        assert answer.status_code == 422

    def _opened_by(self, desk: Desk, world: World, by: Actor) -> bool:
        with desk.app.app_context():
            try:
                with platform_unit_of_work("test") as work:
                    open_mandate(
                        work.session,
                        establishment_id=world.a.id,
                        name="Claire Fer",
                        email="claire.fer@ac-test.example",
                        diploma_codes=[],
                        starts_on="2026-10-05",
                        ends_on="2026-10-06",
                        purpose="Essai",
                        by=by,
                        now=NOW,
                    )
            except OnlyTheHead:
                assert desk.mandates() == []
                return False
        return True


class TestHeadEscalation:
    def test_head_escalation_the_administrator_does_not_give_the_role(
        self, desk: Desk, world: World, platform: Look
    ) -> None:
        """Stopped by the rules of consent: a second head waits for the first one's word."""
        browser = desk.browser("administrator")

        browser.post(f"{USERS}/new/", {"last_name": "Moi", "first_name": "Alix", "role": "head", "civility": ""})
        answer = browser.post(f"{USERS}/edit/?id={world.a.account_ids['administrator']}", {"role": "head"})

        assert answer.status_code in (403, 422)
        with platform() as session:
            heads = [each for each in session.query(Account).filter_by(establishment_id=world.a.id, role=Role.HEAD)]
            assert [each.id for each in heads if each.may_sign_in] == [world.a.account_ids["head"]]

    def test_head_escalation_the_administrator_neither_consents_nor_resets_nor_disables_the_head(
        self, desk: Desk, world: World
    ) -> None:
        browser = desk.browser("administrator")
        head = world.a.account_ids["head"]

        for action in ("accord", "reinitialiser", "desactiver"):
            assert browser.post(f"{USERS}/{action}/", {"id": head}).status_code in (403, 404), action

    def test_head_escalation_an_inspector_inside_the_school_reaches_no_account(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        open_to_inspector()
        browser = desk.browser("inspector", enter="a")

        for page in (f"{USERS}/", f"{USERS}/details/?id={world.a.account_ids['head']}", TAB, "/admin/journal/"):
            assert browser.get(page).status_code == 403

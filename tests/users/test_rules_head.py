"""The administrator cannot become the head: every path is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.errors import DomainError, Forbidden
from cpro.core.mail import MailMessage
from cpro.core.mail.models import MailState
from cpro.core.permissions import Role
from cpro.students.credential_sheets.operations import Target, plan_target_sheets
from cpro.users.errors import (
    ConsentPending,
    HeadCodeUndeliverable,
    NotByAdministrator,
    OwnAccount,
    RoleRefused,
)
from cpro.users.operations import access, consent, manual
from cpro.users.operations.credential_sheets import NoSheet
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


@pytest.fixture
def headless(office: Office) -> Office:
    """Return the office of a school whose head was disabled by the command line."""
    office.change(office.school.account_ids["head"], is_active=False)
    return office


class TestCheckHeadActsAlone:
    """What an administrator, or another head, tries on the account of a head in place."""

    @pytest.fixture(params=["administrator", "other head"])
    def who(self, office: Office, request: pytest.FixtureRequest) -> str | int:
        return "administrator" if request.param == "administrator" else office.add(Role.HEAD)

    @pytest.mark.parametrize(
        "values",
        [
            {"email": "alix.granite@alpha.example"},
            {"email": ""},
            {"last_name": "Granite"},
            {"role": "teacher"},
            {"role": "administrator"},
            {"civility": "M."},
        ],
    )
    def test_update_account_refuses_a_head_in_place(
        self, app: Flask, office: Office, who: str | int, values: dict[str, str]
    ) -> None:
        with nothing_written(app), pytest.raises(NotByAdministrator, match="par lui-même"):
            office.act(manual.update_account, who, account=office.school.account_ids["head"], values=values)

    def test_reset_account_refuses_a_head_in_place(self, app: Flask, office: Office, who: str | int) -> None:
        with nothing_written(app), pytest.raises(NotByAdministrator, match="ne se réinitialise pas"):
            office.act(access.reset_account, who, password_given=True, account=office.school.account_ids["head"])

        assert office.mails() == []

    def test_deactivate_account_refuses_a_head_in_place(self, app: Flask, office: Office, who: str | int) -> None:
        with nothing_written(app), pytest.raises(NotByAdministrator, match="ne se désactive pas"):
            office.act(access.deactivate_account, who, account=office.school.account_ids["head"])

    def test_reactivate_account_refuses_a_head_in_place(self, app: Flask, office: Office, who: str | int) -> None:
        office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(NotByAdministrator, match="ne se réactive pas"):
            office.act(access.reactivate_account, who, account=office.school.account_ids["head"])

    def test_plan_target_sheets_refuses_a_head_in_place(self, app: Flask, office: Office, who: str | int) -> None:
        for reset in (False, True):
            with nothing_written(app), pytest.raises(NoSheet, match="adresse confirmée de l’établissement"):
                office.act(
                    plan_target_sheets,
                    who,
                    target=Target(account_ids=(office.school.account_ids["head"],)),
                    reset=reset,
                )

    def test_plan_target_sheets_leaves_a_head_in_place_out_of_a_batch(self, office: Office) -> None:
        ids = [office.school.account_ids["head"], *office.add_pupils(2)]

        batch = office.act(plan_target_sheets, target=Target(account_ids=tuple(ids)), reset=True)

        assert [sheet.account_id for sheet in batch.plan.sheets] == ids[1:]
        assert [len(accounts) for accounts in batch.plan.left_out.values()] == [1]
        assert office.find(ids[0]).password_hash is not None

    def test_check_head_acts_alone_can_do_nothing_of_it_to_themselves(self, app: Flask, office: Office) -> None:
        head = office.school.account_ids["head"]
        for action in (access.deactivate_account, access.reactivate_account, access.reset_account):
            with nothing_written(app), pytest.raises(OwnAccount):
                office.act(action, "head", account=head)
        with nothing_written(app), pytest.raises(OwnAccount, match="son propre rôle"):
            office.act(manual.update_account, "head", account=head, values={"role": "administrator"})


class TestOtherRoads:
    @pytest.mark.parametrize("role", ["teacher", "student", "administrator"])
    def test_update_account_promotes_no_account_to_head(self, app: Flask, office: Office, role: str) -> None:
        account_id = office.add(Role(role))

        with nothing_written(app), pytest.raises(RoleRefused, match="Personne ne devient"):
            office.act(manual.update_account, account=account_id, values={"role": "head"})

    def test_forgotten_password_goes_to_the_heads_own_address(
        self, office: Office, browser: Callable[[], Browser]
    ) -> None:
        page = browser()
        page.get("/mot-de-passe-oublie")

        page.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": "claude.basalte"})

        assert [to for to, _ in office.mails()] == ["claude.basalte@alpha.example"]

    def test_create_head_takes_no_address_of_the_administrators_choice(self, app: Flask, headless: Office) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="Laissez vide") as refusal:
            headless.create("head", email="alix@boite.example")

        assert refusal.value.field == "email"
        assert headless.mails() == []

    def test_forgotten_password_sends_nothing_before_the_head_activated(
        self, headless: Office, browser: Callable[[], Browser]
    ) -> None:
        headless.create("head")
        before = headless.mails()
        page = browser()
        page.get("/mot-de-passe-oublie")

        page.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": "zoe.mica"})

        assert headless.mails() == before


class TestCreateFirstHead:
    def test_create_first_head_waits_for_the_gate(self, app: Flask, headless: Office) -> None:
        set_school(app, headless.school.id, email="")

        with nothing_written(app), pytest.raises(DomainError, match="adresse électronique"):
            headless.create("head")

    def test_create_first_head_is_created_without_a_code_where_no_address_is_proved(
        self, app: Flask, headless: Office
    ) -> None:
        set_school(app, headless.school.id, head_email="")

        with watching(app) as watch:
            head = headless.create("head")

        assert headless.mails() == []
        assert "code_mailed_to" not in watch.line["changes"]
        with nothing_written(app), pytest.raises(HeadCodeUndeliverable, match="l’équipe qui administre CPro"):
            headless.act(access.reset_account, password_given=True, account=head)

    @pytest.mark.parametrize("mailbox", ["alix.granite@alpha.example", "Alix.Granite@ALPHA.example"])
    def test_create_first_head_is_refused_while_the_mailbox_is_an_accounts(
        self, app: Flask, headless: Office, mailbox: str
    ) -> None:
        set_school(app, headless.school.id, head_email=mailbox)

        with nothing_written(app), pytest.raises(HeadCodeUndeliverable, match="Alix GRANITE"):
            headless.create("head")

        assert headless.mails() == []

    def test_create_first_head_receives_the_code_at_the_schools_address(
        self, app: Flask, headless: Office, browser: Callable[[], Browser]
    ) -> None:
        with watching(app) as watch:
            account = headless.find(headless.create("head"))

        [(to, text)] = headless.mails()
        assert (account.role, account.is_pending, account.email) == (Role.HEAD, False, "")
        assert to == "direction@alpha.example"
        assert "https://cpro.example/activation?establishment=alpha&login=zoe.mica" in text
        [code] = CODE.findall(text)
        assert watch.line["changes"]["code_mailed_to"] == [None, "direction@alpha.example"]
        assert code not in str(watch.line)

    def test_create_first_head_gets_the_code_again_by_mail_never_on_screen(self, headless: Office) -> None:
        head = headless.create("head")

        shown = headless.act(access.reset_account, password_given=True, account=head)

        assert shown is None
        assert [to for to, _ in headless.mails()] == ["direction@alpha.example"] * 2
        assert len({CODE.findall(text)[0] for _, text in headless.mails()}) == 2

    @pytest.mark.parametrize(
        ("proved", "state", "sentence"),
        [
            ("direction@alpha.example", "sent", "part à direction@alpha.example, et nulle part ailleurs"),
            (
                "direction@alpha.example",
                "refused",
                "boîte inconnue. L’équipe qui administre CPro peut remettre un code à la personne",
            ),
            ("", "sent", "c’est l’équipe qui administre CPro qui le lui remet"),
        ],
    )
    def test_create_first_head_has_a_page_that_says_how_the_code_reaches_them(
        self,
        app: Flask,
        headless: Office,
        as_: Callable[..., Browser],
        arrange: Callable[..., Any],
        proved: str,
        state: str,
        sentence: str,
    ) -> None:
        head = headless.create("head")
        set_school(app, headless.school.id, head_email=proved)
        with arrange() as session:
            message = session.scalars(select(MailMessage)).one()
            message.state, message.last_answer = MailState(state), "boîte inconnue"

        page = Page(as_("administrator").get(f"/admin/utilisateurs/details/?id={head}"))

        assert sentence in page.text

    def test_create_first_head_gets_no_sheet_before_activating_either(self, app: Flask, headless: Office) -> None:
        head = headless.create("head")

        with nothing_written(app), pytest.raises(NoSheet):
            headless.act(plan_target_sheets, target=Target(account_ids=(head,)))

    def test_create_first_head_mails_nothing_when_the_action_fails(self, app: Flask, headless: Office) -> None:
        def action(**values: Any) -> None:
            manual.create_manual_account({"last_name": "Mica", "first_name": "Zoé", "role": "head"}, **values)
            raise DomainError("Autre chose a été refusé.")

        with nothing_written(app), pytest.raises(DomainError, match="Autre chose"):
            headless.act(action)

        assert headless.mails() == []

    def test_create_first_head_of_two_created_at_once_one_waits(self, headless: Office) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            ids = list(pool.map(lambda name: headless.create("head", last_name=name), ("Mica", "Jade")))

        assert sorted(headless.find(account_id).is_pending for account_id in ids) == [False, True]
        assert len(headless.mails()) == 1


class TestPendingHead:
    """What an administrator tries on a further head who waits for the first one's consent."""

    @pytest.fixture
    def pending(self, office: Office) -> int:
        return office.create("head")

    def test_pending_head_receives_nothing(self, office: Office, pending: int) -> None:
        assert office.find(pending).is_pending
        assert office.mails() == []

    def test_pending_head_gets_no_code(self, app: Flask, office: Office, pending: int) -> None:
        with nothing_written(app), pytest.raises(ConsentPending):
            office.act(access.reset_account, password_given=True, account=pending)
        with nothing_written(app), pytest.raises(NoSheet):
            office.act(plan_target_sheets, target=Target(account_ids=(pending,)), reset=True)

    @pytest.mark.parametrize("values", [{"email": "a@b.example"}, {"role": "administrator"}, {"last_name": "Granite"}])
    def test_update_account_refuses_a_pending_head(
        self, app: Flask, office: Office, pending: int, values: dict[str, str]
    ) -> None:
        with nothing_written(app), pytest.raises(NotByAdministrator):
            office.act(manual.update_account, account=pending, values=values)

    def test_pending_head_the_administrator_gives_no_consent(self, app: Flask, office: Office, pending: int) -> None:
        with nothing_written(app), pytest.raises(Forbidden, match="Seul le chef"):
            office.act(consent.grant_consent, account=pending, mailed_to="direction@alpha.example")

    def test_pending_head_may_be_given_up_and_is_not_restored_past_the_head(self, office: Office, pending: int) -> None:
        office.act(access.deactivate_account, account=pending)

        with pytest.raises(NotByAdministrator):
            office.act(access.reactivate_account, account=pending)

        assert not office.find(pending).is_active


class TestChangeOwnAddress:
    """The head, and everybody, sets their own address, with their password."""

    def post(self, browser: Browser, email: str, current: str = PASSWORD) -> Any:
        browser.get("/mon-compte/adresse")
        return browser.post("/mon-compte/adresse", {"email": email, "current_password": current})

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_change_own_address_asks_for_the_password(self, app: Flask, as_: Callable[..., Browser], role: str) -> None:
        browser = as_(role)

        with nothing_written(app):
            answer = self.post(browser, "nouvelle@alpha.example", "faux")

        assert answer.status_code == 422
        assert 'id="current_password-erreur"' in answer.text

    def test_change_own_address_refuses_what_is_no_address(self, app: Flask, as_: Callable[..., Browser]) -> None:
        browser = as_("head")

        with nothing_written(app):
            answer = self.post(browser, "pas une adresse")

        assert answer.status_code == 422
        assert 'id="email-erreur"' in answer.text

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_change_own_address_is_stored_and_journaled(
        self, app: Flask, office: Office, as_: Callable[..., Browser], role: str
    ) -> None:
        browser = as_(role)

        with watching(app) as watch:
            answer = self.post(browser, "Nouvelle@ALPHA.example")

        assert answer.status_code == 303
        assert office.find(office.school.account_ids[role]).email == "Nouvelle@alpha.example"
        assert watch.line["changes"] == {
            "email": [f"{office.world.logins[role]}@alpha.example", "Nouvelle@alpha.example"]
        }

    def test_change_own_address_a_platform_account_has_none_to_change(self, as_: Callable[..., Browser]) -> None:
        assert as_("support").get("/mon-compte/adresse").status_code == 404


class TestHeadCommands:
    """The platform's own hand, which the head's rules do not bind."""

    def run(self, app: Flask, *words: str) -> Any:
        return app.test_cli_runner().invoke(args=["users", *words, "--establishment", "alpha"])

    def test_head_command_disables_and_enables_a_head(self, app: Flask, office: Office) -> None:
        head = office.school.account_ids["head"]

        assert self.run(app, "disable", "claude.basalte").exit_code == 0
        assert not office.find(head).is_active

        assert self.run(app, "enable", "claude.basalte").exit_code == 0
        assert office.find(head).is_active

    def test_head_command_resets_a_head(self, app: Flask, world: World) -> None:
        outcome = self.run(app, "reset", "claude.basalte")

        assert outcome.exit_code == 0
        assert CODE.search(outcome.output)

    def test_head_command_does_not_remove_the_last_administrator_either(self, app: Flask, world: World) -> None:
        outcome = self.run(app, "disable", "alix.granite")

        assert outcome.exit_code == 1
        assert "dernier administrateur" in outcome.stderr

    def test_head_command_consents_where_no_head_can(self, app: Flask, office: Office) -> None:
        pending = office.create("head")
        office.change(office.school.account_ids["head"], is_active=False)

        assert self.run(app, "consent", "zoe.mica").exit_code == 0
        assert office.find(pending).may_sign_in
        assert [to for to, _ in office.mails()] == ["direction@alpha.example"]

    def test_head_command_refuses_an_unknown_account(self, app: Flask, world: World) -> None:
        for command in ("disable", "enable", "consent"):
            outcome = self.run(app, command, "personne")

            assert outcome.exit_code == 1
            assert "Aucun compte" in outcome.stderr

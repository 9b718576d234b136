"""A second factor is taken off by somebody above, told to its owner and to the journal; never by its owner alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.errors import DomainError, Forbidden
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import second_factor, throttle
from cpro.users.sign_in_models import SecondFactor
from tests.factories import NOW, PASSWORD, World, make_account
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.phone import make_second_factor
from tests.helpers.records import nothing_written
from tests.users.conftest import Desk

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
RESET = "/admin/utilisateurs/second-facteur/"
OWN = "/mon-compte/second-facteur"
LABEL = "Réinitialiser le second facteur"


@pytest.fixture
def give(desk: Desk, arrange: Arrange) -> Callable[..., int]:
    """Return what gives somebody a second factor; the account's id back."""

    def give_one(role: str, school: str = "a") -> int:
        account = desk.account(role, school)
        with arrange() as session:
            session.add(make_second_factor(account))
        return int(account.id)

    return give_one


@pytest.fixture
def second_head(arrange: Arrange, world: World) -> int:
    """Return the id of a further head, who has a second factor."""
    with arrange() as session:
        account = make_account(world.a.id, Role.HEAD, last_name="Feldspath", confirmed_email="second@alpha.example")
        session.add(account)
        session.flush()
        session.add(make_second_factor(account))
        return account.id


class TestResetByTheHead:
    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_reset_by_the_head_is_told_and_journaled(
        self, desk: Desk, as_: As, give: Callable[..., int], role: str
    ) -> None:
        account_id = give(role)
        desk.change(role, confirmed_email="proprietaire@alpha.example")
        head = as_("head")
        assert LABEL in Page(head.get(f"/admin/utilisateurs/details/?id={account_id}")).text

        answer = head.post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert answer.status_code == 303, answer.text
        assert desk.rows(SecondFactor) == []
        [mail] = desk.mails()
        assert "To: proprietaire@alpha.example" in mail
        assert f"{desk.account('head').label} a réinitialisé le second facteur" in mail
        line = next(row for row in desk.rows(AuditEntry) if row.action == "account:second-factor:reset")
        assert (line.establishment_id, line.object_id) == (desk.world.a.id, str(account_id))

    def test_reset_is_said_to_its_owner_until_they_set_one_up_again(
        self, desk: Desk, as_: As, give: Callable[..., int], arrange: Arrange
    ) -> None:
        account_id, owner, said = give("administrator"), as_("administrator"), "Réinitialisé le"
        assert said not in Page(owner.get(OWN)).text

        as_("head").post(RESET, {"id": account_id, "current_password": PASSWORD})

        owner = as_("administrator")
        text = Page(owner.get(OWN)).text
        assert said in text
        assert "par Claude BASALTE (Chef d’établissement)" in text
        assert said not in Page(as_("head").get(OWN)).text
        with arrange() as session:
            session.add(make_second_factor(desk.account("administrator")))
        assert said not in Page(owner.get(OWN)).text

    def test_reset_is_no_more_said_once_its_owner_took_off_another(
        self, desk: Desk, as_: As, give: Callable[..., int], arrange: Arrange
    ) -> None:
        account_id = give("teacher")
        as_("head").post(RESET, {"id": account_id, "current_password": PASSWORD})
        with arrange() as session:
            session.add(make_second_factor(desk.account("teacher")))

        with arrange() as session:
            account = session.get_one(Account, account_id)
            by = Actor("account", account_id, account.label, "teacher", "")
            second_factor.remove(session, account, password_given=True, by=by, now=NOW)

        assert "Réinitialisé le" not in Page(as_("teacher").get(OWN)).text

    def test_reset_ends_the_sign_ins_of_that_person_alone(self, desk: Desk, as_: As, give: Callable[..., int]) -> None:
        account_id, owner, neighbour, head = give("teacher"), as_("teacher"), as_("administrator"), as_("head")

        head.post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert owner.get(OWN).location.startswith("/connexion")
        assert neighbour.get(OWN).status_code == head.get(OWN).status_code == 200

    def test_reset_forgets_the_failures_of_that_person(
        self, app: Flask, desk: Desk, as_: As, give: Callable[..., int]
    ) -> None:
        account_id, login = give("teacher"), desk.account("teacher").login
        for _ in range(throttle.ACCOUNT_FREE + 1):
            Browser(app).sign_in(desk.world.a.code, login, "Faux-faux-faux-42!")
        assert Browser(app).sign_in(desk.world.a.code, login, PASSWORD).status_code == 429

        as_("head").post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert Browser(app).sign_in(desk.world.a.code, login, PASSWORD).status_code == 303

    def test_reset_by_another_head(self, app: Flask, desk: Desk, as_: As, second_head: int) -> None:
        answer = as_("head").post(RESET, {"id": second_head, "current_password": PASSWORD})

        assert answer.status_code == 303, answer.text
        assert desk.rows(SecondFactor) == []
        assert "second@alpha.example" in desk.mails()[0]

    def test_reset_asks_once_with_the_password(self, app: Flask, desk: Desk, as_: As, give: Callable[..., int]) -> None:
        account_id, head = give("teacher"), as_("head")

        page = Page(head.get(f"{RESET}?id={account_id}"))
        assert "Ne le faites que si la personne vous l’a demandé elle-même" in page.text
        with nothing_written(app):
            assert head.post(RESET, {"id": account_id}).status_code == 422
        assert head.post(RESET, {"id": account_id, "current_password": "Faux-faux-42-!"}).status_code == 422
        assert len(desk.rows(SecondFactor)) == 1

    def test_reset_of_somebody_without_says_so(self, app: Flask, desk: Desk, as_: As) -> None:
        account_id, head = desk.account("teacher").id, as_("head")

        with nothing_written(app):
            answer = head.post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert answer.status_code == 422
        assert "n’a pas de second facteur" in Page(answer).text
        assert LABEL not in Page(head.get(f"/admin/utilisateurs/details/?id={account_id}")).text


class TestResetRefused:
    def test_reset_refused_to_oneself(self, app: Flask, as_: As, give: Callable[..., int]) -> None:
        account_id, head = give("head"), as_("head")

        assert LABEL not in Page(head.get(f"/admin/utilisateurs/details/?id={account_id}")).text
        # the code is asked again before, of whoever has a second factor: the rule itself refuses
        with nothing_written(app):
            assert head.post(RESET, {"id": account_id, "current_password": PASSWORD}).status_code == 303

    @pytest.mark.parametrize("role", ["administrator", "teacher", "student", "support"])
    def test_reset_refused_to_those_who_are_not_above(
        self, app: Flask, world: World, give: Callable[..., int], role: str
    ) -> None:
        account_id = give("head")
        browser = Browser(app).sign_in_as(world, role, enter="a" if role == "support" else None)

        with nothing_written(app):
            answer = browser.post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert answer.status_code == 403

    def test_reset_refused_to_an_administrator_whoever_it_is(
        self, app: Flask, as_: As, give: Callable[..., int]
    ) -> None:
        account_id, administrator = give("teacher"), as_("administrator")

        assert LABEL not in Page(administrator.get(f"/admin/utilisateurs/details/?id={account_id}")).text
        with nothing_written(app):
            assert administrator.post(RESET, {"id": account_id, "current_password": PASSWORD}).status_code == 403

    def test_reset_refused_to_the_head_of_another_school(self, app: Flask, as_: As, give: Callable[..., int]) -> None:
        account_id, stranger = give("teacher"), as_("head", "b")
        stranger.get("/mon-compte")

        with nothing_written(app):
            answer = stranger.post(RESET, {"id": account_id, "current_password": PASSWORD})

        assert answer.status_code in (303, 404)
        assert "teacher" not in answer.text

    @pytest.mark.parametrize(
        ("by", "whose"),
        [
            ("head", "head"),
            ("administrator", "teacher"),
            ("teacher", "student"),
            ("head b", "teacher"),
            ("head", "support"),
            ("head", "inspector"),
            ("administrator", "inspector"),
        ],
    )
    def test_reset_refused_by_the_operation_whatever_role_is_claimed(
        self, app: Flask, desk: Desk, give: Callable[..., int], by: str, whose: str
    ) -> None:
        account_id = give(whose)
        role, _, school = by.partition(" ")
        claimed = Actor("account", desk.account(role, school or "a").id, "Claude BASALTE", "head", "")
        kind = PlatformAccount if whose in desk.world.platform_logins else Account

        with nothing_written(app), app.app_context(), pytest.raises(Forbidden):
            with platform_unit_of_work("test") as work:
                second_factor.reset(work.session, work.session.get_one(kind, account_id), by=claimed, now=NOW)

    @pytest.mark.parametrize("state", [{"is_active": False}, {"consent_needed": True, "consented_at": None}])
    def test_reset_refused_to_a_head_who_is_not_in_place(
        self, app: Flask, desk: Desk, give: Callable[..., int], second_head: int, state: dict[str, object]
    ) -> None:
        account_id = give("teacher")
        desk.change("head", **state)
        claimed = Actor("account", desk.account("head").id, "Claude BASALTE", "head", "")

        with app.app_context(), pytest.raises(DomainError):
            with platform_unit_of_work("test") as work:
                second_factor.reset(work.session, work.session.get_one(Account, account_id), by=claimed, now=NOW)

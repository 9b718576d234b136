"""Closing roles at once: sign-ins end, codes are void, nobody comes back in; who may close and reopen what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE
from cpro.core.errors import Conflict
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.users.emergency.models import RoleLock
from cpro.users.emergency.operations import OutOfReach, list_closable_roles, lock_roles, reopen_roles
from cpro.users.operations import codes
from cpro.users.queries import AnyAccount, get_account
from cpro.users.sign_in_models import ActivationCode, SignIn
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.records import nothing_written, rows, set_school

CLOSED = "L’accès à CPro est fermé pour le moment"
REFUSED = "ne vont pas ensemble"
NEW = "Girafe-et-zèbre-42"
EVERYBODY = [Role.ADMINISTRATOR, Role.HEAD, Role.TEACHER, Role.STUDENT, Role.INSPECTOR]
BY_ADMINISTRATOR = [Role.ADMINISTRATOR, Role.TEACHER, Role.STUDENT]

As = Callable[..., Browser]


class Closed(NamedTuple):
    """What a closing says of itself."""

    roles: list[Role]
    accounts: int
    sign_ins: int
    codes: int


class Closing(Office):
    """The office of a school whose roles are closed and reopened."""

    def close(self, *roles: Role, by: str | Actor = "head", keeping: int | None = None) -> Closed:
        """Close roles, as somebody or as the command line."""
        actor = self.actor(by) if isinstance(by, str) else by
        with self.app.app_context(), platform_unit_of_work("test") as work:
            closed = lock_roles(
                work.session, self.school.id, roles, kept_sign_in_id=keeping, by=actor, now=clock.utcnow()
            )
            return Closed(closed.roles, closed.accounts, closed.sign_ins, closed.codes)

    def reopen(self, *roles: Role, by: str | Actor = "head") -> Sequence[Role]:
        """Reopen roles, as somebody or as the command line."""
        actor = self.actor(by) if isinstance(by, str) else by
        with self.app.app_context(), platform_unit_of_work("test") as work:
            return reopen_roles(work.session, self.school.id, roles, password_given=True, by=actor, now=clock.utcnow())

    def give_code(self, role: str, kind: Callable[..., str] = codes.create_code) -> str:
        """Create a code of the person of a role, as a sheet or a message carries one."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            account: AnyAccount = get_account(work.session, "account", self.school.account_ids[role])
            return kind(work.session, account, now=clock.utcnow())

    def good_codes(self) -> list[int]:
        """Return whose codes could still be used: ids of accounts."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            good = select(ActivationCode.account_id).where(ActivationCode.spent_at.is_(None))
            return sorted(each for each in session.scalars(good) if each is not None)


@pytest.fixture
def office(app: Flask, world: World) -> Closing:
    return Closing(app, world)


@pytest.fixture
def sign_in(app: Flask, world: World) -> Callable[..., tuple[int, str]]:
    """Return a way to sign in by the page: status and text."""

    def by_page(role: str, password: str = PASSWORD, school: str = "a") -> tuple[int, str]:
        answer = Browser(app).sign_in(world.school(school).code, world.logins[role], password)
        return answer.status_code, answer.text

    return by_page


class TestListClosableRoles:
    def test_list_closable_roles_of_each(self, office: Closing) -> None:
        assert list_closable_roles(office.actor("head")) == EVERYBODY
        assert list_closable_roles(COMMAND_LINE) == EVERYBODY
        assert list_closable_roles(office.actor("administrator")) == BY_ADMINISTRATOR
        assert list_closable_roles(office.actor("teacher")) == list_closable_roles(office.actor("student")) == []


class TestLockRoles:
    def test_lock_roles_ends_every_sign_in_of_the_role_and_no_other(self, office: Closing, as_: As) -> None:
        thief, owner, pupil, elsewhere = as_("teacher"), as_("teacher"), as_("student"), as_("teacher", "b")
        assert thief.get("/scenarios").status_code == 200

        incident = office.close(Role.TEACHER)

        assert (incident.accounts, incident.sign_ins) == (1, 2)
        for browser in (thief, owner):
            answer = browser.get("/scenarios")
            assert (answer.status_code, answer.headers["Location"][:10]) == (303, "/connexion")
        assert pupil.get("/mon-compte").status_code == elsewhere.get("/mon-compte").status_code == 200

    @pytest.mark.parametrize("role", ["teacher", "student", "administrator", "head"])
    def test_lock_roles_keeps_the_sign_in_shut_and_says_whom_to_ask(
        self, office: Closing, sign_in: Callable[..., tuple[int, str]], role: str
    ) -> None:
        office.close(Role(role), by=COMMAND_LINE)

        status, text = sign_in(role)

        assert status == 403
        assert CLOSED in text
        assert ("l’équipe qui administre CPro" if role == "head" else "au chef d’établissement") in text

    def test_lock_roles_tells_nothing_before_the_right_password(
        self, office: Closing, sign_in: Callable[..., tuple[int, str]]
    ) -> None:
        before = sign_in("teacher", "faux")
        office.close(Role.TEACHER)

        after = sign_in("teacher", "faux")

        assert before[0] == after[0] == 422
        assert REFUSED in after[1]
        assert CLOSED not in after[1]

    def test_lock_roles_voids_the_codes_of_sheets_and_of_forgotten_passwords(
        self, app: Flask, office: Closing, world: World
    ) -> None:
        printed, mailed = office.give_code("teacher"), office.give_code("teacher", codes.create_forgotten_code)
        office.give_code("student")

        assert office.close(Role.TEACHER).codes == 2

        assert office.good_codes() == [world.a.account_ids["student"]]
        office.reopen(Role.TEACHER)
        for code in (printed, mailed):
            assert _activate(app, world, code) == 422

    def test_lock_roles_accepts_no_code_that_was_drawn_since(self, app: Flask, office: Closing, world: World) -> None:
        office.close(Role.TEACHER)
        drawn = office.give_code("teacher")

        assert _activate(app, world, drawn) == 403

        office.reopen(Role.TEACHER)
        assert _activate(app, world, drawn) == 303

    def test_lock_roles_sends_no_code_for_a_forgotten_password(self, app: Flask, office: Closing, world: World) -> None:
        office.change(world.a.account_ids["teacher"], confirmed_email="ines@alpha.example")
        office.close(Role.TEACHER)
        browser = Browser(app)
        browser.get("/mot-de-passe-oublie")

        browser.post("/mot-de-passe-oublie", {"establishment": world.a.code, "login": world.logins["teacher"]})

        assert office.good_codes() == []

    def test_lock_roles_shuts_out_a_sign_in_that_waits_for_a_code(self, office: Closing, app: Flask, as_: As) -> None:
        as_("teacher")
        with app.app_context(), platform_unit_of_work("test") as work:
            for each in work.session.scalars(select(SignIn)):
                each.awaits_code = True

        office.close(Role.TEACHER)

        assert not rows_of_sign_ins(app)

    def test_lock_roles_leaves_another_school_alone(
        self, office: Closing, sign_in: Callable[..., tuple[int, str]]
    ) -> None:
        office.close(*EVERYBODY)

        assert sign_in("teacher", school="b")[0] == sign_in("head", school="b")[0] == 303

    def test_lock_roles_writes_to_every_head_and_in_the_journal(self, office: Closing, world: World) -> None:
        office.change(world.a.account_ids["head"], confirmed_email="chef@alpha.example")

        office.close(Role.TEACHER, Role.STUDENT, by="administrator")

        [(to, text)] = office.mails()
        assert to == "chef@alpha.example"
        assert "Alix GRANITE a fermé d’urgence" in text
        assert "enseignants et apprenants" in text
        assert "https://cpro.example/admin/urgence" in text
        [line] = office.lines("establishment:access:locked")
        assert line.changes["locked_roles"] == [None, "enseignants et apprenants"]

    def test_lock_roles_writes_where_a_heads_code_goes_when_no_head_has_an_address(
        self, app: Flask, office: Closing, world: World
    ) -> None:
        set_school(app, world.a.id, head_email="direction@alpha.example")
        office.change(world.a.account_ids["head"], confirmed_email="")

        office.close(Role.TEACHER, by="administrator")

        assert [to for to, _text in office.mails()] == ["direction@alpha.example"]

    def test_lock_roles_already_closed_is_said(self, app: Flask, office: Closing) -> None:
        office.close(Role.TEACHER)

        with nothing_written(app), pytest.raises(Conflict, match="déjà fermé"):
            office.close(Role.TEACHER)

        assert office.close(Role.TEACHER, Role.STUDENT).roles == [Role.STUDENT]

    def test_lock_roles_of_ones_own_role_keeps_ones_own_browser_alone(
        self, office: Closing, app: Flask, as_: As
    ) -> None:
        phone, thief = as_("head"), as_("head")
        kept = rows_of_sign_ins(app)[0]

        office.close(*EVERYBODY, by="head", keeping=kept)

        assert phone.get("/admin/").status_code == 200
        assert thief.get("/admin/").status_code == 303
        assert as_("head").get("/admin/").status_code == 200  # a lost phone must not leave the school closed

    def test_lock_roles_of_ones_own_role_shuts_the_others_of_it(self, office: Closing, app: Flask, as_: As) -> None:
        second = office.add(Role.HEAD, login="second.chef")
        other = Browser(app).mint_sign_in(office.school.code, "second.chef")

        office.close(Role.HEAD, by="head")

        assert other.get("/admin/").status_code == 303
        assert Browser(app).sign_in(office.school.code, "second.chef", PASSWORD).status_code == 403
        with pytest.raises(OutOfReach):
            office.reopen(Role.HEAD, by=office.actor(second))

    @pytest.mark.parametrize("role", [Role.HEAD, Role.INSPECTOR])
    def test_lock_roles_of_heads_and_inspectors_is_not_the_administrators(
        self, app: Flask, office: Closing, role: Role
    ) -> None:
        office.give_code("head")

        with nothing_written(app), pytest.raises(OutOfReach):
            office.close(Role.TEACHER, role, by="administrator")

    def test_lock_roles_by_the_head_shuts_out_the_administrator_who_closed_first(
        self, app: Flask, office: Closing, as_: As
    ) -> None:
        thief = as_("administrator")
        office.close(Role.ADMINISTRATOR, by="administrator", keeping=rows_of_sign_ins(app)[0])
        assert thief.get("/admin/").status_code == 200

        office.close(Role.ADMINISTRATOR, by="head")

        assert thief.get("/admin/").status_code == 303
        first, second = rows(app, RoleLock)
        assert first["reopened_by"] == "Claude BASALTE, qui l’a fermé à nouveau"
        assert (second["reopened_at"], second["kept_account_id"]) == (None, None)

    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_lock_roles_is_refused_to_the_others(self, app: Flask, office: Closing, role: str) -> None:
        with nothing_written(app), pytest.raises(OutOfReach):
            office.close(Role.TEACHER, by=role)

    def test_lock_roles_of_another_school_is_refused(self, app: Flask, office: Closing, world: World) -> None:
        stranger = Closing(app, world, "b").actor("head")

        with nothing_written(app), pytest.raises(OutOfReach):
            office.close(Role.TEACHER, by=stranger)

    def test_lock_roles_by_somebody_shut_out_is_refused(self, app: Flask, office: Closing) -> None:
        office.close(Role.ADMINISTRATOR)

        with nothing_written(app), pytest.raises(OutOfReach):
            office.close(Role.TEACHER, by="administrator")

    def test_lock_roles_leaves_the_support_alone(self, office: Closing, as_: As) -> None:
        support = as_("support", enter="a")

        office.close(*EVERYBODY)

        assert support.get("/admin/").status_code == 200


class TestReopenRoles:
    def test_reopen_roles_lets_people_in_with_the_password_they_had(
        self, office: Closing, sign_in: Callable[..., tuple[int, str]]
    ) -> None:
        office.close(Role.TEACHER, Role.STUDENT)

        assert office.reopen(*EVERYBODY) == [Role.TEACHER, Role.STUDENT]

        assert sign_in("teacher")[0] == sign_in("student")[0] == 303
        [line] = office.lines("establishment:access:reopened")
        assert line.changes["reopened_roles"] == [None, "enseignants et apprenants"]

    def test_reopen_roles_one_by_one(self, office: Closing, sign_in: Callable[..., tuple[int, str]]) -> None:
        office.close(*EVERYBODY)

        office.reopen(Role.ADMINISTRATOR)

        assert sign_in("administrator")[0] == 303
        assert sign_in("teacher")[0] == 403

    def test_reopen_roles_is_the_heads_and_the_command_lines(self, app: Flask, office: Closing) -> None:
        office.close(Role.TEACHER, by="administrator")

        with nothing_written(app), pytest.raises(OutOfReach):
            office.reopen(Role.TEACHER, by="administrator")

        assert office.reopen(Role.TEACHER, by=COMMAND_LINE) == [Role.TEACHER]

    def test_reopen_roles_that_are_open_is_said(self, app: Flask, office: Closing) -> None:
        with nothing_written(app), pytest.raises(Conflict, match="déjà ouvert"):
            office.reopen(Role.TEACHER)


def rows_of_sign_ins(app: Flask) -> list[int]:
    """Return the sign-ins that are open, the oldest first."""
    with app.app_context(), tenancy.platform_session("test") as session:
        return list(session.scalars(select(SignIn.id).order_by(SignIn.id)))


def _activate(app: Flask, world: World, code: str) -> int:
    browser = Browser(app)
    browser.get("/activation")
    given = {"establishment": world.a.code, "login": world.logins["teacher"], "code": code}
    return browser.post("/activation", {**given, "password": NEW, "password_confirm": NEW}).status_code

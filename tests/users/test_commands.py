"""The command line: schools, new codes, platform accounts; refusals in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Role
from cpro.core.tenancy import platform_session
from cpro.establishments.models import Establishment
from cpro.users.models import Account, PlatformAccount
from cpro.users.sign_in_models import ActivationCode
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.users.conftest import Desk

CHOSEN = "Girafe-et-zèbre-42"
_CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")


@pytest.fixture
def run(app: Flask, world: World) -> Callable[..., Result]:
    """Return `flask --app app …`."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


@pytest.fixture
def activate(app: Flask) -> Callable[..., TestResponse]:
    """Return a maker of activations with what a command printed."""

    def post(result: Result, establishment: str, login: str) -> TestResponse:
        [code] = _CODE.findall(result.stdout)
        visitor = Browser(app)
        visitor.get("/activation")
        return visitor.post(
            "/activation",
            {
                "establishment": establishment,
                "login": login,
                "code": code,
                "password": CHOSEN,
                "password_confirm": CHOSEN,
            },
        )

    return post


def is_refused(result: Result) -> bool:
    """Return whether a command ended with one sentence on standard error, a status, and nothing else."""
    lines = result.stderr.strip().splitlines()
    return result.exit_code != 0 and result.stdout == "" and len(lines) == 1 and "Traceback" not in result.output


class TestCreateSchool:
    CREATE = ("establishments", "create", "--name", "Lycée Curie", "--uai", "0570109j", "--code", "Curie")

    @pytest.mark.parametrize(
        "words",
        [
            ("--code", "alpha"),
            ("--code", "admin"),
            ("--code", "connexion"),
            ("--code", "a b"),
            ("--code", ""),
            ("--uai", "0940321S"),
            ("--uai", "0999001W"),
            ("--admin-email", "a@b"),
            ("--head-email", "a@b"),
            ("--name", "x" * 10_000),
        ],
    )
    def test_create_school_a_refusal_is_one_sentence_and_writes_nothing(
        self, run: Callable[..., Result], desk: Desk, words: tuple[str, str]
    ) -> None:
        before = len(desk.rows(Establishment)), len(desk.rows(Account)), len(desk.rows(AuditEntry))

        result = run(*self.CREATE, *words)

        assert is_refused(result), result.output
        assert (len(desk.rows(Establishment)), len(desk.rows(Account)), len(desk.rows(AuditEntry))) == before

    def test_create_school_prints_a_code_that_lets_the_administrator_in(
        self, run: Callable[..., Result], activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        result = run(*self.CREATE, "--admin-email", "admin@curie.example")

        assert result.exit_code == 0, result.output
        assert activate(result, "0570109J", "administrateur").status_code == 303
        school = next(each for each in desk.rows(Establishment) if each.code == "curie")
        assert (school.name, school.uai) == ("Lycée Curie", "0570109J")
        [account] = [each for each in desk.rows(Account) if each.establishment_id == school.id]
        assert (account.role, account.email) == (Role.ADMINISTRATOR, "admin@curie.example")

    def test_create_school_leaves_its_lines_in_the_journal_of_the_school(
        self, run: Callable[..., Result], desk: Desk
    ) -> None:
        run(*self.CREATE)

        school = next(each for each in desk.rows(Establishment) if each.code == "curie")
        lines = desk.rows(AuditEntry)
        assert [row.action for row in lines] == ["establishment:created", "account:created"]
        assert {row.establishment_id for row in lines} == {school.id}
        assert {row.actor_label for row in lines} == {"Administration du serveur"}

    def test_create_school_a_uai_is_not_needed_to_begin(self, run: Callable[..., Result], desk: Desk) -> None:
        for code in ("curie", "noether"):
            assert run("establishments", "create", "--name", "Lycée", "--code", code).exit_code == 0

        assert [each.uai for each in desk.rows(Establishment) if each.code in ("curie", "noether")] == [None, None]

    @pytest.mark.parametrize("missing", ["--name", "--code"])
    def test_create_school_says_what_is_missing(self, run: Callable[..., Result], desk: Desk, missing: str) -> None:
        other = {"--name": ("--code", "curie"), "--code": ("--name", "Lycée")}[missing]

        result = run("establishments", "create", *other)

        assert result.exit_code != 0
        assert missing in result.stderr
        assert len(desk.rows(Establishment)) == 2


class TestSetHeadAddress:
    CREATE = ("establishments", "create", "--name", "Lycée Curie", "--code", "curie")

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--uai", "0570109J"), "ce.0570109j@ac-nancy-metz.fr"),
            (("--uai", "0570109J", "--head-email", "p@curie.example"), "p@curie.example"),
            (("--uai", "0570109J", "--no-official-mailbox"), "users reset"),
            (("--uai", "0999003Y"), "users reset"),
            ((), "users reset"),
        ],
    )
    def test_create_school_is_said_when_the_school_is_created(
        self, run: Callable[..., Result], words: tuple[str, ...], sentence: str
    ) -> None:
        result = run(*self.CREATE, *words)

        assert result.exit_code == 0, result.output
        assert sentence in result.stdout
        assert _CODE.fullmatch(result.stdout.split()[-1])  # scripts read the code at the end

    def test_create_school_is_never_the_administrators_address(self, run: Callable[..., Result], desk: Desk) -> None:
        result = run(*self.CREATE, "--admin-email", "a@curie.example", "--head-email", "A@CURIE.example")

        assert is_refused(result), result.output
        assert len(desk.rows(Establishment)) == 2

    def test_set_uai_follows_the_uai_that_the_command_line_corrects(
        self, run: Callable[..., Result], desk: Desk
    ) -> None:
        run(*self.CREATE)

        assert "ce.0940321n@ac-creteil.fr" in run("establishments", "set-uai", "curie", "0940321N").stdout
        assert "users reset" in run("establishments", "set-uai", "curie", "0570109J", "--no-official-mailbox").stdout

    def test_set_head_address_is_set_again_whatever_was_confirmed(
        self, run: Callable[..., Result], arrange: Callable[..., Any]
    ) -> None:
        with arrange() as session:
            school = session.scalars(select(Establishment).where(Establishment.code == "alpha")).one()
            school.confirmed_email = "contact@alpha.example"

        result = run("establishments", "set-head-email", "alpha", "p@alpha.example")

        assert (result.exit_code, "p@alpha.example" in result.stdout) == (0, True), result.output
        with arrange() as session:
            school = session.scalars(select(Establishment).where(Establishment.code == "alpha")).one()
            assert (school.head_email, school.confirmed_email) == ("p@alpha.example", "")
            line = session.scalars(select(AuditEntry).where(AuditEntry.establishment_id == school.id)).one()
            assert line.changes["confirmed_email"] == ["contact@alpha.example", ""]

    def test_set_head_address_of_an_unknown_school_or_a_malformed_address_is_refused(
        self, run: Callable[..., Result]
    ) -> None:
        assert is_refused(run("establishments", "set-head-email", "nulle-part", "p@alpha.example"))
        assert is_refused(run("establishments", "set-head-email", "alpha", "pas une adresse"))


class TestResetCommand:
    @pytest.mark.parametrize(
        ("login", "school"), [("personne.inconnue", "alpha"), ("claude.basalte", "nulle-part"), ("claude.basalte", "")]
    )
    def test_reset_command_an_unknown_account_is_refused(
        self, run: Callable[..., Result], desk: Desk, login: str, school: str
    ) -> None:
        result = run("users", "reset", login, "--establishment", school)

        assert is_refused(result), result.output
        assert desk.rows(ActivationCode) == []

    def test_reset_command_prints_a_code_and_ends_password_and_sign_ins(
        self,
        run: Callable[..., Result],
        activate: Callable[..., TestResponse],
        as_: Callable[..., Browser],
        browser: Callable[[], Browser],
    ) -> None:
        signed_in, namesake = as_("head"), as_("head", "b")

        result = run("users", "reset", "Claude.Basalte", "--establishment", "0999001w")

        assert result.exit_code == 0, result.output
        assert signed_in.get("/mon-compte").status_code == 303
        assert namesake.get("/mon-compte").status_code == 200
        assert browser().sign_in("alpha", "claude.basalte", PASSWORD).status_code == 422
        assert activate(result, "alpha", "claude.basalte").status_code == 303
        assert browser().sign_in("alpha", "claude.basalte", CHOSEN).status_code == 303

    def test_reset_command_is_recorded_in_the_journal_without_the_code(
        self, run: Callable[..., Result], desk: Desk, world: World
    ) -> None:
        result = run("users", "reset", "claude.basalte", "--establishment", "beta")

        [line] = desk.rows(AuditEntry)
        assert (line.action, line.establishment_id) == ("account:reset", world.b.id)
        assert _CODE.findall(result.stdout)[0] not in f"{line.changes} {line.object_label}"


class TestPlatformUserCommands:
    @pytest.mark.parametrize("role", ["support", "inspector"])
    def test_create_command_prints_a_code_that_lets_in(
        self, run: Callable[..., Result], activate: Callable[..., TestResponse], desk: Desk, role: str
    ) -> None:
        result = run("platform-users", "create", "Marie@CPRO.example", "--role", role, "--name", "Marie Noire")

        assert result.exit_code == 0, result.output
        assert activate(result, "", "marie@cpro.example").status_code == 303
        account = next(each for each in desk.rows(PlatformAccount) if each.email == "marie@cpro.example")
        assert (account.role.value, account.name) == (role, "Marie Noire")

    @pytest.mark.parametrize("email", ["SUPPORT@cpro.example", "a@b", "", "pas une adresse"])
    def test_create_command_refuses_a_taken_or_malformed_address(
        self, run: Callable[..., Result], desk: Desk, email: str
    ) -> None:
        result = run("platform-users", "create", email, "--role", "support")

        assert is_refused(result), result.output
        assert len(desk.rows(PlatformAccount)) == 2

    @pytest.mark.parametrize("role", ["administrator", "head", ""])
    def test_create_command_refuses_the_roles_of_schools(
        self, run: Callable[..., Result], desk: Desk, role: str
    ) -> None:
        assert run("platform-users", "create", "x@cpro.example", "--role", role).exit_code != 0
        assert len(desk.rows(PlatformAccount)) == 2

    @pytest.mark.parametrize("role", [(), ("--role", "support")])
    def test_disable_command_ends_sign_ins_and_codes(
        self,
        run: Callable[..., Result],
        as_: Callable[..., Browser],
        browser: Callable[[], Browser],
        role: tuple[str, ...],
    ) -> None:
        signed_in, other = as_("support"), as_("inspector")

        result = run("platform-users", "disable", "support@cpro.example", *role)

        assert result.exit_code == 0, result.output
        assert signed_in.get("/mon-compte").status_code == 303
        assert other.get("/mon-compte").status_code == 200
        assert browser().sign_in("", "support@cpro.example", PASSWORD).status_code == 403

    def test_reset_platform_prints_a_code_and_ends_sign_ins(
        self, run: Callable[..., Result], activate: Callable[..., TestResponse], as_: Callable[..., Browser]
    ) -> None:
        signed_in = as_("inspector")

        result = run("platform-users", "reset", "inspecteur@cpro.example")

        assert result.exit_code == 0, result.output
        assert signed_in.get("/mon-compte").status_code == 303
        assert activate(result, "", "inspecteur@cpro.example").status_code == 303

    @pytest.mark.parametrize("command", ["disable", "reset"])
    @pytest.mark.parametrize(
        "words", [("personne@cpro.example",), ("alix.granite",), ("support@cpro.example", "--role", "inspector")]
    )
    def test_platform_user_commands_an_unknown_account_or_another_role_is_refused(
        self, run: Callable[..., Result], as_: Callable[..., Browser], command: str, words: tuple[str, ...]
    ) -> None:
        signed_in = as_("support")

        result = run("platform-users", command, *words)

        assert is_refused(result), result.output
        assert signed_in.get("/mon-compte").status_code == 200


class TestLists:
    def test_lists_the_schools(self, run: Callable[..., Result], world: World) -> None:
        result = run("establishments", "list")

        assert result.exit_code == 0, result.output
        assert [line.split()[0] for line in result.stdout.splitlines()] == ["code", "alpha", "beta"]

    def test_lists_the_accounts_of_one_school_alone(self, run: Callable[..., Result], desk: Desk) -> None:
        result = run("users", "list", "--establishment", "alpha")

        assert result.exit_code == 0, result.output
        assert "Administrateur" in result.stdout
        assert "beta" not in result.stdout

    def test_lists_an_unknown_school_is_refused(self, run: Callable[..., Result]) -> None:
        assert is_refused(run("users", "list", "--establishment", "gamma"))

    def test_lists_the_accounts_of_the_platform_by_role(self, run: Callable[..., Result]) -> None:
        run("platform-users", "create", "aide@cpro.example", "--role", "support")
        run("platform-users", "create", "visite@cpro.example", "--role", "inspector")

        result = run("platform-users", "list", "--role", "inspector")

        assert "visite@cpro.example" in result.stdout
        assert "aide@cpro.example" not in result.stdout


class TestEnablePlatformAccount:
    def test_enable_gives_the_sign_in_back_and_is_journaled_once(self, app: Flask, run: Callable[..., Result]) -> None:
        run("platform-users", "create", "aide@cpro.example", "--role", "support")
        run("platform-users", "disable", "aide@cpro.example")

        results = [run("platform-users", "enable", "aide@cpro.example") for _ in range(2)]

        assert [result.exit_code for result in results] == [0, 0]
        with app.app_context(), platform_session("test") as session:
            assert (
                session.scalars(select(PlatformAccount).where(PlatformAccount.email == "aide@cpro.example"))
                .one()
                .is_active
            )
            assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "account:enabled")).all()) == 1

    def test_enable_refuses_an_account_of_another_role(self, run: Callable[..., Result]) -> None:
        run("platform-users", "create", "aide@cpro.example", "--role", "support")

        assert is_refused(run("platform-users", "enable", "aide@cpro.example", "--role", "inspector"))

"""The database knows its server key: another refuses to start, a rotation takes nothing from anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.campaigns import size_of
from cpro.core import clock
from cpro.core.secrets import fingerprints
from cpro.core.server_key import ServerKey, UnknownKey, claim_key
from cpro.users.models import Account
from cpro.users.operations import codes
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.platform import Platform, flask, run
from tests.helpers.server_keys import NEW_KEY, Rekey, rekeying

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def another(app: Flask) -> Iterator[Rekey]:
    """Return a maker of applications on the same database and store, under another key."""
    with rekeying(app) as make:
        yield make


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def start(app: Flask) -> None:
    with app.app_context():
        claim_key(now=NOW)


def noted(platform: Look) -> list[str]:
    with platform() as session:
        return list(session.scalars(select(ServerKey.fingerprint)))


def fingerprint_of(app: Flask) -> str:
    with app.app_context():
        return fingerprints()[0]


class TestClaimKey:
    def test_claim_key_is_noted_at_the_first_start_and_not_the_key_itself(self, app: Flask, platform: Look) -> None:
        start(app)
        start(app)

        assert noted(platform) == [fingerprint_of(app)]
        assert app.config["SECRET_KEY"] not in noted(platform)[0]

    def test_claim_key_another_key_is_refused_in_a_sentence_without_any_key(
        self, app: Flask, another: Rekey, platform: Look
    ) -> None:
        start(app)
        with pytest.raises(UnknownKey) as refusal:
            start(another())

        assert "CPRO_SECRET_KEY_FALLBACKS" in refusal.value.message
        assert NEW_KEY not in refusal.value.message and app.config["SECRET_KEY"] not in refusal.value.message
        assert noted(platform) == [fingerprint_of(app)]

    def test_claim_key_follows_a_rotation_and_the_former_key_alone_is_then_refused(
        self, app: Flask, another: Rekey, platform: Look
    ) -> None:
        start(app)
        rotated = another(NEW_KEY, app.config["SECRET_KEY"])
        start(rotated)

        assert noted(platform) == [fingerprint_of(rotated)]
        with pytest.raises(UnknownKey):
            start(app)

    def test_claim_key_of_a_host_that_learns_the_next_key_first(self, app: Flask, another: Rekey) -> None:
        """Several hosts rotate in two rounds: each learns the new key, then each signs with it."""
        start(app)
        start(another(app.config["SECRET_KEY"], NEW_KEY))
        start(another(NEW_KEY, app.config["SECRET_KEY"]))
        start(another(app.config["SECRET_KEY"], NEW_KEY))


class TestCheckKey:
    def test_check_key_commands_refuse_another_key(self, app: Flask, another: Rekey, world: World) -> None:
        start(app)
        reset = ["users", "reset", world.logins["teacher"], "--establishment", world.a.code]
        answer = another().test_cli_runner().invoke(args=reset)

        assert (answer.exit_code, answer.stdout) == (1, "")
        assert "n’est pas celle de cette base de données" in answer.stderr

    def test_check_key_commands_work_where_no_key_is_noted_yet(self, another: Rekey, world: World) -> None:
        reset = ["users", "reset", world.logins["teacher"], "--establishment", world.a.code]

        assert another().test_cli_runner().invoke(args=reset).exit_code == 0


class TestAdopt:
    def test_adopt_takes_the_key_and_says_what_is_lost(self, app: Flask, another: Rekey, platform: Look) -> None:
        start(app)
        found = another()
        answer = found.test_cli_runner().invoke(args=["keys", "adopt"])

        assert answer.exit_code == 0, answer.stderr
        assert "Ne valent plus" in answer.stdout and "CPRO_JOURNAL_KEY" in answer.stdout
        start(found)
        assert noted(platform) == [fingerprint_of(found)]

    def test_adopt_changes_nothing_under_the_right_key(self, app: Flask, platform: Look) -> None:
        start(app)
        answer = app.test_cli_runner().invoke(args=["keys", "adopt"])

        assert answer.exit_code == 0
        assert "rien n’a changé" in answer.stdout
        assert noted(platform) == [fingerprint_of(app)]


class TestRotation:
    def test_rotation_signs_nobody_out_and_takes_a_form_opened_before(
        self, app: Flask, another: Rekey, as_: Callable[..., Browser]
    ) -> None:
        browser, page = as_("administrator"), "/admin/parametres/etablissement"
        typed = {**browser.form(page), "city": "Nancy"}
        browser.client.application = another(NEW_KEY, app.config["SECRET_KEY"])

        assert browser.post(page, typed).status_code == 303
        assert browser.form(page)["city"] == "Nancy"

    def test_rotation_again_and_again_is_not_noticed(
        self, app: Flask, another: Rekey, as_: Callable[..., Browser]
    ) -> None:
        browser, page, keys = as_("administrator"), "/admin/parametres/etablissement", [app.config["SECRET_KEY"]]
        for turn in range(size_of("key-rotations")):
            typed = {**browser.form(page), "city": f"Nancy {turn}"}
            keys.insert(0, f"{NEW_KEY}-{turn}")
            browser.client.application = another(*keys)

            assert browser.post(page, typed).status_code == 303
            assert browser.form(page)["city"] == f"Nancy {turn}"

    def test_rotation_without_the_former_key_would_sign_out(self, another: Rekey, as_: Callable[..., Browser]) -> None:
        browser = as_("administrator")
        browser.client.application = another()

        assert browser.get("/mon-compte").location.startswith("/connexion")

    def test_rotation_voids_no_printed_code(self, app: Flask, another: Rekey, world: World, arrange: Look) -> None:
        with arrange() as session:
            account = session.get_one(Account, world.a.account_ids["teacher"])
            code = codes.create_code(session, account, now=clock.utcnow())
            school, login = account.establishment_id, account.login
        assert school == world.a.id
        new = "Grès-vif-42-marne!"
        typed = {"establishment": world.a.code, "login": login, "code": code, "password": new, "password_confirm": new}
        browser = Browser(another(NEW_KEY, app.config["SECRET_KEY"]))
        browser.get("/activation")

        assert browser.post("/activation", typed).status_code == 303
        assert browser.get("/mon-compte").status_code == 200

    def test_rotation_keeps_second_factors_recovery_codes_and_known_browsers(
        self, app: Flask, another: Rekey, world: World, clock_: time_machine.Traveller, as_: Callable[..., Browser]
    ) -> None:
        browser, page = as_("head"), "/mon-compte/second-facteur"
        begun = browser.post(f"{page}/commencer", {"current_password": PASSWORD}, follow_redirects=True)
        secret = re.findall(r"<code>([A-Z2-7 ]+)</code>", begun.text)[0].replace(" ", "")
        shown = browser.post(f"{page}/confirmer", {"code": pyotp.TOTP(secret).now()})
        recovery = re.findall(r"<li><code>([0-9A-Z-]+)</code>", shown.text)
        clock_.shift(timedelta(seconds=30))  # what is trusted in the second of the confirmation is not
        trusted = Browser(app)
        trusted.sign_in(world.a.code, world.logins["head"], PASSWORD)
        trusted.get("/connexion/code")
        assert trusted.post("/connexion/code", {"code": recovery[0], "trust": "oui"}).status_code == 303

        rotated = another(NEW_KEY, app.config["SECRET_KEY"])
        asked = Browser(rotated)
        asked.sign_in(world.a.code, world.logins["head"], PASSWORD)
        asked.get("/connexion/code")
        assert asked.post("/connexion/code", {"code": recovery[0]}).status_code == 422, "used up before"
        assert asked.post("/connexion/code", {"code": recovery[1]}).status_code == 303
        assert asked.get("/mon-compte").status_code == 200
        trusted.client.application = rotated
        trusted.post("/deconnexion")
        assert trusted.sign_in(world.a.code, world.logins["head"], PASSWORD).location == "/", "no code is asked"

    def test_rotation_leaves_the_journal_intact(self, app: Flask, another: Rekey, as_: Callable[..., Browser]) -> None:
        browser, page = as_("administrator"), "/admin/parametres/etablissement"
        browser.post(page, {**browser.form(page), "city": "Nancy"})
        rotated = another(NEW_KEY, app.config["SECRET_KEY"])
        browser.client.application = rotated
        browser.post(page, {**browser.form(page), "city": "Metz"})

        answer = rotated.test_cli_runner().invoke(args=["audit", "verify"])
        assert answer.exit_code == 0, answer.stderr


@pytest.mark.slow
class TestStart:
    def test_start_another_key_is_refused_by_the_platform_the_server_and_the_worker(self, tmp_path: Path) -> None:
        with Platform(tmp_path, {"CPRO_SECRET_KEY": "one-key-of-no-value"}):
            pass
        other = {"CPRO_SECRET_KEY": "another-key-of-no-value", "CPRO_JOBS_URL": ""}

        for command in (["app.py"], ["-c", "import app"], ["-m", "flask", "--app", "app", "worker"]):
            answer = run(command, tmp_path, **other)
            assert answer.returncode == 1, command
            assert answer.stderr.strip().endswith("dit ce qui ne vaut plus."), answer.stderr
            assert "key-of-no-value" not in answer.stdout + answer.stderr
        rotated = {**other, "CPRO_SECRET_KEY_FALLBACKS": "older, one-key-of-no-value"}
        assert run(["-c", "import app"], tmp_path, **rotated).returncode == 0
        assert run(["-c", "import app"], tmp_path, **other).returncode == 0, "the fingerprint has followed"
        assert flask("db", "upgrade", folder=tmp_path, **other).returncode == 0

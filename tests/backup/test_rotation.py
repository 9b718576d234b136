"""After a rotation of the server's key: what hangs on the former one, and what is sealed again so that it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import clock, tenancy
from cpro.core.mail import Mail, enqueue
from cpro.core.mail.models import MailMessage
from cpro.core.secrets import unseal
from cpro.core.server_key import adopt_key, claim_key
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account
from cpro.users.operations import codes
from cpro.users.operations.second_factor import PURPOSE
from cpro.users.sign_in_models import SecondFactor
from tests.factories import PASSWORD, TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.phone import PAGE, Phone
from tests.helpers.server_keys import NEW_KEY, Rekey, rekeying

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def phone(app: Flask, as_: As, clock_: time_machine.Traveller) -> Phone:
    """Return the phone of a head, whose second factor is set up under the first key of the base."""
    with app.app_context():
        claim_key(now=START)
    return Phone(app, as_("head"), clock_)


@pytest.fixture
def rekey(app: Flask) -> Iterator[Rekey]:
    """Return a maker of the application once its key was rotated."""
    with rekeying(app) as make:
        yield make


@pytest.fixture
def rotated(app: Flask, phone: Phone, rekey: Rekey) -> Flask:
    """Return the application under a new key, an hour later."""
    phone.clock.shift(timedelta(hours=1))
    made = rekey(NEW_KEY, app.config["SECRET_KEY"])
    with made.app_context():
        claim_key(now=clock.utcnow())
    return made


def keys(app: Flask, command: str) -> Result:
    answer: Result = app.test_cli_runner().invoke(args=["keys", command])
    assert answer.exit_code == 0, answer.output
    return answer


def factor(app: Flask) -> SecondFactor:
    with app.app_context(), tenancy.platform_session("test") as session:
        return session.query(SecondFactor).one()


class TestReseal:
    def test_reseal_lets_the_former_key_go(self, rotated: Flask, phone: Phone, rekey: Rekey) -> None:
        assert "1 second facteur sous une ancienne clé" in keys(rotated, "status").stdout

        assert "1 second facteur scellé à nouveau." in keys(rotated, "reseal").stdout
        assert "0 second facteur scellé à nouveau." in keys(rotated, "reseal").stdout, "twice changes nothing"

        assert "sous une ancienne clé" not in keys(rotated, "status").stdout
        alone = rekey()
        visitor = Browser(alone)
        visitor.sign_in("alpha", "claude.basalte", PASSWORD)
        visitor.get("/connexion/code")
        assert visitor.post("/connexion/code", {"code": phone.code()}).status_code == 303

    def test_reseal_is_in_the_journal_once(self, rotated: Flask) -> None:
        keys(rotated, "reseal")
        keys(rotated, "reseal")

        with rotated.app_context(), tenancy.platform_session("test") as session:
            lines = session.query(AuditEntry).filter_by(action="server:key:resealed").all()
        assert [line.changes for line in lines] == [{"seconds facteurs": [None, 1]}]

    def test_reseal_of_messages_that_wait(
        self, app: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch, world: World, rekey: Rekey
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_MAIL_URL", "smtp://127.0.0.1:1")  # nobody listens there
        with app.app_context(), platform_unit_of_work("test", schools=[world.a.id]) as work:
            enqueue(
                Mail(to="chef@alpha.example", subject="CPro", body="Bonjour"),
                by=TESTER,
                now=clock.utcnow(),
                session=work.session,
                establishment_id=world.a.id,
            )
        made = rekey(NEW_KEY, app.config["SECRET_KEY"])

        assert "1 message en attente scellé à nouveau." in keys(made, "reseal").stdout
        alone = rekey()
        with alone.app_context(), tenancy.platform_session("test") as session:
            assert unseal("mail", session.query(MailMessage).one().sealed_body) == "Bonjour"

    def test_reseal_leaves_what_no_key_opens_and_says_so(self, app: Flask, phone: Phone, rekey: Rekey) -> None:
        before = factor(app).secret
        lost = rekey()
        with lost.app_context(), platform_unit_of_work("test") as work:
            adopt_key(work.session, now=START)

        assert "1 qu’aucune clé n’ouvre" in keys(lost, "reseal").stdout
        assert "1 second facteur qu’aucune clé de ce serveur n’ouvre." in keys(lost, "status").stdout
        assert factor(app).secret == before

    def test_reseal_happens_at_the_next_use(self, app: Flask, rotated: Flask, phone: Phone, rekey: Rekey) -> None:
        visitor = Browser(rotated)
        visitor.sign_in("alpha", "claude.basalte", PASSWORD)
        visitor.get("/connexion/code")
        assert visitor.post("/connexion/code", {"code": phone.code()}).status_code == 303

        alone = rekey()
        with alone.app_context():
            assert pyotp.TOTP(unseal(PURPOSE, factor(app).secret)).now() == phone.code()


class TestStatus:
    def test_status_counts_codes_given_before_until_they_are_void(
        self, app: Flask, phone: Phone, arrange: Look, world: World, rekey: Rekey
    ) -> None:
        with arrange() as session:
            account = session.get_one(Account, world.a.account_ids["teacher"])
            codes.create_code(session, account, now=clock.utcnow())
        phone.clock.shift(timedelta(hours=1))
        made = rekey(NEW_KEY, app.config["SECRET_KEY"])
        with made.app_context():
            claim_key(now=clock.utcnow())

        assert "1 code d’activation remis avant, valables" in keys(made, "status").stdout
        phone.clock.shift(timedelta(days=40))
        assert "code d’activation" not in keys(made, "status").stdout

    def test_status_counts_recovery_codes_until_they_are_drawn_again(self, rotated: Flask, phone: Phone) -> None:
        keys(rotated, "reseal")
        said = keys(rotated, "status").stdout
        assert "1 personne a des codes de secours créés avant" in said
        assert "Rien d’autre que le journal" not in said

        visitor = Browser(rotated)
        visitor.sign_in("alpha", "claude.basalte", PASSWORD)
        visitor.get("/connexion/code")
        visitor.post("/connexion/code", {"code": phone.code()})
        visitor.get(PAGE)
        assert visitor.post(f"{PAGE}/codes", {"current_password": PASSWORD}).status_code == 200

        said = keys(rotated, "status").stdout
        assert "codes de secours" not in said
        assert "Rien d’autre que le journal ne dépend d’une ancienne clé" in said

    def test_status_where_no_key_was_ever_changed(self, app: Flask, world: World) -> None:
        assert "Rien d’autre que le journal" in keys(app, "status").stdout

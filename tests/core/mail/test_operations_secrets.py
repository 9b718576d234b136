"""No code of a message is in a row, in a log or on a page: the message alone tells it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.config import UnusableSetting, load_settings
from cpro.core import clock
from cpro.core.mail import MailMessage
from cpro.core.mail.operations import forget_old
from cpro.core.tenancy import Scope, enter
from cpro.extensions import db
from cpro.users.models import Account
from tests.core.mail.conftest import Post, Sink
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.days import days_from_today, today
from tests.helpers.office import CODE, Office
from tests.helpers.records import everything

Arrange = Callable[[], AbstractContextManager[Session]]
PATIENCE = 60  # seconds: a thread of this process writes the message


def _forgotten(app: Flask, world: World) -> None:
    visitor = Browser(app)
    visitor.get("/mot-de-passe-oublie")
    visitor.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": "ines.quartz"})


def _reset_head(app: Flask, world: World) -> None:
    office = Office(app, world)
    office.change(office.school.account_ids["head"], activated_at=None, password_hash=None)
    administrator = Browser(app).sign_in_as(world, "administrator")
    account = office.school.account_ids["head"]
    administrator.get(f"/admin/utilisateurs/reinitialiser/?id={account}")
    administrator.post(f"/admin/utilisateurs/reinitialiser/?id={account}", {"current_password": PASSWORD})


def _invite_inspector(app: Flask, world: World) -> None:
    head = Browser(app).sign_in_as(world, "head")
    head.get("/admin/parametres/inspecteurs")
    head.post(
        "/admin/parametres/inspecteurs",
        {
            "name": "Claire Fer",
            "email": "claire.fer@ac-test.example",
            "starts_on": today().isoformat(),
            "ends_on": days_from_today(1).isoformat(),
            "purpose": "Visite",
        },
    )


@pytest.mark.parametrize("act", [_forgotten, _reset_head, _invite_inspector])
def test_mail_code_is_nowhere_but_in_its_message(
    app: Flask,
    world: World,
    post: Post,
    sink: Sink,
    caplog: pytest.LogCaptureFixture,
    arrange: Arrange,
    act: Callable[[Flask, World], None],
) -> None:
    sink.answers = ["451 4.7.1 Greylisted"]
    kept: list[str] = []
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the receiving server tells all it reads
    with caplog.at_level(logging.DEBUG), logged_statements(app):
        act(app, world)
        _await_message(post)
        post.work()
        kept.append(repr(everything(app)))
        with arrange() as session:
            for job in post.jobs():
                session.get_one(type(job), job.id).not_before = None
        post.work()
        kept.append(repr(everything(app)))

    (message,) = sink.taken
    (code,) = CODE.findall(message.get_content())
    for text in (*kept, caplog.text):
        assert code not in text
        assert code.replace("-", "") not in text
    assert "mail_message" in kept[0]
    assert "INSERT INTO mail_message" in caplog.text


@contextmanager
def logged_statements(app: Flask) -> Iterator[None]:
    """Have the database's statements logged with their parameters, as somebody looking for a fault would."""
    with app.app_context():
        engine = db.engine
    engine.echo = "debug"
    try:
        yield
    finally:
        engine.echo = False


def _await_message(post: Post) -> None:
    until = time.monotonic() + PATIENCE
    while not post.rows():
        assert time.monotonic() < until
        time.sleep(0.02)


class TestForgottenPassword:
    def test_forgotten_password_the_answer_does_not_wait_for_what_depends_on_the_account(
        self, app: Flask, world: World, post: Post, sink: Sink, arrange: Arrange
    ) -> None:
        visitor = Browser(app)
        visitor.get("/mot-de-passe-oublie")
        account_id = world.a.account_ids["teacher"]

        with arrange() as session:  # whoever wants the account's row, or to write, waits for us
            session.get_one(Account, account_id, with_for_update=True)
            for login in ("ines.quartz", "personne.inconnue"):
                answer = visitor.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": login})
                assert answer.status_code == 200
            assert post.rows() == []

        _await_message(post)
        post.work()
        assert [message["To"] for message in sink.taken] == ["ines.quartz@alpha.example"]


class TestLoadSettings:
    @pytest.mark.parametrize(
        "url", ["smtp+tls://relais.example", "relais.example", "smtp://", "smtp://relais.example:99999", "http://x"]
    )
    def test_load_settings_an_address_of_no_known_kind_prevents_the_start_and_is_not_quoted(
        self, url: str, tmp_path: Path
    ) -> None:
        with pytest.raises(UnusableSetting, match="CPRO_MAIL_URL") as refusal:
            load_settings({"CPRO_MAIL_URL": f"{url}", "CPRO_INSTANCE": str(tmp_path)})
        assert url not in str(refusal.value) or url == "smtp://"


class TestMailState:
    def test_mail_state_a_message_is_read_in_its_school_alone(
        self, app: Flask, world: World, post: Post, sink: Sink
    ) -> None:
        own, platform = post.write("a"), post.write(None)

        for school, expected in ((world.a, [own]), (world.b, [])):
            with app.app_context():
                enter(Scope(school.id))
                assert [row.id for row in db.session.scalars(db.select(MailMessage))] == expected
        assert platform not in (own,)

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ("", "envoyé le"),
            ("451 4.7.1 Later", r"en attente : nouvel essai le \d\d/\d\d/2\d{3} à \d+ h \d\d \(451 4.7.1 Later\)"),
            ("550 5.1.1 No such user", r"refusé par le serveur : 550 5.1.1 No such user"),
        ],
    )
    def test_mail_state_the_actor_who_asked_reads_where_it_stands(
        self, app: Flask, world: World, post: Post, sink: Sink, answer: str, expected: str
    ) -> None:
        _reset_head(app, world)
        page = f"/admin/utilisateurs/details/?id={world.a.account_ids['head']}"
        administrator = Browser(app).sign_in_as(world, "administrator")
        assert "part à l’instant" in administrator.get(page).text

        sink.answers = [answer]
        post.work()

        shown = administrator.get(page).text.replace("\u202f", " ").replace("\u00a0", " ")
        assert re.search(expected, shown)
        assert not CODE.search(shown)
        assert "Messages envoyés" not in Browser(app).sign_in_as(world, "administrator", "b").get(page).text

    def test_mail_state_the_head_reads_it_beside_the_mandate(
        self, app: Flask, world: World, post: Post, sink: Sink
    ) -> None:
        _invite_inspector(app, world)
        sink.answers = ["550 5.1.1 No such user"]
        post.work()

        shown = Browser(app).sign_in_as(world, "head").get("/admin/parametres/inspecteurs").text

        assert "refusé par le serveur\u202f: 550 5.1.1 No such user" in shown


class TestForgetOld:
    def test_forget_old_finished_messages_and_their_jobs_go_after_a_month(
        self, post: Post, sink: Sink, arrange: Arrange
    ) -> None:
        post.write()
        post.work()
        now = clock.utcnow()

        for age, left in ((29, 1), (31, 0)):
            with arrange() as session:
                assert forget_old(session, now=now + timedelta(days=age)) == 1 - left
            assert (len(post.rows()), len(post.jobs())) == (left, left)

    def test_forget_old_one_that_nothing_tries_any_more_is_given_up_and_erased(
        self, post: Post, sink: Sink, arrange: Arrange
    ) -> None:
        post.write()
        with arrange() as session:
            forget_old(session, now=clock.utcnow() + timedelta(days=5))

        assert post.row().refusal == "aucun serveur n’a accepté ce message"
        assert post.row().sealed_body == ""


class TestMailCommand:
    def test_mail_command_says_what_the_server_answered(self, app: Flask, world: World, sink: Sink) -> None:
        runner = app.test_cli_runner()

        done = runner.invoke(args=["mail", "test", "chef@alpha.example"])
        assert (done.exit_code, len(sink.taken)) == (0, 1)
        assert done.output == "Le serveur de messagerie a accepté le message pour chef@alpha.example.\n"

        sink.answers = ["550 5.1.1 No such user"]
        refused = runner.invoke(args=["mail", "test", "chef@alpha.example"])
        assert refused.exit_code == 1
        assert "refusé : 550 5.1.1 No such user" in refused.output

        sink.stop()
        later = runner.invoke(args=["mail", "test", "chef@alpha.example"])
        assert later.exit_code == 1
        assert "le serveur de messagerie ne répond pas" in later.output

    @pytest.mark.parametrize("address", ["", "chef", "zoé@alpha.example"])
    def test_mail_command_an_odd_address_is_refused(self, app: Flask, sink: Sink, address: str) -> None:
        outcome = app.test_cli_runner().invoke(args=["mail", "test", address])

        assert outcome.exit_code == 1
        assert sink.taken == []

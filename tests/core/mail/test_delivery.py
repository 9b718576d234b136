"""A message leaves once, whatever the mail server does meanwhile; against a real server on this machine."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from cpro.core.jobs.models import JobState
from cpro.core.mail import MailState
from cpro.core.mail.models import DELAYS, GIVEN_UP_AFTER
from tests.core.mail.conftest import SECRET, Post, Sink

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GREYLISTED = "451 4.7.1 Greylisted, try again later"


class TestDeliverAccepted:
    def test_deliver_carries_what_a_message_must(self, post: Post, sink: Sink) -> None:
        with time_machine.travel(START, tick=False):
            post.write(to="chef@École.example", subject="CPro : élèves", body="Bonjour Zoé\n")
            post.work()

        (message,) = sink.taken
        assert message["To"] == "chef@xn--cole-9oa.example"
        assert message["From"] == "cpro@platform.example"
        assert message["Subject"] == "CPro : élèves"
        assert parsedate_to_datetime(message["Date"]) == START
        assert message["Message-ID"].endswith("@cpro.example>")
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content_type() == "text/plain"
        assert message.get_content_charset() == "utf-8"
        assert message.get_content().splitlines() == ["Bonjour Zoé"]

    def test_deliver_is_finished_and_forgets_its_body(self, post: Post, sink: Sink) -> None:
        with time_machine.travel(START, tick=False):
            post.write()
            assert post.row().sealed_body
            post.work()

        row = post.row()
        assert (row.state, row.sent_at, row.sealed_body, row.refusal) == (MailState.SENT, START, "", "")
        assert [job.state for job in post.jobs()] == [JobState.DONE]

    def test_deliver_leaves_only_by_the_worker(self, post: Post, sink: Sink) -> None:
        post.write()

        assert sink.taken == []
        assert post.row().state is MailState.WAITING

    def test_deliver_a_server_that_ends_badly_after_accepting_gets_no_second_copy(self, post: Post, sink: Sink) -> None:
        sink.farewell = "421 4.3.0 Shutting down badly"
        post.write()

        post.work()

        assert post.row().state is MailState.SENT
        assert len(sink.taken) == 1

    def test_deliver_two_workers_at_once_send_once(self, post: Post, sink: Sink) -> None:
        for _ in range(6):
            post.write()
        workers = [threading.Thread(target=post.work) for _ in range(2)]

        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert len(sink.taken) == len({message["Message-ID"] for message in sink.taken}) == 6


class TestDeliverLater:
    def test_deliver_greylisted_once_it_arrives_a_minute_later(self, post: Post, sink: Sink) -> None:
        sink.answers = [GREYLISTED]
        with time_machine.travel(START, tick=False) as clock:
            post.write()
            post.work()
            row = post.row()
            assert (row.state, row.last_answer) == (MailState.WAITING, GREYLISTED)
            assert row.next_try_at == START + timedelta(minutes=1)

            clock.shift(59)
            post.work()
            assert sink.taken == []
            clock.shift(1)
            post.work()

        assert [message["To"] for message in sink.taken] == ["chef@alpha.example"]
        assert post.row().state is MailState.SENT
        assert post.row().last_answer == ""

    def test_deliver_a_relay_stopped_for_an_hour_loses_nothing(self, post: Post, sink: Sink) -> None:
        sink.stop()
        with time_machine.travel(START, tick=False) as clock:
            post.write()
            for _ in range(60):
                post.work()
                clock.shift(timedelta(minutes=1))
            assert (post.row().state, post.row().tries) == (MailState.WAITING, 4)

            sink.start()
            clock.shift(timedelta(minutes=30))
            post.work()

        assert len(sink.taken) == 1
        assert post.row().state is MailState.SENT

    def test_deliver_is_given_up_after_two_days_of_growing_delays(self, post: Post, sink: Sink) -> None:
        sink.answers = [GREYLISTED] * 100
        tried = []
        with time_machine.travel(START, tick=False) as clock:
            post.write()
            while (row := post.row()).state is MailState.WAITING:
                clock.move_to(row.next_try_at or START)
                tried.append(((row.next_try_at or START) - START).total_seconds())
                post.work()

        gaps = [later - earlier for earlier, later in pairwise(tried)]
        assert gaps[: len(DELAYS)] == [delay.total_seconds() for delay in DELAYS]
        assert tried[-1] == GIVEN_UP_AFTER.total_seconds()
        assert row.refusal == f"abandonné après deux jours d’essais ; {GREYLISTED}"
        assert row.sealed_body == ""
        assert [job.state for job in post.jobs()] == [JobState.DONE]

    def test_deliver_a_worker_that_looks_tries_what_is_due_and_nothing_before(self, post: Post, sink: Sink) -> None:
        sink.answers = [GREYLISTED]
        with time_machine.travel(START, tick=False) as clock:
            post.write()
            post.work()

            clock.shift(59)
            post.work()
            assert sink.taken == []
            clock.shift(1)
            post.work()
            assert len(sink.taken) == 1

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_deliver_a_server_without_encryption_gets_nothing_in_clear(
        self, app: Flask, post: Post, sink: Sink, monkeypatch: pytest.MonkeyPatch, scheme: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_MAIL_URL", sink.url.replace("smtp+plain", scheme))
        post.write()

        post.work()

        assert sink.taken == []
        assert post.row().state is MailState.WAITING


class TestDeliverRefused:
    @pytest.mark.parametrize("where", ["answers", "content_answers"])
    def test_deliver_for_good_it_ends_at_once(self, post: Post, sink: Sink, where: str) -> None:
        setattr(sink, where, ["550 5.1.1 No such user here"])
        post.write()

        post.work()

        row = post.row()
        assert (row.state, row.refusal) == (MailState.REFUSED, "550 5.1.1 No such user here")
        assert (row.sealed_body, row.sent_at) == ("", None)
        assert [job.state for job in post.jobs()] == [JobState.DONE]

    def test_deliver_a_code_that_the_server_quotes_is_not_kept(self, post: Post, sink: Sink) -> None:
        sink.content_answers = [f"554 Spam, because of <{SECRET}> in it"]
        post.write()

        post.work()

        assert post.row().refusal == "554 Spam, because of … in it"

    def test_deliver_an_address_that_no_server_takes_is_refused_without_a_job(self, post: Post, sink: Sink) -> None:
        post.write(to="zoé@alpha.example")

        assert post.row().state is MailState.REFUSED
        assert "accent avant l’arobase" in post.row().refusal
        assert (post.jobs(), post.row().sealed_body) == ([], "")

    def test_deliver_a_body_that_the_key_no_longer_opens_is_given_up(
        self, app: Flask, post: Post, sink: Sink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.write()
        monkeypatch.setitem(app.config, "SECRET_KEY", "another-key-of-no-value")

        post.work()

        assert "n’est plus lisible" in post.row().refusal
        assert sink.taken == []

    def test_deliver_a_body_sealed_under_the_former_key_leaves(
        self, app: Flask, post: Post, sink: Sink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.write()
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
        monkeypatch.setitem(app.config, "SECRET_KEY", "another-key-of-no-value")

        post.work()

        assert SECRET in sink.taken[0].get_content()


class TestDeliverToFolder:
    def test_deliver_to_folder_the_file_is_there_after_the_commit_without_a_worker(
        self, app: Flask, post: Post
    ) -> None:
        post.write()

        (path,) = (Path(app.config["CPRO_INSTANCE"]) / "mail").iterdir()
        text = path.read_bytes()
        assert path.suffix == ".eml"
        assert all(name in text for name in (b"Date: ", b"Message-ID: ", b"Auto-Submitted: auto-generated"))
        assert post.row().state is MailState.SENT

    def test_deliver_to_folder_nothing_is_written_without_a_commit(
        self, app: Flask, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from cpro.core.transactions import UnitOfWork

        def killed(_work: UnitOfWork) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(UnitOfWork, "_run_afterwards", killed)
        with pytest.raises(KeyboardInterrupt):
            post.write()
        monkeypatch.undo()
        assert post.row().state is MailState.WAITING

        post.work()

        assert len(list((Path(app.config["CPRO_INSTANCE"]) / "mail").glob("*.eml"))) == 1

"""« Décrire un problème » keeps what is said for the support, masked, bounded, journaled, mailed where there is an
address, and forgets it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core.clock import utcnow
from cpro.core.errors import Forbidden, NotFound
from cpro.core.mail.models import MailMessage
from cpro.core.mail.operations import PURPOSE
from cpro.core.permissions import Actor
from cpro.core.secrets import unseal
from cpro.problems.models import Problem
from cpro.problems.operations import handle_problem, reopen_problem, sweep
from tests.factories import World, make_problem
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

CONTACT = "exploitation@cpro.example"
INE = "1234567890A"
SUPPORT = Actor("platform", 1, "Sacha SILEX", "support", "test")


@pytest.fixture
def contact(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", CONTACT)
    monkeypatch.setattr("cpro.core.mail.operations.is_folder", lambda: False)


def lines_of(session: Session, action: str) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


class TestDescribeProblem:
    @pytest.mark.parametrize("role", ["administrator", "student", "support"])
    def test_describe_problem_keeps_it_and_writes_a_mail_and_a_line(
        self, as_: As, world: World, contact: None, platform: Look, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        answer = browser.post("/probleme", {"text": f"La page ne répond pas.\nÉlève {INE}", "number": "abcdef012345"})

        assert answer.status_code == 303
        with platform() as session:
            kept = session.scalars(select(Problem)).one()
            message = session.scalars(select(MailMessage)).one()
            body = unseal(PURPOSE, message.sealed_body)
            [line] = lines_of(session, "problem:described")
        assert kept.text == "La page ne répond pas.\nÉlève ••••••••90A"
        assert (kept.school_id, kept.role, kept.number) == (world.a.id, role, "abcdef012345")
        assert (kept.account, kept.handled_at, kept.handled_by) == (line.object_id, None, "")
        assert kept.account == f"{line.actor_kind}:{line.actor_id}"
        assert message.to == CONTACT
        assert "abcdef012345" in message.subject
        assert "La page ne répond pas.\n" in body
        assert "Lycée alpha" in body
        assert INE not in body
        assert (line.establishment_id, line.actor_role, line.object_label) == (world.a.id, role, kept.label)
        assert line.changes == {"number": [None, "abcdef012345"]}

    def test_describe_problem_is_kept_without_an_address_and_mails_nothing(
        self, as_: As, world: World, platform: Look
    ) -> None:
        assert as_("teacher").post("/probleme", {"text": "Rien ne va.", "number": INE}).status_code == 303

        with platform() as session:
            kept = session.scalars(select(Problem)).one()
            assert (kept.text, kept.number, kept.role) == ("Rien ne va.", "••••••••90A", "teacher")
            assert session.scalars(select(MailMessage)).all() == []
            assert [line.establishment_id for line in lines_of(session, "problem:described")] == [world.a.id]

    def test_describe_problem_of_the_support_outside_any_school(self, as_: As, contact: None, platform: Look) -> None:
        assert as_("support").post("/probleme", {"text": "Rien ne va."}).status_code == 303
        with platform() as session:
            assert session.scalars(select(MailMessage.establishment_id)).one() is None
            assert session.scalars(select(Problem.school_id)).one() is None

    @pytest.mark.parametrize(
        ("text", "said"), [("  \n ", "Décrivez"), ("a" * 2001, "trop long"), ("a\n" * 1500, "trop")]
    )
    def test_describe_problem_refuses_what_is_blank_or_too_long(
        self, as_: As, app: Flask, contact: None, text: str, said: str
    ) -> None:
        browser = as_("head")
        with nothing_written(app):
            answer = browser.post("/probleme", {"text": text})

        assert answer.status_code == 422
        assert said in Page(answer).error("text")

    @pytest.mark.parametrize("address", ["", CONTACT])
    def test_describe_problem_takes_five_an_hour_from_each_person(
        self, as_: As, app: Flask, monkeypatch: pytest.MonkeyPatch, arrange: Look, address: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", address)
        head, teacher = as_("head"), as_("teacher")

        statuses = [head.post("/probleme", {"text": "Encore."}).status_code for _each in range(6)]

        assert statuses == [303] * 5 + [429]
        refused = head.post("/probleme", {"text": "Encore."})
        assert "Encore." in refused.text
        assert 3500 < int(refused.headers["Retry-After"]) <= 3600
        assert teacher.post("/probleme", {"text": "Aussi."}).status_code == 303
        with arrange() as session:
            for each in session.scalars(select(Problem)):
                each.at -= timedelta(hours=1)
        assert head.post("/probleme", {"text": "Plus tard."}).status_code == 303

    def test_describe_problem_handled_does_not_count_less(self, as_: As, arrange: Look) -> None:
        head = as_("head")
        for _each in range(5):
            head.post("/probleme", {"text": "Encore."})
        with arrange() as session:
            for each in session.scalars(select(Problem)):
                each.handled_at = utcnow()

        assert head.post("/probleme", {"text": "Encore."}).status_code == 429


class TestHandleProblem:
    def test_handle_problem_and_reopen_problem_are_written_once_in_the_journal_of_its_school(
        self, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            session.add(problem := make_problem(world.a))
            session.flush()
            number = problem.id
        for operation in (handle_problem, handle_problem, reopen_problem, reopen_problem):
            with arrange() as session:
                operation(session, number, school_id=None, by=SUPPORT, now=utcnow())

        with platform() as session:
            kept = session.get_one(Problem, number)
            lines = [*lines_of(session, "problem:handled"), *lines_of(session, "problem:reopened")]
        assert (kept.handled_at, kept.handled_by) == (None, "")
        assert [(line.establishment_id, line.object_id) for line in lines] == [(world.a.id, kept.account)] * 2
        assert labels.sentence(lines[0]) == (
            f"Sacha SILEX (Support) a marqué comme traité un problème décrit\u202f: n°\u202f{number}"
        )

    def test_handle_problem_of_an_inspector_is_told_in_no_school(
        self, world: World, arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            session.add(problem := make_problem(world.a, account="platform:2", role="inspector"))
            session.flush()
            handle_problem(session, problem.id, school_id=world.a.id, by=SUPPORT, now=utcnow())

        with platform() as session:
            assert [line.establishment_id for line in lines_of(session, "problem:handled")] == [None]

    @pytest.mark.parametrize("operation", [handle_problem, reopen_problem])
    def test_handle_problem_is_refused_to_others_and_outside_the_school_entered(
        self, world: World, arrange: Look, operation: Callable[..., Problem]
    ) -> None:
        with arrange() as session:
            session.add(problem := make_problem(world.b))
            session.flush()
            now = utcnow()
            for role in ("head", "administrator", "inspector", "system"):
                with pytest.raises(Forbidden):
                    operation(session, problem.id, school_id=None, by=replace(SUPPORT, role=role), now=now)
            for number, school_id in ((problem.id, world.a.id), (999_999, None)):
                with pytest.raises(NotFound):
                    operation(session, number, school_id=school_id, by=SUPPORT, now=now)


class TestSweep:
    def test_sweep_forgets_what_was_handled_thirty_days_ago_and_what_is_six_months_old(
        self, world: World, arrange: Look, platform: Look
    ) -> None:
        now = utcnow()
        ages = {"handled": (40, 31), "lately": (40, 29), "open": (179, None), "forgotten": (181, None)}
        with arrange() as session:
            for text, (age, handled) in ages.items():
                handled_at = None if handled is None else now - timedelta(days=handled)
                session.add(make_problem(world.a, text=text, at=now - timedelta(days=age), handled_at=handled_at))
        with arrange() as session:
            assert sweep(session, now=now) == 2

        with platform() as session:
            assert set(session.scalars(select(Problem.text))) == {"lately", "open"}

"""« Décrire un problème » is a real e-mail to whoever runs the platform, bounded, journaled, without INE nor name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.mail.models import MailMessage
from cpro.core.mail.operations import PURPOSE
from cpro.core.secrets import unseal
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

CONTACT = "exploitation@cpro.example"
INE = "1234567890A"


@pytest.fixture
def contact(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CPRO_CONTACT_EMAIL", CONTACT)
    monkeypatch.setattr("cpro.core.mail.operations.is_folder", lambda: False)


class TestSendProblem:
    @pytest.mark.parametrize("role", ["administrator", "student", "support"])
    def test_send_problem_writes_a_mail_and_a_line(
        self, as_: As, world: World, contact: None, platform: Look, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        answer = browser.post("/probleme", {"text": f"La page ne répond pas.\nÉlève {INE}", "number": "abcdef012345"})

        assert answer.status_code == 303
        with platform() as session:
            message = session.scalars(select(MailMessage)).one()
            body = unseal(PURPOSE, message.sealed_body)
            line = session.scalars(select(AuditEntry).where(AuditEntry.action == "problem:described")).one()
        assert message.to == CONTACT
        assert "abcdef012345" in message.subject
        assert "La page ne répond pas.\n" in body
        assert "Lycée alpha" in body
        assert INE not in body
        assert (line.establishment_id, line.actor_role) == (world.a.id, role)
        assert line.changes == {"number": [None, "abcdef012345"]}

    def test_send_problem_of_the_support_outside_any_school(self, as_: As, contact: None, platform: Look) -> None:
        assert as_("support").post("/probleme", {"text": "Rien ne va."}).status_code == 303
        with platform() as session:
            assert session.scalars(select(MailMessage.establishment_id)).one() is None

    @pytest.mark.parametrize(
        ("text", "said"), [("  \n ", "Décrivez"), ("a" * 2001, "trop long"), ("a\n" * 1500, "trop")]
    )
    def test_send_problem_refuses_what_is_blank_or_too_long(
        self, as_: As, contact: None, platform: Look, text: str, said: str
    ) -> None:
        answer = as_("head").post("/probleme", {"text": text})

        assert answer.status_code == 422
        assert said in Page(answer).error("text")
        with platform() as session:
            assert session.scalars(select(MailMessage)).all() == []

    def test_send_problem_takes_five_an_hour_from_each_person(self, as_: As, contact: None) -> None:
        head, teacher = as_("head"), as_("teacher")

        statuses = [head.post("/probleme", {"text": "Encore."}).status_code for _each in range(6)]

        assert statuses == [303] * 5 + [429]
        assert "Encore." in head.post("/probleme", {"text": "Encore."}).text
        assert teacher.post("/probleme", {"text": "Aussi."}).status_code == 303

    def test_send_problem_does_not_send_the_administrator_to_themselves(self, as_: As) -> None:
        assert "qui a ouvert CPro à votre établissement" in Page(as_("administrator").get("/probleme")).text

    def test_send_problem_repeats_no_text_of_an_address_that_is_no_code(self, as_: As) -> None:
        assert "0899" not in Page(as_("teacher").get("/probleme?code=Appelez+le+0899")).text

    def test_send_problem_says_whom_to_tell_without_an_address(self, as_: As, platform: Look) -> None:
        browser = as_("teacher")
        page = Page(browser.get("/probleme?code=abcdef012345"))

        assert "à l’administrateur de votre établissement" in page.text
        assert "abcdef012345" in page.text
        assert browser.post("/probleme", {"text": "Rien ne va."}).status_code == 200
        with platform() as session:
            assert session.scalars(select(MailMessage)).all() == []

    def test_send_problem_knows_the_last_error_page_of_its_reader_alone(self, as_: As) -> None:
        teacher = as_("teacher")
        code = teacher.get("/nulle-part-zzz/").headers["X-Request-Id"]

        assert code in Page(teacher.get("/probleme")).text
        other = Page(as_("administrator").get("/probleme")).text
        assert code not in other
        assert "Aucune page d’erreur ne vous a été montrée depuis une heure" in other

    def test_send_problem_is_offered_by_the_error_page_with_its_number(self, as_: As, contact: None) -> None:
        error = as_("head").get("/rien/du/tout")
        link = next(each for each in Page(error).main.iter("a") if "probleme" in (each.get("href") or ""))

        assert link.get("href") == f"/probleme?code={error.headers['X-Request-Id']}"

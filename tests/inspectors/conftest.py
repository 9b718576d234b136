"""A school's head at their desk: forms of the tab, the mails that left, the mandates in the database."""

from __future__ import annotations

import email
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from email import policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.audit.models import AuditEntry
from cpro.inspectors.models import Mandate
from cpro.students.models import Diploma, Division
from cpro.users.models import PlatformAccount
from tests.factories import World, make_diploma, make_mandate, make_student
from tests.helpers.browser import Browser
from tests.helpers.records import rows

TAB = "/admin/parametres/inspecteurs"
#: What opens a mandate on 23 November 2026, when these tests happen.
FORM = {
    "name": "Claire Fer",
    "email": "claire.fer@ac-test.example",
    "starts_on": "2026-11-23",
    "ends_on": "2027-06-30",
    "purpose": "Visite de la filière",
}


class Desk:
    """What a test needs around the tab Accès inspecteur."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world

    def browser(self, role: str, school: str = "a", *, enter: str | None = None) -> Browser:
        """Return somebody signed in."""
        return Browser(self.app).sign_in_as(self.world, role, school, enter=enter)

    def open(self, school: str = "a", **values: Any) -> TestResponse:
        """Post the form as the head of a school."""
        return self.browser("head", school).post(TAB, {**FORM, **values})

    def mails(self) -> list[Any]:
        """Return the messages that left, the oldest first."""
        folder = Path(self.app.config["CPRO_INSTANCE"]) / "mail"
        paths = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    def text(self) -> str:
        """Return the body of the only message that left."""
        (mail,) = self.mails()
        return str(mail.get_content())

    def mandates(self) -> list[dict[str, Any]]:
        """Return every mandate of every school."""
        return rows(self.app, Mandate)

    def lines(self, action: str) -> list[dict[str, Any]]:
        """Return the lines of the journal that tell an action, all schools."""
        return [row for row in rows(self.app, AuditEntry) if row["action"] == action]

    def accounts(self) -> list[dict[str, Any]]:
        """Return the platform's accounts."""
        return rows(self.app, PlatformAccount)


@pytest.fixture
def desk(app: Flask, world: World) -> Desk:
    """Return the desk."""
    return Desk(app, world)


@pytest.fixture
def open_to_inspector(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> Callable[..., int]:
    """Return a way to open a school to the world's inspector: `open_to_inspector("a", ends_on=…)`, its id back."""

    def add(school: str = "a", **values: Any) -> int:
        with arrange() as session:
            mandate = make_mandate(world, school, **values)
            session.add(mandate)
            session.flush()
            return mandate.id

    return add


@pytest.fixture
def second_diploma(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> int:
    """Give school A a second diploma, with one division and one student, Autre-diplome; return the diploma's id."""
    with arrange() as session:
        diploma = make_diploma(code="CAP-ELEC", label="CAP Électricien", short_label="CAP Électricien")
        session.add(diploma)
        session.flush()
        division = Division(establishment_id=world.a.id, code="1CAP", label="CAP", diploma_id=diploma.id)
        session.add(division)
        session.flush()
        session.add(make_student(world.a.id, last_name="Autre-diplome", division_id=division.id))
        session.add(make_student(world.a.id, last_name="Sans-division"))
        return diploma.id


@pytest.fixture
def first_diploma(world: World, platform: Callable[[], AbstractContextManager[Session]]) -> int:
    """Return the id of the diploma of the world's divisions."""
    with platform() as session:
        return session.scalars(select(Diploma.id).where(Diploma.code == world.diploma_code)).one()


def day(text: str) -> date:
    """Return a day written yyyy-mm-dd."""
    return date.fromisoformat(text)

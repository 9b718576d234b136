"""The support's list of schools: what is missing, the last import and sign-in, what stands still in each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.clock import utcnow
from cpro.core.jobs.models import Job, JobState
from cpro.core.lists import ListState
from cpro.core.mail.models import MailMessage
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.establishments.queries import find_schools
from cpro.imports.models import RunState
from cpro.users.emergency.models import RoleLock
from cpro.users.models import Account
from cpro.users.queries import find_last_sign_ins, is_unvisited
from tests.factories import World, make_account, make_establishment, make_import, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.plans import read_plan
from tests.helpers.statements import count_statements, statements_with_values

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]


def make_stuck(school_id: int, state: JobState = JobState.FAILED, *, days: int = 1) -> list[Job | MailMessage]:
    """Return a job in a state, created some days ago, and a message that waits since then."""
    at = utcnow() - timedelta(days=days)
    return [
        Job(
            establishment_id=school_id,
            kind="imports:apply",
            arguments={},
            requested_by={},
            state=state,
            created_at=at,
        ),
        MailMessage(
            establishment_id=school_id,
            to="secret@cpro.example",
            subject="Objet",
            sealed_body="",
            message_id=f"<{school_id}.{days}@cpro.example>",
            created_at=at,
        ),
    ]


def row_of(page: Page, name: str) -> list[str]:
    """Return the cells of a school from its particulars on."""
    return next(row for row in page.rows() if row[0] == name)[4:]


class TestDescribeSchools:
    def test_describe_schools_each_row_tells_what_stands_still(self, as_: As, world: World, arrange: Arrange) -> None:
        now = utcnow()
        with arrange() as session:
            alpha = session.get_one(Establishment, world.a.id)
            alpha.uai, alpha.email = None, ""
            teacher = session.get_one(Account, world.a.account_ids["teacher"])
            teacher.last_sign_in_at = now - timedelta(days=40)
            session.add(make_import(world.a.id))
            session.flush()
            session.add(make_import(world.a.id, state=RunState.FAILED, applied_at=None, created_at=now))
            session.add_all([*make_stuck(world.a.id), *make_stuck(world.a.id, JobState.DONE, days=2)])
            session.add_all([*make_stuck(world.a.id, days=40)])
            session.add(make_student(world.a.id, last_name="Agate"))

        page = Page(as_("support").get("/ecoles"))

        missing, imported, signed_in, stuck = row_of(page, "Lycée alpha")
        assert missing == "à compléter : l’adresse électronique et le code UAI"
        assert imported.startswith("échoué, le ")
        assert signed_in.endswith("(il y a 40 jours)")
        assert stuck == "1 traitement interrompu en 30 jours, 3 messages attendent depuis 40 jours"
        assert "Agate" not in page.text
        assert "secret@" not in page.text

    def test_describe_schools_where_a_role_is_closed(self, as_: As, world: World, arrange: Arrange) -> None:
        now = utcnow()
        locked = {"establishment_id": world.a.id, "locked_at": now, "locked_by": "Chef"}
        with arrange() as session:
            session.add(RoleLock(role=Role.TEACHER, **locked))
            session.add(RoleLock(role=Role.STUDENT, **locked, reopened_at=now, reopened_by="Chef"))

        page = Page(as_("support").get("/ecoles"))

        assert row_of(page, "Lycée alpha")[-1] == "accès fermé d’urgence à 1 rôle"
        assert row_of(page, "Lycée beta")[-1] == "rien"

    def test_describe_schools_one_that_has_done_nothing_yet(self, as_: As, arrange: Arrange) -> None:
        with arrange() as session:
            session.add(make_establishment(name="Lycée neuf", uai="0999003Y"))

        row = row_of(Page(as_("support").get("/ecoles")), "Lycée neuf")

        assert row == ["complets", "aucun", "personne ne s’est encore connecté", "rien"]

    def test_describe_schools_costs_the_same_however_many(self, app: Flask, as_: As, arrange: Arrange) -> None:
        support = as_("support")
        support.get("/ecoles")
        few = count_statements(app, lambda: support.get("/ecoles"))
        with arrange() as session:
            schools = [make_establishment() for _ in range(30)]
            session.add_all(schools)
            session.flush()
            for each in schools:
                session.add_all([*make_stuck(each.id), make_import(each.id), make_account(each.id)])

        assert count_statements(app, lambda: support.get("/ecoles")) == few <= 12


class TestStandstill:
    @pytest.mark.parametrize(("days", "is_listed"), [(None, True), (31, True), (29, False)])
    def test_standstill_keeps_the_schools_where_nobody_signed_in_lately(
        self, as_: As, world: World, arrange: Arrange, days: int | None, is_listed: bool
    ) -> None:
        with arrange() as session:
            head = session.get_one(Account, world.b.account_ids["head"])
            head.last_sign_in_at = None if days is None else utcnow() - timedelta(days=days)

        page = Page(as_("support").get("/ecoles?etat=arret"))

        assert ("Lycée beta" in page.text) is is_listed
        assert "aucune connexion depuis 30 jours" in page.text

    def test_standstill_of_an_unknown_value_lists_all(self, as_: As) -> None:
        assert "Lycée beta" in Page(as_("support").get("/ecoles?etat=zzz")).text

    def test_standstill_and_last_sign_ins_seek_in_the_index_of_each_school(
        self, app: Flask, world: World, arrange: Arrange
    ) -> None:
        now = utcnow()
        with arrange() as session:
            for school in (world.a, world.b):
                session.add_all(make_account(school.id, last_sign_in_at=now - timedelta(days=n)) for n in range(300))
            session.flush()
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text("ANALYZE account"))
        asked = ListState.read({}, "/ecoles", sizes=(50,))
        with app.app_context(), tenancy.platform_session("test") as session, statements_with_values(app) as sent:
            find_last_sign_ins(session, [world.a.id, world.b.id], now=now)
            find_schools(session, asked, is_unvisited(since=now, now=now))

        plans = [read_plan(app, *each) for each in sent if "FROM account" in each[0]]
        assert len(plans) == 2
        for plan in plans:
            assert "ix_account_sign_in_sort" in plan, plan

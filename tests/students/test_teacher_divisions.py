"""The divisions of a teacher: chosen with the account, replaced in one line of the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.errors import DomainError
from cpro.core.tenancy import platform_session
from cpro.students import teacher_divisions
from cpro.students.models import Division, TeacherDivision
from cpro.users.models import Account
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, watching

NAMES = {"last_name": "Mica", "first_name": "Zoé"}


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestUpdateUser:
    def create(self, office: Office, role: str, division_ids: list[int]) -> int:
        def action(**values: Any) -> int:
            return teacher_divisions.create_user({**NAMES, "role": role}, division_ids=division_ids, **values).id

        return office.act(action)

    def stored(self, app: Flask) -> list[tuple[int, int]]:
        with app.app_context(), platform_session("test") as session:
            return [(row.account_id, row.division_id) for row in session.scalars(select(TeacherDivision))]

    def test_create_user_another_schools_division_does_not_exist(
        self, app: Flask, office: Office, world: World
    ) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="n’existe plus") as refusal:
            self.create(office, "teacher", [world.b.division_id])

        assert refusal.value.field == "divisions"

    def test_create_user_gives_divisions_to_a_teacher_alone(self, app: Flask, office: Office) -> None:
        with nothing_written(app), pytest.raises(DomainError, match="Seul un enseignant"):
            self.create(office, "student", [office.school.division_id])

    def test_create_user_writes_divisions_and_account_in_one_line(self, app: Flask, office: Office) -> None:
        with watching(app) as watch:
            account_id = self.create(office, "teacher", [office.school.division_id])

        assert self.stored(app) == [(account_id, office.school.division_id)]
        assert watch.line["changes"]["divisions"] == ["", "2ALP"]

    def test_update_user_replaces_divisions_and_records_it(
        self, app: Flask, office: Office, arrange: Callable[..., Any]
    ) -> None:
        account_id = self.create(office, "teacher", [office.school.division_id])
        with arrange() as session:
            other = Division(establishment_id=office.school.id, code="1TOP")
            session.add(other)
            session.flush()
            other_id = other.id

        changes = office.act(teacher_divisions.update_user, account=account_id, values={}, division_ids=[other_id])

        assert changes == {"divisions": ("2ALP", "1TOP")}
        assert self.stored(app) == [(account_id, other_id)]

    def test_update_user_keeps_divisions_when_the_form_does_not_speak_of_them(self, app: Flask, office: Office) -> None:
        account_id = self.create(office, "teacher", [office.school.division_id])

        office.act(teacher_divisions.update_user, account=account_id, values={"first_name": "Zoë"})

        assert len(self.stored(app)) == 1

    def test_update_user_the_head_reads_of_divisions_added_to_a_teacher_in_place(
        self, office: Office, as_: Callable[..., Browser], world: World
    ) -> None:
        teacher, writer = world.a.account_ids["teacher"], as_("administrator")
        told = "ajouté des divisions"
        assert told not in Page(as_("head").get("/admin/")).text
        page = f"/admin/utilisateurs/edit/?id={teacher}"

        answer = writer.post(page, {**writer.form(page), "divisions": "2ALP"})

        assert answer.status_code == 303, answer.text
        assert office.find(teacher).unseen_by_head
        assert told in Page(as_("head").get("/admin/")).text
        assert told not in Page(as_("head", "b").get("/admin/")).text

    def test_update_user_the_head_reads_nothing_of_divisions_taken_away(self, office: Office, world: World) -> None:
        teacher = self.create(office, "teacher", [office.school.division_id])
        office.act(lambda row, **actor: mark(row), account=teacher)

        office.act(teacher_divisions.update_user, account=teacher, values={}, division_ids=[])

        assert not office.find(teacher).unseen_by_head


def mark(account: Account) -> None:
    """Have the head have seen an account."""
    account.unseen_by_head = False

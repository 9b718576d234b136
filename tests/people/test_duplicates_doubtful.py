"""Merging two rows that say differently who the pupil is: what is said of it, and when a password is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from cpro.core.errors import PasswordNeeded
from cpro.people import duplicates
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school
from tests.people.test_duplicates import As, Look, address, merge


@pytest.fixture
def administrator(app: Flask, as_: As, world: World) -> Browser:
    """Return the administrator of a school that does not use SIECLE."""
    set_school(app, world.a.id, uses_siecle=False)
    return as_("administrator")


class TestIsDoubtful:
    @pytest.mark.parametrize(
        ("changed", "said", "is_doubtful"),
        [
            ({}, "", False),
            ({"last_name": "SECRET ALPHÀ", "usage_name": "Secret-Alpha"}, "", False),
            ({"first_name": "Noah"}, "Les deux fiches diffèrent par le prénom", False),
            ({"birth_date": date(2011, 1, 2)}, "Les deux fiches diffèrent par la date de naissance", False),
            (
                {"last_name": "Cuivre", "birth_date": date(2011, 1, 2)},
                "Attention : le nom et la date de naissance diffèrent. Ce sont sans doute deux élèves",
                True,
            ),
            ({"last_name": "Cuivre", "first_name": "Lou"}, "Attention : le nom et le prénom diffèrent.", True),
            ({"first_name": "Lou", "birth_date": None}, "Les deux fiches diffèrent par le prénom", False),
        ],
    )
    def test_is_doubtful_warns_and_asks_for_the_password(
        self,
        app: Flask,
        administrator: Browser,
        world: World,
        arrange: Look,
        changed: dict[str, Any],
        said: str,
        is_doubtful: bool,
    ) -> None:
        kept = world.a.student_id
        with arrange() as session:
            student = session.get_one(Student, kept)
            alike = {name: getattr(student, name) for name in ("last_name", "first_name", "birth_date")}
            session.add(other := make_student(world.a.id, **(alike | changed)))
            session.flush()
            other_id = other.id

        text = Page(administrator.get(address(kept, other_id))).text
        assert said in text
        assert ("Attention" in text or "diffèrent" in text) is bool(said)
        if is_doubtful:
            with nothing_written(app):
                assert administrator.post(address(kept, other_id), {"current_password": ""}).status_code == 422
            office = Office(app, world)
            with nothing_written(app), pytest.raises(PasswordNeeded):
                office.act(duplicates.merge, kept_id=kept, other_id=other_id)
            assert merge(administrator, kept, other_id) == 303
        else:
            assert "Votre mot de passe" not in text
            assert administrator.post(address(kept, other_id), {}).status_code == 303

    def test_asks_password_where_a_used_account_would_open_the_other_row(
        self, app: Flask, administrator: Browser, world: World, arrange: Look
    ) -> None:
        kept = world.a.student_id
        with arrange() as session:
            student = session.get_one(Student, kept)
            student.account_id = world.a.account_ids["student"]
            alike = {name: getattr(student, name) for name in ("last_name", "first_name", "birth_date")}
            session.add(other := make_student(world.a.id, **alike))
            session.flush()
            other_id = other.id

        assert "qui a déjà servi, ouvre désormais aussi" in Page(administrator.get(address(kept, other_id))).text
        with nothing_written(app):
            assert administrator.post(address(kept, other_id), {}).status_code == 422
        with nothing_written(app), pytest.raises(PasswordNeeded):
            Office(app, world).act(duplicates.merge, kept_id=kept, other_id=other_id)
        assert merge(administrator, kept, other_id) == 303

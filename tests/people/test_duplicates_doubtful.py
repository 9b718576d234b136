"""Merging two rows that say differently who the pupil is: what is said of it, and the password it takes."""

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
        ("changed", "said"),
        [
            ({}, ""),
            ({"last_name": "SECRET ALPHÀ", "usage_name": "Secret-Alpha"}, ""),
            ({"first_name": "Noah"}, "Les deux fiches diffèrent par le prénom"),
            ({"birth_date": date(2011, 1, 2)}, "Les deux fiches diffèrent par la date de naissance"),
            (
                {"last_name": "Cuivre", "birth_date": date(2011, 1, 2)},
                "Attention : le nom et la date de naissance diffèrent. Ce sont sans doute deux élèves",
            ),
            ({"last_name": "Cuivre", "first_name": "Lou"}, "Attention : le nom et le prénom diffèrent."),
            ({"first_name": "Lou", "birth_date": None}, "Les deux fiches diffèrent par le prénom"),
        ],
    )
    def test_is_doubtful_warns_and_merge_takes_the_password(
        self,
        app: Flask,
        administrator: Browser,
        world: World,
        arrange: Look,
        changed: dict[str, Any],
        said: str,
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
        for given in ({}, {"current_password": ""}, {"current_password": "Faux-faux-faux-42!"}):
            with nothing_written(app):
                assert administrator.post(address(kept, other_id), given).status_code == 422
        with nothing_written(app), pytest.raises(PasswordNeeded):
            Office(app, world).act(duplicates.merge, kept_id=kept, other_id=other_id)
        assert merge(administrator, kept, other_id) == 303

    def test_merge_says_that_a_used_account_opens_the_other_row(
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
        assert merge(administrator, kept, other_id) == 303

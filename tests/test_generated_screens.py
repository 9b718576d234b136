"""What is generated from a model, and what of Flask-Admin carries it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import version

import pytest
from flask import Flask
from flask_admin import Admin
from flask_admin.base import BaseView
from sqlalchemy.orm import Session

from cpro import create_app
from cpro.core.permissions import Permission
from cpro.core.shown import shown_names
from cpro.core.web.screens import Screen
from cpro.extensions import db
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser

Look = Callable[[], AbstractContextManager[Session]]
INE = "9900000044N"


class Bare(Screen):
    """A screen over pupils that says nothing of their columns."""

    permission, export_permission = Permission.STUDENTS_VIEW, Permission.RECORDS_EXPORT
    title, object_type = "Élèves, sans rien dire", "student"


@pytest.fixture
def bare(world: World, migrated_app: Flask, arrange: Look) -> Iterator[Flask]:
    """Yield an application with a new screen over pupils, one of whom has an INE."""
    with arrange() as session:
        session.add(make_student(world.a.id, last_name="Topaze", ine=INE))
    app = create_app(dict(migrated_app.config))
    site: Admin = app.extensions["admin"][0]
    site.add_view(Bare(Student, url="/admin/nus", endpoint="nus"))
    yield app
    with app.app_context():
        db.engine.dispose()


class TestNewGeneratedScreen:
    def test_generated_screen_masks_the_ine_with_nothing_said(self, bare: Flask, world: World) -> None:
        support = Browser(bare).sign_in_as(world, "support", enter="a")
        listed = support.get("/admin/nus/").text
        row = re.search(r'href="(/admin/nus/details/\?id=\d+)"[^>]*>TOPAZE', listed)
        assert row is not None
        pages = [listed, support.get(row[1]).text]

        assert all("44N" in page and INE not in page for page in pages)

    def test_generated_screen_exports_the_ine_to_those_who_may_read_it(self, bare: Flask, world: World) -> None:
        head = Browser(bare).sign_in_as(world, "head", "a")

        assert INE in head.get("/admin/nus/export/csv/").text

    def test_generated_screen_shows_every_attribute_that_the_model_says_something_of(
        self, bare: Flask, world: World
    ) -> None:
        titles = Browser(bare).sign_in_as(world, "head", "a").get("/admin/nus/export/csv/").text.splitlines()[0]

        assert len(titles.split(";")) == len(shown_names(Student))


class TestFlaskAdmin:
    """The version is pinned: what is relied on of it beyond its public extension points is here."""

    def test_flask_admin_is_the_version_that_was_read(self) -> None:
        assert version("flask-admin") == "2.2.1"

    @pytest.mark.parametrize("page", ["index_view", "create_view", "edit_view", "details_view", "action_view"])
    def test_flask_admin_runs_its_own_pages(self, page: str) -> None:
        assert inspect.unwrap(getattr(Screen, page)).__module__ == "flask_admin.model.base"

    def test_flask_admin_asks_the_one_private_hook_before_each_page(self, bare: Flask, world: World) -> None:
        assert list(inspect.signature(BaseView._handle_view).parameters) == ["self", "name", "kwargs"]
        head = Browser(bare).sign_in_as(world, "head", "a")

        assert [head.get(f"/admin/nus/{page}/").status_code for page in ("details", "new", "edit", "delete")] == [
            404,
            403,
            403,
            403,
        ]

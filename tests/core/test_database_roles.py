"""On PostgreSQL the role that serves owns nothing: what it may do with the journal is to read it and add to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from cpro import create_app
from cpro.core.database_roles import UnsafeRole, check_serving_role
from cpro.extensions import db
from tests.factories import make_world
from tests.helpers.browser import Browser
from tests.helpers.platform import as_owner, empty_postgresql_schema

TESTED_ON = os.environ.get("CPRO_TEST_DATABASE_URL", "")
pytestmark = [pytest.mark.slow, pytest.mark.postgresql]

#: What whoever reached the database as CPro does while it serves might try.
FORBIDDEN = {
    "change a line": "UPDATE audit_entry SET origin = 'x'",
    "delete a line": "DELETE FROM audit_entry",
    "empty the journal": "TRUNCATE audit_entry",
    "empty the heads": "DELETE FROM audit_head",
    "disable the triggers": "ALTER TABLE audit_entry DISABLE TRIGGER USER",
    "disable the triggers for the session": "SET session_replication_role = replica",
    "replace what refuses": "CREATE OR REPLACE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NEW; END'",
    "drop a policy": "DROP POLICY tenancy ON student",
    "switch row-level security off": "ALTER TABLE student NO FORCE ROW LEVEL SECURITY",
    "drop a table": "DROP TABLE student",
    "empty a table": "TRUNCATE student CASCADE",
    "add a table": "CREATE TABLE mine (id integer)",
    "become the owner": "SET ROLE cpro_owner",
    "write the revision": "DELETE FROM alembic_version",
}


@pytest.fixture(scope="module")
def two_roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Yield the application as the role that serves, on tables that another role owns, two schools in them."""
    folder = tmp_path_factory.mktemp("roles")
    with empty_postgresql_schema(TESTED_ON) as address:
        app = _app(folder, address, CPRO_MIGRATION_DATABASE_URL=as_owner(address))
        with app.app_context():
            upgrade()
            app.extensions["world"] = make_world()
        yield app
        with app.app_context():
            db.engine.dispose()


def _app(folder: Path, address: str, **settings: str) -> Flask:
    fixed = {"CPRO_INSTANCE": folder, "CPRO_UPLOADS": folder, "SECRET_KEY": "of-no-value", "TESTING": True}
    app: Flask = create_app({**fixed, "SQLALCHEMY_DATABASE_URI": address, **settings})
    return app


class TestServingRole:
    @pytest.mark.parametrize("attempt", FORBIDDEN)
    def test_grant_rights_leave_no_way_to_rewrite(self, two_roles: Flask, attempt: str) -> None:
        with two_roles.app_context(), db.engine.connect() as connection:
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            with pytest.raises(ProgrammingError) as refusal:
                connection.execute(text(FORBIDDEN[attempt]))

        assert refusal.value.orig is not None
        assert getattr(refusal.value.orig, "sqlstate", "") == "42501", "refused for want of a right, not for its syntax"

    def test_grant_rights_are_enough_to_sign_in_and_save(self, two_roles: Flask) -> None:
        world, url = two_roles.extensions["world"], "/admin/parametres/etablissement"
        browser = Browser(two_roles)

        assert browser.sign_in(world.a.code, world.logins["administrator"], world.password).status_code == 303
        assert browser.post(url, {**browser.form(url), "city": "Nancy"}).status_code == 303

        outcome = two_roles.test_cli_runner().invoke(args=["audit", "verify"])
        assert outcome.exit_code == 0, outcome.stderr

    def test_check_serving_role_takes_a_role_that_owns_nothing(self, two_roles: Flask) -> None:
        with two_roles.app_context():
            check_serving_role()

    def test_check_serving_role_refuses_the_owner(self, two_roles: Flask, tmp_path: Path) -> None:
        app = _app(tmp_path, two_roles.config["CPRO_MIGRATION_DATABASE_URL"])

        with app.app_context(), pytest.raises(UnsafeRole, match="pourrait réécrire le journal"):
            check_serving_role()
        answer = app.test_cli_runner().invoke(args=["worker"])
        assert answer.exit_code == 1
        assert "ne possède rien" in answer.stderr
        with app.app_context():
            db.engine.dispose()

    def test_check_serving_role_refuses_a_role_that_may_take_the_owners_place(
        self, two_roles: Flask, tmp_path: Path
    ) -> None:
        heir = f"cpro_heir_{uuid4().hex}"
        _as_admin(f"CREATE ROLE {heir} LOGIN IN ROLE cpro_owner")
        address = make_url(two_roles.config["SQLALCHEMY_DATABASE_URI"]).set(username=heir)
        app = _app(tmp_path, address.render_as_string(hide_password=False))
        try:
            with app.app_context(), pytest.raises(UnsafeRole):
                check_serving_role()
        finally:
            with app.app_context():
                db.engine.dispose()
            _as_admin(f"DROP ROLE {heir}")


def _as_admin(statement: str) -> None:
    engine = create_engine(os.environ["CPRO_TEST_ADMIN_URL"])
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()

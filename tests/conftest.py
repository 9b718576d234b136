"""The application under test: the real one, on a migrated database of its own, two schools in it.

SQLite by default; `CPRO_TEST_DATABASE_URL` runs the same suite on PostgreSQL (a role that is not superuser, owner of
the database; `CPRO_TEST_ADMIN_URL` is a superuser's address of the same database, to empty it between two tests).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from cpro import create_app
from cpro.core import tenancy
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import db
from tests.factories import (
    World,
    make_diploma,
    make_import,
    make_mandate,
    make_mef,
    make_transfer,
    make_transfer_side,
    make_world,
)
from tests.helpers.browser import Browser

POSTGRESQL_URL = os.environ.get("CPRO_TEST_DATABASE_URL", "")
ADMIN_URL = os.environ.get("CPRO_TEST_ADMIN_URL", "")


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cpro")


@pytest.fixture(scope="session")
def database(worker_folder: Path, worker_id: str) -> str:
    """Return the address of this worker's database."""
    if not POSTGRESQL_URL:
        return f"sqlite:///{worker_folder / 'cpro.sqlite3'}"
    if worker_id == "master":
        return POSTGRESQL_URL
    return f"{POSTGRESQL_URL}_{worker_id}"


@pytest.fixture(scope="session")
def migrated_app(worker_folder: Path, database: str) -> Flask:
    """Return the application on its migrated, empty database."""
    app = create_app(
        {
            "CPRO_INSTANCE": worker_folder,
            "CPRO_UPLOADS": worker_folder / "uploads",
            "SQLALCHEMY_DATABASE_URI": database,
            "SECRET_KEY": "test-secret-key-of-no-value",
            "CPRO_PUBLIC_URL": "https://cpro.example",
            "TRUSTED_HOSTS": ["localhost", "cpro.example"],
            "TESTING": True,
        }
    )
    with app.app_context():
        upgrade()
        db.engine.dispose()
    if not POSTGRESQL_URL:
        _checkpoint(worker_folder)
        shutil.copy(worker_folder / "cpro.sqlite3", worker_folder / "empty.sqlite3")
    return app


@pytest.fixture(scope="session")
def admin_engine(worker_id: str) -> Iterator[Engine | None]:
    """Yield a superuser's engine on the test database, PostgreSQL only."""
    if not POSTGRESQL_URL:
        yield None
        return
    engine = create_engine(ADMIN_URL if worker_id == "master" else f"{ADMIN_URL}_{worker_id}")
    yield engine
    engine.dispose()


@pytest.fixture
def app(migrated_app: Flask, worker_folder: Path, admin_engine: Engine | None) -> Iterator[Flask]:
    """Yield the application on an empty database and an empty store."""
    for folder in ("uploads", "mail"):
        shutil.rmtree(worker_folder / folder, ignore_errors=True)
    (worker_folder / "uploads").mkdir()
    if admin_engine is None:
        for suffix in ("-wal", "-shm"):
            (worker_folder / f"cpro.sqlite3{suffix}").unlink(missing_ok=True)
        shutil.copy(worker_folder / "empty.sqlite3", worker_folder / "cpro.sqlite3")
    else:
        _empty(admin_engine)
    yield migrated_app
    with migrated_app.app_context():
        db.engine.dispose()


@pytest.fixture
def world(app: Flask) -> World:
    """Return two schools with their people; see `tests.factories`."""
    with app.app_context():
        return make_world()


@pytest.fixture
def platform(app: Flask) -> Callable[[], AbstractContextManager[Session]]:
    """Return a way to look at the database, all schools: `with platform() as session:`."""

    @contextmanager
    def look() -> Iterator[Session]:
        with app.app_context(), tenancy.platform_session("test") as session:
            yield session

    return look


@pytest.fixture
def arrange(app: Flask) -> Callable[[], AbstractContextManager[Session]]:
    """Return a way to prepare the database, all schools: `with arrange() as session: session.add(…)`."""

    @contextmanager
    def write() -> Iterator[Session]:
        with app.app_context(), platform_unit_of_work("test") as work:
            yield work.session

    return write


@pytest.fixture
def browser(app: Flask) -> Callable[[], Browser]:
    """Return a maker of fresh browsers."""
    return lambda: Browser(app)


@pytest.fixture
def as_(app: Flask, world: World) -> Callable[..., Browser]:
    """Return a maker of signed-in browsers: `as_("administrator")`, `as_("head", "b")`, `as_("support", enter="a")`."""

    def sign_in(role: str, school: str = "a", *, enter: str | None = None) -> Browser:
        return Browser(app).sign_in_as(world, role, school, enter=enter)

    return sign_in


@pytest.fixture
def filled(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> World:
    """Give both schools a row in every screen; school A works without SIECLE, so that it may create by hand."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
        for school in (world.a, world.b):
            session.add(make_diploma(code=f"MAISON-{school.code}"[:16].upper(), establishment_id=school.id))
            session.add(make_mef(school.id, label=f"Formation de {school.code}"))
            session.add(make_import(school.id, files=[{"name": f"{school.code}.xml", "kind": "Élèves (SIECLE)"}]))
        for school, other in ((world.a, world.b), (world.b, world.a)):
            session.add(transfer := make_transfer(school.id, other.id))
            session.flush()
            session.add(make_transfer_side(transfer.id, school.id, student_label=f"Élève de {school.code}"))
        for school, name in (("a", "Dominique Schiste"), ("b", "Personne de beta")):
            session.add(make_mandate(world, school, inspector_name=name))
    return world


def _checkpoint(folder: Path) -> None:
    """Write the log of SQLite into its file, so that copying the file copies everything."""
    engine = create_engine(f"sqlite:///{folder / 'cpro.sqlite3'}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()


def _empty(engine: Engine) -> None:
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # the journal's triggers refuse otherwise
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        connection.execute(text("SET session_replication_role = DEFAULT"))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what this run tests against."""
    database = "PostgreSQL" if POSTGRESQL_URL else "SQLite (PostgreSQL: set CPRO_TEST_DATABASE_URL, as .ci/run does)"
    browser = shutil.which("chromium") or "not found: the browser tests do not run"
    return [f"database: {database}", f"chromium: {browser}"]

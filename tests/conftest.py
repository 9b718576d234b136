"""The application under test: the real one, on a migrated database of its own, two schools in it.

SQLite by default; `CPRO_TEST_DATABASE_URL` runs the same suite on PostgreSQL (a role that is not superuser, owner of
the database; `CPRO_TEST_ADMIN_URL` is a superuser's address of the same database, to empty it between two tests).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from cpro import create_app
from cpro.core import passwords, tenancy
from cpro.core.storage import FileStorage
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
from tests.helpers import database_clock, lock_order
from tests.helpers.browser import Browser
from tests.helpers.platform import find_chromium
from tests.helpers.templates import Templates, TemplatesOnPostgresql, TemplatesOnSqlite
from tests.layers import limits_of_a_unit_test, pytest_itemcollected, pytest_runtest_call

__all__ = ["limits_of_a_unit_test", "pytest_itemcollected", "pytest_runtest_call"]

POSTGRESQL_URL = os.environ.get("CPRO_TEST_DATABASE_URL", "")
ADMIN_URL = os.environ.get("CPRO_TEST_ADMIN_URL", "")
#: "_gw0", "_gw1"… where pytest-xdist runs several processes, each on a database of its own; "" otherwise.
WORKER = "_" + os.environ["PYTEST_XDIST_WORKER"] if "PYTEST_XDIST_WORKER" in os.environ else ""
_PRODUCT_HASHER = passwords._HASHER


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Hash the passwords of the tests at the least cost; `real_hashes` gives the product's back to a test."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", cheap)
        patch.setattr(passwords, "_DUMMY_HASH", cheap.hash("nobody's"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _database_travels_too() -> Iterator[None]:
    with database_clock.travels_too():
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as the product does."""
    monkeypatch.setattr(passwords, "_HASHER", _PRODUCT_HASHER)
    monkeypatch.setattr(passwords, "_DUMMY_HASH", passwords._generate_hash())


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cpro")


@pytest.fixture(scope="session")
def database(worker_folder: Path) -> str:
    """Return the address of this process's database."""
    if not POSTGRESQL_URL:
        return f"sqlite:///{worker_folder / 'cpro.sqlite3'}"
    return f"{POSTGRESQL_URL}{WORKER}"


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
        if POSTGRESQL_URL:
            lock_order.watch(db.engine)
    return app


@pytest.fixture(scope="session")
def templates(migrated_app: Flask, worker_folder: Path, admin_engine: Engine | None) -> Templates:
    """Keep the database empty, then with two schools in it; `app` puts back the one that a test asks for."""
    if admin_engine is not None:
        templates: Templates = TemplatesOnPostgresql(admin_engine)
    else:
        templates = TemplatesOnSqlite(worker_folder / "cpro.sqlite3")
    templates.keep(with_world=False)
    with migrated_app.app_context():
        templates.world = make_world()
        db.engine.dispose()
    templates.keep(with_world=True)
    return templates


@pytest.fixture(scope="session")
def admin_engine() -> Iterator[Engine | None]:
    """Yield a superuser's engine on the test database, PostgreSQL only."""
    if not POSTGRESQL_URL:
        yield None
        return
    engine = create_engine(f"{ADMIN_URL}{WORKER}")
    yield engine
    engine.dispose()


@pytest.fixture
def app(
    request: pytest.FixtureRequest,
    migrated_app: Flask,
    worker_folder: Path,
    templates: Templates,
) -> Iterator[Flask]:
    """Yield the application on an empty store and a database that is empty, or holds the two schools of `world`."""
    for folder in ("uploads", "mail"):
        shutil.rmtree(worker_folder / folder, ignore_errors=True)
    FileStorage(worker_folder / "uploads").prepare()
    templates.put_back(with_world="world" in request.fixturenames)
    yield migrated_app
    with migrated_app.app_context():
        db.engine.dispose()


@pytest.fixture
def world(app: Flask, templates: Templates) -> World:
    """Return two schools with their people; see `tests.factories`."""
    return deepcopy(templates.world)


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
            lock_order.let_pass(work.session)
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


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what this run tests against."""
    database = "PostgreSQL" if POSTGRESQL_URL else "SQLite (PostgreSQL: set CPRO_TEST_DATABASE_URL, as .ci/run does)"
    browser = find_chromium() or "not found: the browser tests do not run"
    return [f"database: {database}", f"chromium: {browser}"]

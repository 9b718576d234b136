"""The database goes up and down with its rows: an upgrade on Monday morning loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, func, inspect, select, text

from bench.campaigns import size_of
from cpro import create_app
from cpro.config import PROJECT_ROOT
from cpro.extensions import db
from cpro.masks.models import MaskKey
from tests.conftest import POSTGRESQL_URL
from tests.helpers.empty_databases import empty_database

pytestmark = pytest.mark.slow

FIRST_RELEASE = "0003"
#: What a school may come from: the first release in the suite, any revision in `python -m bench.campaigns upgrades`.
EARLIER = [path.name[:4] for path in sorted((PROJECT_ROOT / "migrations/versions").glob("0*.py"))]
EARLIER = EARLIER[EARLIER.index(FIRST_RELEASE) :][: size_of("upgrades")]
SCHOOL = {"establishment_id": 1}
#: One row of each table that a school fills first, as the first release kept them.
ROWS = {
    "establishment": {"code": "lovelace", "name": "Lycée", "cnil_kind": "registre"},
    "diploma": {"code": "40025520"},
    "division": {**SCHOOL, "code": "TMELEC", "diploma_id": 1},
    "account": {**SCHOOL, "login": "ines.quartz", "role": "teacher"},
    "student": {**SCHOOL, "last_name": "Agate", "siecle_id": "900001", "division_id": 1, "account_id": 1},
    "teacher_division": {**SCHOOL, "account_id": 1, "division_id": 1},
    "mef": {**SCHOOL, "code": "24720008310", "diploma_id": 1},
    "mask": {**SCHOOL, "diploma_id": 1, "key": "equipment", "wording": "Outillage"},
    "import_run": {
        **SCHOOL,
        "files": [],
        "requested_by": {},
        "counts": {},
        "confirmations_needed": [],
        "confirmations_given": [],
    },
    "import_change": {**SCHOOL, "run_id": 1, "object_type": "student", "changes": {}},
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a database with nothing in it."""
    with empty_database(tmp_path) as address:
        yield address


@pytest.fixture(params=EARLIER)
def old_app(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Yield the application over a database of an earlier revision, which a school has used."""
    app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
    with app.app_context():
        upgrade(revision=request.param)
        with db.engine.begin() as connection:
            fill(connection)
        yield app
        db.engine.dispose()


def fill(connection: Connection) -> None:
    """Insert `ROWS`, completing each with a plausible value where the table asks for one."""
    tables = tables_of(connection)
    for name, row in ROWS.items():
        insert(connection, tables, name, id=1, **row)


def insert(connection: Connection, tables: MetaData, table_name: str, /, **row: object) -> None:
    """Insert a row, completed with a plausible value where its table asks for one."""
    table = tables.tables[table_name]
    missing = {
        column.name: plausible(column.type.python_type)
        for column in table.columns
        if not column.nullable and column.name not in row
    }
    connection.execute(table.insert().values(**{**missing, **row}))


def plausible(kind: type) -> object:
    values = {str: "texte", int: 1, bool: False, object: {}, date: date(2026, 9, 1)}  # object: JSON
    return {**values, datetime: datetime(2026, 9, 1, 8, tzinfo=UTC)}[kind]


def tables_of(connection: Connection) -> MetaData:
    """Return the tables as they are, seen by a platform session."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
    tables = MetaData()
    tables.reflect(connection)
    return tables


def kept() -> dict[str, tuple[int, object]]:
    """Return, for each table that was filled, how many rows it has and one word of the first."""
    with db.engine.begin() as connection:
        tables = tables_of(connection)
        return {
            name: (
                connection.scalar(select(func.count()).select_from(tables.tables[name])) or 0,
                connection.scalar(select(tables.tables[name].c[list(row)[-1]])),
            )
            for name, row in ROWS.items()
        }


class TestMigrations:
    def test_migrations_keep_every_row_on_an_upgrade(self, old_app: Flask) -> None:
        before = kept()

        upgrade()

        assert kept() == before
        assert all(count == 1 for count, _word in before.values())

    def test_migrations_keep_every_row_on_going_back_to_the_first_release(self, old_app: Flask) -> None:
        before = kept()
        upgrade()

        downgrade(revision=FIRST_RELEASE)

        assert kept() == before

    def test_migrations_leave_nothing_after_the_last_downgrade(self, old_app: Flask) -> None:
        downgrade(revision="base")

        with db.engine.begin() as connection:
            assert set(tables_of(connection).tables) == {"alembic_version"}

    def test_migrations_make_the_tables_of_the_models(self, old_app: Flask) -> None:
        upgrade()

        with db.engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), db.metadata)
        assert differences == []

    def test_migrations_let_every_key_of_a_mask_be_worded(self, old_app: Flask) -> None:
        upgrade()

        with db.engine.connect() as connection:
            (allowed,) = (
                each for each in inspect(connection).get_check_constraints("mask") if each["name"] == "ck_mask_key"
            )
        assert {key.value for key in MaskKey} == set(re.findall(r"'(\w+)'", allowed["sqltext"]))

    def test_migrations_protect_every_table_of_a_school(self, old_app: Flask) -> None:
        if not POSTGRESQL_URL:
            pytest.skip("row-level security is PostgreSQL's; .ci/run runs this suite there too")
        upgrade()

        with db.engine.begin() as connection:
            bare = connection.scalars(
                text(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                    " AND NOT (relrowsecurity AND relforcerowsecurity)"
                )
            ).all()
        assert set(bare) == {"alembic_version"}

    def test_migrations_make_policies_that_read_the_scope_once_for_a_statement(self, old_app: Flask) -> None:
        if not POSTGRESQL_URL:
            pytest.skip("row-level security is PostgreSQL's; .ci/run runs this suite there too")
        upgrade()

        with db.engine.begin() as connection:
            tables = connection.scalars(text("SELECT tablename FROM pg_policies")).all()
            plans = {table: connection.scalars(text(f"EXPLAIN SELECT 1 FROM {table}")).all() for table in tables}
        for_each_row = [table for table, plan in plans.items() if any("current_setting" in line for line in plan)]
        assert len(plans) > 30
        assert for_each_row == []


class TestUnnamedSchools:
    """0017: what a side said of the other school before two schools agreed on a pupil."""

    PUPIL = {"last_name": "Topaze", "usage_name": "", "first_name": "Lou", "birth_date": date(2009, 2, 28)}

    @pytest.mark.parametrize(
        ("state", "other", "stored", "named"),
        [
            ("conflict", {"first_name": "Noé"}, ["first_name"], False),
            ("refused", {"first_name": "Noé"}, ["first_name"], False),
            ("twins", {"birth_date": date(2010, 1, 1)}, [], False),
            ("waiting_left", {"last_name": "Agate"}, [], False),
            ("twins", {"last_name": "TOPAZE-QUARTZ", "first_name": "lou"}, [], True),
            ("waiting_left", {"birth_date": None}, [], True),
        ],
    )
    def test_unnamed_schools_until_the_identities_agree(
        self, database: str, tmp_path: Path, state: str, other: dict[str, object], stored: list[str], named: bool
    ) -> None:
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        with app.app_context():
            upgrade(revision="0016")
            with db.engine.begin() as connection:
                self.fill(connection, state, self.PUPIL | other, stored)
            upgrade()
            try:
                assert self.sides() == [("Lycée B", "0999002X") if named else ("", "")]
                downgrade(revision="0016")
                assert self.sides() == [("Lycée B", "0999002X")]
            finally:
                db.engine.dispose()

    def fill(self, connection: Connection, state: str, other: dict[str, object], stored: list[str]) -> None:
        """Insert two schools, a pupil of each under one INE, their transfer and the side of the first."""
        put = partial(insert, connection, tables_of(connection))
        put("establishment", id=1, code="a", name="Lycée A", uai="0999001W", cnil_kind="registre")
        put("establishment", id=2, code="b", name="Lycée B", uai="0999002X", cnil_kind="registre")
        for id_, pupil in ((1, self.PUPIL), (2, other)):
            put("student", id=id_, establishment_id=id_, **pupil)
        pair = {"left_id": 1, "left_student_id": 1, "joined_id": 2, "joined_student_id": 2}
        put("transfer", id=1, state=state, is_current=True, is_offer=False, **pair)
        named = {"other_name": "Lycée B", "other_uai": "0999002X", "search_key": "topaze lou lycee b 0999002x"}
        side = {"student_id": 1, "student_label": "TOPAZE Lou", "disagreements": stored, "direction": "left"}
        put("transfer_side", id=1, transfer_id=1, state=state, is_offer=False, **SCHOOL, **side, **named)

    def sides(self) -> list[tuple[str, str]]:
        with db.engine.begin() as connection:
            side = tables_of(connection).tables["transfer_side"]
            return [(row.other_name, row.other_uai) for row in connection.execute(select(side))]


class TestDifferingIdentities:
    """0025: what was confirmed by one school alone names no school; what was agreed to, or done, stays named."""

    @pytest.mark.parametrize(
        ("state", "direction", "stored", "agreed", "named"),
        [
            ("agreement", "joined", ["first_name"], False, False),
            ("refused", "joined", ["first_name", "birth_date"], False, False),
            ("cancelled", "joined", ["last_name"], False, False),
            ("cancelled", "joined", ["last_name"], True, True),
            ("agreement", "left", ["last_name"], False, True),
            ("agreement", "joined", [], False, True),
            ("done", "joined", ["last_name"], False, True),
        ],
    )
    def test_differing_identities_are_kept_without_what_differs(
        self, database: str, tmp_path: Path, state: str, direction: str, stored: list[str], agreed: bool, named: bool
    ) -> None:
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        unnamed = TestUnnamedSchools()
        with app.app_context():
            upgrade(revision="0024")
            with db.engine.begin() as connection:
                unnamed.fill(connection, state, unnamed.PUPIL, stored)
                tables = tables_of(connection).tables
                when = datetime(2026, 9, 1, tzinfo=UTC) if agreed else None
                connection.execute(tables["transfer"].update().values(confirmed_at=when, agreed_at=when))
                connection.execute(tables["transfer_side"].update().values(direction=direction))
            upgrade()
            try:
                assert unnamed.sides() == [("Lycée B", "0999002X") if named else ("", "")]
                with db.engine.begin() as connection:
                    side = tables_of(connection).tables["transfer_side"]
                    assert connection.scalars(select(side.c.identities_differ)).all() == [bool(stored)]
                downgrade(revision="0024")
                with db.engine.begin() as connection:
                    side = tables_of(connection).tables["transfer_side"]
                    assert [bool(each) for each in connection.scalars(select(side.c.disagreements))] == [bool(stored)]
            finally:
                db.engine.dispose()


class TestDivisionCodes:
    def test_upgrade_gives_codes_their_one_form_and_makes_no_two_classes_one(
        self, database: str, tmp_path: Path
    ) -> None:
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        codes = ["2\u00a0MELEC", "2  CAP", "2 CAP", "TE\u0301", "1\u200bA", "3 B"]
        with app.app_context():
            upgrade(revision="0017")
            with db.engine.begin() as connection:
                fill(connection)
                table = tables_of(connection).tables["division"]
                for id_, code in enumerate(codes, 2):
                    connection.execute(table.insert().values(**{**SCHOOL, "id": id_, "code": code, "label": ""}))

            upgrade()

            with db.engine.begin() as connection:
                table = tables_of(connection).tables["division"]
                kept_codes = connection.scalars(select(table.c.code).where(table.c.id != 1).order_by(table.c.id)).all()
            db.engine.dispose()
        assert kept_codes == ["2 MELEC", "2  CAP", "2 CAP", "TÉ", "1A", "3 B"]


class TestOfficialCode:
    """0037: the national CAP takes its code, so does what was evaluated for it; a school's own stays as it is."""

    def test_official_code_is_that_of_the_national_diploma_alone(self, database: str, tmp_path: Path) -> None:
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        with app.app_context():
            upgrade(revision="0036")
            with db.engine.begin() as connection:
                put = partial(insert, connection, tables_of(connection))
                put("establishment", id=1, code="a", cnil_kind="registre")
                put("student", id=1, **SCHOOL)
                for id_, school_id in ((1, None), (2, 1)):
                    put("diploma", id=id_, code="CAP-ELEC", establishment_id=school_id)
                    put("competence", id=id_, diploma_id=id_, establishment_id=school_id)
                    named = {"competence_id": id_, "diploma_code": "CAP-ELEC", "origin_uid": str(id_)}
                    put("evaluation", id=id_, student_id=1, **named, **SCHOOL)
            try:
                upgrade(revision="0037")
                assert self.codes() == ["50025524", "CAP-ELEC", "50025524", "CAP-ELEC"]
                downgrade(revision="0036")
                assert self.codes() == ["CAP-ELEC"] * 4
            finally:
                db.engine.dispose()

    def codes(self) -> list[str]:
        with db.engine.begin() as connection:
            tables_of(connection)  # as a platform session
            wanted = "SELECT code FROM diploma ORDER BY id", "SELECT diploma_code FROM evaluation ORDER BY id"
            return [code for each in wanted for code in connection.scalars(text(each))]


class TestIdsGivenOnce:
    """0026: SQLite makes the tables again; nothing beside them is lost, and no id of the journal is free."""

    def test_upgrade_and_downgrade_keep_triggers_indexes_and_keys(self, database: str, tmp_path: Path) -> None:
        if POSTGRESQL_URL:
            pytest.skip("PostgreSQL never gives an id again")
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        with app.app_context():
            upgrade(revision="0025")
            with db.engine.begin() as connection:
                fill(connection)
            before = self.beside(), self.keys(), kept()
            upgrade(revision="0026")
            after = self.beside(), self.keys(), kept()
            downgrade(revision="0025")
            back = self.beside(), self.keys(), kept()
            db.engine.dispose()

        assert len([name for kind, name, _sql in before[0] if kind == "trigger"]) >= 12
        assert after == before
        assert back == before

    def test_upgrade_leaves_no_id_that_the_journal_names(self, database: str, tmp_path: Path) -> None:
        if POSTGRESQL_URL:
            pytest.skip("PostgreSQL never gives an id again")
        app = create_app({"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": database, "SECRET_KEY": "of-no-value"})
        with app.app_context():
            upgrade(revision="0025")
            with db.engine.begin() as connection:
                fill(connection)
                entry = tables_of(connection).tables["audit_entry"]
                line = {**SCHOOL, "object_type": "transfer", "object_id": "41"}
                missing = {
                    column.name: plausible(column.type.python_type)
                    for column in entry.columns
                    if not column.nullable and column.name not in line
                }
                connection.execute(entry.insert().values(**missing, **line))
            upgrade(revision="0026")
            with db.engine.begin() as connection:
                given = {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
            db.engine.dispose()

        assert (given["transfer_side"], given["student"], given["transfer"]) == (41, 1, 0)

    def beside(self) -> list[tuple[str, str, str]]:
        """Return the triggers and the indexes: kind, name, how they are written."""
        with db.engine.begin() as connection:
            found = connection.execute(
                text("SELECT type, name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL ORDER BY 2")
            )
            return [(kind, name, sql) for kind, name, sql in found]

    def keys(self) -> dict[str, tuple[object, ...]]:
        """Return, for each table, its columns, keys, checks and what is unique."""
        with db.engine.begin() as connection:
            seen = inspect(connection)
            return {
                name: (
                    [(each["name"], str(each["type"]), each["nullable"]) for each in seen.get_columns(name)],
                    sorted(str(each) for each in seen.get_foreign_keys(name)),
                    sorted(str(each) for each in seen.get_check_constraints(name)),
                    sorted(str(each) for each in seen.get_unique_constraints(name)),
                    seen.get_pk_constraint(name)["constrained_columns"],
                )
                for name in seen.get_table_names()
                if name != "sqlite_sequence"
            }

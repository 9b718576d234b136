"""Tenancy is one filter: a feature that forgets about it cannot leak, and what the filter cannot see is listed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, delete, exists, func, insert, literal, select, text, union_all, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from cpro.audit import operations as audit
from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.bulk_writes import bulk_insert, bulk_update
from cpro.core.permissions import Role
from cpro.core.tenancy import KINDS, Scope, TenancyError, enter
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.students.models import Diploma, Division, Student
from cpro.users.models import Account, PlatformAccount
from tests.factories import NOW, TESTER, World, make_diploma, make_student

STUDENTS = Student.__table__
assert isinstance(STUDENTS, Table)


@pytest.fixture
def in_a(app: Flask, world: World) -> Any:
    """Work as a careless feature would, in school A."""
    with app.app_context():
        enter(Scope(world.a.id))
        yield db.session()


#: Ways of reading students that never mention a school. Each returns the last names it found, or a count.
CARELESS_READINGS: dict[str, Callable[[Session, World], Any]] = {
    "entities": lambda s, w: [x.last_name for x in s.scalars(select(Student))],
    "legacy query": lambda s, w: [x.last_name for x in s.query(Student).all()],
    "columns": lambda s, w: list(s.scalars(select(Student.last_name))),
    "alias": lambda s, w: [x.last_name for x in s.scalars(select(aliased(Student)))],
    "subquery": lambda s, w: [row[0] for row in s.execute(select(select(Student.last_name).subquery()))],
    "cte": lambda s, w: [row[0] for row in s.execute(select(select(Student.last_name).cte()))],
    "join from another table": lambda s, w: list(
        s.scalars(select(Student.last_name).join(Division, Division.id == Student.division_id))
    ),
    "join to the school": lambda s, w: list(
        s.scalars(select(Student.last_name).join(Establishment, Establishment.id == Student.establishment_id))
    ),
    "group by": lambda s, w: [
        row[0] for row in s.execute(select(Student.last_name, func.count(Student.id)).group_by(Student.last_name))
    ],
    "a condition on a related row": lambda s, w: list(
        s.scalars(select(Student.last_name).where(Student.division.has(Division.code.like("2%"))))
    ),
    "order and limit": lambda s, w: list(s.scalars(select(Student.last_name).order_by(Student.id.desc()).limit(5))),
    "eager load": lambda s, w: [x.last_name for x in s.scalars(select(Student).options(joinedload(Student.division)))],
    "select in load": lambda s, w: [
        x.last_name for x in s.scalars(select(Student).options(selectinload(Student.division)))
    ],
}


class TestTenancyReading:
    @pytest.mark.parametrize("name", CARELESS_READINGS)
    def test_tenancy_reading_a_careless_reading_sees_its_own_school_only(
        self, in_a: Session, world: World, name: str
    ) -> None:
        assert CARELESS_READINGS[name](in_a, world) == ["Secret-alpha"]

    def test_tenancy_reading_each_half_of_a_union_is_narrowed(self, in_a: Session) -> None:
        names = in_a.scalars(union_all(select(Student.last_name), select(Student.last_name))).all()

        assert names == ["Secret-alpha", "Secret-alpha"]

    def test_tenancy_reading_counts_and_existence_are_narrowed(self, in_a: Session, world: World) -> None:
        other = world.b.student_id

        assert in_a.scalar(select(func.count(Student.id))) == 1
        assert in_a.scalar(select(func.count()).select_from(Student)) == 1
        assert in_a.scalar(select(select(func.count(Student.id)).scalar_subquery())) == 1
        assert in_a.scalar(select(select(Student.id).where(Student.id == other).exists())) is False

    def test_tenancy_reading_by_id_another_schools_row_does_not_exist(self, in_a: Session, world: World) -> None:
        assert in_a.get(Student, world.b.student_id) is None
        assert in_a.get(Establishment, world.b.id) is None
        assert in_a.get(Student, world.a.student_id) is not None

    def test_tenancy_reading_platform_tables_are_empty_for_a_school(self, in_a: Session) -> None:
        assert in_a.scalars(select(PlatformAccount)).all() == []

    def test_tenancy_reading_national_rows_are_seen_beside_ones_own(
        self, app: Flask, in_a: Session, world: World
    ) -> None:
        with platform_unit_of_work("test") as work:
            work.session.add(make_diploma(code="MAISON-A", establishment_id=world.a.id))
            work.session.add(make_diploma(code="MAISON-B", establishment_id=world.b.id))

        assert sorted(in_a.scalars(select(Diploma.code))) == ["40025520", "MAISON-A"]

    def test_tenancy_reading_without_a_scope_nothing_is_read(self, app: Flask, world: World) -> None:
        with app.app_context(), pytest.raises(TenancyError, match="no scope"):
            db.session.scalars(select(Student)).all()

    def test_tenancy_reading_a_kept_statement_is_narrowed_to_each_scope(self, app: Flask, world: World) -> None:
        names = tenancy.keep(select(Student.last_name))
        lines = tenancy.keep(select(AuditEntry.action).where(AuditEntry.object_type == "mandate"))
        with app.app_context(), platform_unit_of_work("test") as work:
            for school in (world.a, world.b):
                about = audit.About("mandate", 1, "Accès")
                audit.record(
                    "mandate:opened", about, by=TESTER, now=NOW, establishment_id=school.id, session=work.session
                )

        def read(scope: Scope) -> tuple[list[str], int]:
            with app.app_context():
                enter(scope)
                return list(db.session.scalars(names)), len(db.session.scalars(lines).all())

        readers = Role.HEAD.permissions
        for _ in range(2):
            assert read(Scope(world.a.id, rights=readers)) == (["Secret-alpha"], 1)
            assert read(Scope(world.a.id, rights=readers - {AuditEntry.confidential_to})) == (["Secret-alpha"], 0)
            assert read(Scope(world.b.id, rights=readers)) == (["Secret-beta"], 1)

    def test_tenancy_reading_a_session_keeps_its_scope(self, in_a: Session, world: World) -> None:
        with pytest.raises(TenancyError, match="keeps the scope"):
            enter(Scope(world.b.id))


#: Statements whose rows the filter cannot narrow: refused, whatever they would have said.
REFUSED_READINGS: dict[str, Any] = {
    "text": text("SELECT last_name FROM student"),
    "the table itself": select(STUDENTS),
    "a column of the table": select(STUDENTS.c.last_name),
    "a table hidden beside a mapped class": select(
        Student.last_name, select(func.count(STUDENTS.c.id)).scalar_subquery()
    ),
    "a raw table beside a mapped one, not correlated": select(
        Student.last_name,
        select(func.count(STUDENTS.c.id))
        .where(Division.id == STUDENTS.c.division_id)
        .correlate(None)
        .scalar_subquery(),
    ),
    "existence of a raw row": select(exists().where(STUDENTS.c.id == 2)),
    "existence without a mapped select": select(exists().where(Student.id == 2)),
    "entities from text": select(Student).from_statement(text("SELECT * FROM student")),
    "entities from a union": select(Student).from_statement(union_all(select(Student), select(Student))),
    "a constant": select(literal(1)),
}


class TestTenancyRefusals:
    @pytest.mark.parametrize("name", REFUSED_READINGS)
    def test_tenancy_is_refused(self, in_a: Session, name: str) -> None:
        with pytest.raises(TenancyError):
            in_a.execute(REFUSED_READINGS[name]).all()

    @pytest.mark.parametrize("name", REFUSED_READINGS)
    def test_tenancy_is_refused_each_time_even_after_a_statement_alike_that_passed(
        self, in_a: Session, name: str
    ) -> None:
        alike = (
            select(Student),
            select(Student.last_name),
            select(Student.last_name, select(func.count(Student.id)).scalar_subquery()),
            select(
                Student.last_name,
                select(func.count(Student.id))
                .where(Division.id == Student.division_id)
                .correlate(None)
                .scalar_subquery(),
            ),
            select(select(Student.id).where(Student.id == 2).exists()),
        )
        for statement in (*alike, *alike):
            in_a.execute(statement).all()
        for _ in range(2):
            with pytest.raises(TenancyError):
                in_a.execute(REFUSED_READINGS[name]).all()

    @pytest.mark.parametrize("method", ["bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"])
    def test_tenancy_legacy_bulk_methods_are_closed(self, in_a: Session, method: str) -> None:
        with pytest.raises(RuntimeError, match="bypasses tenancy"):
            getattr(in_a, method)(Student, [])

    def test_tenancy_past_the_session_only_the_database_is_left_to_refuse(self, in_a: Session, world: World) -> None:
        """Say what remains: statements sent on a connection. PostgreSQL narrows them, SQLite does not.

        `test_architecture_sources.py` names the only files that may take a connection.
        """
        seen = in_a.connection().execute(text("SELECT last_name FROM student")).scalars().all()

        on_postgresql = db.engine.dialect.name == "postgresql"
        assert sorted(seen) == (["Secret-alpha"] if on_postgresql else ["Secret-alpha", "Secret-beta"])
        with db.engine.connect() as connection:
            unannounced = connection.execute(text("SELECT last_name FROM student")).scalars().all()
        assert len(unannounced) == (0 if on_postgresql else 2)


class TestTenancyWriting:
    def test_tenancy_writing_a_new_row_is_stamped_with_the_school(self, in_a: Session, world: World) -> None:
        with unit_of_work():
            student = make_student(None, division_id=world.a.division_id)  # type: ignore[arg-type]
            in_a.add(student)
            in_a.flush()
            assert student.establishment_id == world.a.id

    def test_tenancy_writing_another_schools_row_cannot_be_added(self, in_a: Session, world: World) -> None:
        with pytest.raises(TenancyError), unit_of_work():
            in_a.add(make_student(world.b.id))

    def test_tenancy_writing_a_row_cannot_move_to_another_school(self, in_a: Session, world: World) -> None:
        with pytest.raises(TenancyError), unit_of_work():
            student = in_a.get_one(Student, world.a.student_id)
            student.establishment_id = world.b.id

    def test_tenancy_writing_an_object_of_another_school_cannot_be_merged(self, in_a: Session, world: World) -> None:
        with tenancy.platform_session("test") as session:
            smuggled = session.get_one(Student, world.b.student_id)
        smuggled.last_name = "Volé"

        with pytest.raises(TenancyError), unit_of_work():
            in_a.add(smuggled)
        with pytest.raises(TenancyError), unit_of_work():
            in_a.delete(smuggled)

    def test_tenancy_writing_updates_and_deletes_in_bulk_stay_in_the_school(
        self, app: Flask, in_a: Session, world: World
    ) -> None:
        with unit_of_work():
            in_a.execute(update(Student).values(first_name="Changé"))
            in_a.execute(delete(Student))

        with tenancy.platform_session("test") as session:
            left = session.scalars(select(Student)).all()
            assert [(each.last_name, each.first_name) for each in left] == [("Secret-beta", "Zoé")]

    def test_tenancy_writing_a_raw_insert_is_refused(self, in_a: Session, world: World) -> None:
        row = {"establishment_id": world.b.id, "code": "X"}
        for statement in (insert(Division), insert(Division.__table__)):
            with pytest.raises(TenancyError), unit_of_work():
                in_a.execute(statement, [row])

    def test_tenancy_writing_bulk_insert_stamps_the_school_and_refuses_another(
        self, in_a: Session, world: World
    ) -> None:
        with unit_of_work():
            bulk_insert(in_a, Division, [{"code": "A1", "label": ""}, {"code": "A2", "label": ""}])
        with pytest.raises(TenancyError), unit_of_work():
            bulk_insert(in_a, Division, [{"establishment_id": world.b.id, "code": "B1", "label": ""}])

        assert sorted(in_a.scalars(select(Division.code))) == ["2ALP", "A1", "A2"]

    @pytest.mark.parametrize("strategy", ["auto", "bulk", "core_only"])
    def test_tenancy_writing_an_update_by_key_is_refused(
        self, app: Flask, in_a: Session, world: World, strategy: str
    ) -> None:
        with pytest.raises(TenancyError, match="bulk_update"), unit_of_work():
            in_a.execute(
                update(Student),
                [{"id": world.b.student_id, "first_name": "Volé"}],
                execution_options={"dml_strategy": strategy},
            )
        if strategy == "core_only":
            with pytest.raises(TenancyError, match="bulk_update"), unit_of_work():
                in_a.execute(update(Student).values(first_name="Volé").execution_options(dml_strategy=strategy))

    def test_tenancy_writing_a_bulk_update_gives_no_row_to_another_school(self, in_a: Session, world: World) -> None:
        for statement in (
            update(Diploma).values(establishment_id=world.b.id),
            update(Student).values({Student.establishment_id: world.b.id}),
            update(Student).ordered_values((Student.establishment_id, world.b.id)),
        ):
            with pytest.raises(TenancyError, match="stays in its school"), unit_of_work():
                in_a.execute(statement)
        with pytest.raises(TenancyError, match="stays in its school"), unit_of_work():
            in_a.execute(update(Student), {"establishment_id": world.b.id})

    def test_tenancy_writing_bulk_update_corrects_ones_own_and_refuses_another(
        self, in_a: Session, world: World
    ) -> None:
        with unit_of_work():
            bulk_update(in_a, Student, [{"id": world.a.student_id, "first_name": "Changé"}])
        for row in ({"id": world.b.student_id}, {"id": 10**6}, {"id": world.a.student_id, "establishment_id": 1}):
            with pytest.raises(TenancyError), unit_of_work():
                bulk_update(in_a, Student, [{"id": world.a.student_id, "first_name": "X"}, row])
        with pytest.raises(TenancyError), unit_of_work():
            bulk_update(in_a, Diploma, [{"id": in_a.scalars(select(Diploma.id)).one(), "label": "Détourné"}])

        with tenancy.platform_session("test") as session:
            names = {each.id: each.first_name for each in session.scalars(select(Student))}
        assert names == {world.a.student_id: "Changé", world.b.student_id: "Zoé"}

    def test_tenancy_writing_national_rows_are_not_changed_in_bulk(self, in_a: Session, world: World) -> None:
        with unit_of_work():
            in_a.execute(update(Diploma).values(label="Détourné"))
            in_a.execute(delete(Diploma))

        assert in_a.scalars(select(Diploma.label)).all() == ["Bac pro métiers de l’électricité"]

    def test_tenancy_writing_national_and_platform_rows_are_read_only_for_a_school(
        self, in_a: Session, world: World
    ) -> None:
        with pytest.raises(TenancyError), unit_of_work():
            in_a.scalars(select(Diploma)).one().label = "Détourné"
        with pytest.raises(TenancyError), unit_of_work():
            in_a.add(make_diploma(code="NATIONAL", establishment_id=None))
        with pytest.raises(TenancyError), unit_of_work():
            in_a.add(PlatformAccount(email="x@test.example", role=Role.SUPPORT, name="X"))
        with pytest.raises(TenancyError), unit_of_work():
            in_a.add(Establishment(code="pirate"))

    def test_tenancy_writing_a_row_cannot_point_into_another_school(self, in_a: Session, world: World) -> None:
        with pytest.raises(DBAPIError), unit_of_work():
            in_a.get_one(Student, world.a.student_id).division_id = world.b.division_id
            in_a.flush()

    def test_tenancy_writing_a_read_only_scope_writes_nothing(self, app: Flask, world: World) -> None:
        with app.app_context():
            enter(Scope(world.a.id, read_only=True))
            with pytest.raises(TenancyError, match="read-only"), unit_of_work():
                db.session.get_one(Student, world.a.student_id).first_name = "Changé"
            with pytest.raises(TenancyError, match="read-only"), unit_of_work():
                db.session.execute(delete(Student))
            with pytest.raises(TenancyError, match="read-only"), unit_of_work():
                bulk_insert(db.session(), Division, [{"code": "Z", "label": ""}])
            with pytest.raises(TenancyError, match="read-only"), unit_of_work():
                bulk_update(db.session(), Student, [{"id": world.a.student_id, "first_name": "Changé"}])

    def test_tenancy_writing_a_write_outside_a_unit_of_work_is_refused(self, in_a: Session, world: World) -> None:
        in_a.get_one(Student, world.a.student_id).first_name = "Changé"

        with pytest.raises(RuntimeError, match="unit_of_work"):
            in_a.flush()


class TestTenancyTables:
    def test_tenancy_tables_each_mapped_table_says_what_it_is(self) -> None:
        for mapper in db.Model.registry.mappers:
            kinds = [kind.__name__ for kind in KINDS if issubclass(mapper.class_, kind)]
            assert len(kinds) == 1, (
                f"{mapper.class_.__name__} must inherit one of Owned, Shared, TenantRoot, PlatformOnly"
            )

    def test_tenancy_tables_foreign_keys_between_rows_of_a_school_are_composite(self) -> None:
        owned = {
            mapper.local_table.name for mapper in db.Model.registry.mappers if issubclass(mapper.class_, tenancy.Owned)
        }
        for mapper in db.Model.registry.mappers:
            if not issubclass(mapper.class_, tenancy.Owned):
                continue
            for constraint in mapper.local_table.foreign_key_constraints:
                target = constraint.referred_table.name
                if target in owned:
                    assert "establishment_id" in constraint.column_keys, (
                        f"{mapper.local_table.name} → {target}: add establishment_id to the foreign key, "
                        "so that a row cannot point into another school"
                    )

    def test_tenancy_tables_postgresql_secures_every_table(self, app: Flask) -> None:
        with app.app_context():
            if db.engine.dialect.name != "postgresql":
                pytest.skip("row-level security is PostgreSQL's; .ci/run runs this suite there too")
            with db.engine.connect() as connection:
                open_tables = (
                    connection.execute(
                        text(
                            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname <> 'alembic_version' "
                            "AND relnamespace = 'public'::regnamespace "
                            "AND NOT (relrowsecurity AND relforcerowsecurity)"
                        )
                    )
                    .scalars()
                    .all()
                )
            assert open_tables == []

    def test_tenancy_tables_accounts_of_two_schools_may_share_a_login(self, in_a: Session, world: World) -> None:
        assert len(in_a.scalars(select(Account).where(Account.login == "claude.basalte")).all()) == 1

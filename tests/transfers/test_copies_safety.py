"""The copy alone moves content from one school to another, and writes to the destination school only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.tenancy import TenancyError
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.records.models import KINDS, Fiche
from cpro.transfers.cancellation import cancel
from cpro.transfers.models import SchoolPair, Transfer, TransferSide
from tests.helpers.statements import statements_with_values
from tests.helpers.transfers import Exchange

CPRO = Path(__file__).resolve().parents[2] / "cpro"
_CONTENT = "|".join(kind.__tablename__ for kind in KINDS)
#: Files that may hold a session on all schools while they know pupils' records, and what they do with both.
_BOTH = {
    "demo.py": "writes the demonstration schools",
    "records/operations/retention.py": "counts, then deletes school by school",
    "site/search/queries.py": "finds schools by name; pupils are read in the session of the school entered",
    "transfers/withdrawal.py": "takes back copies",
}


@pytest.fixture
def moved(exchange: Exchange) -> tuple[int, int]:
    """Return a pupil of "a" who left with records, and the same one who joined "b"."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    bystander = exchange.enrol("c", exchange.ine())
    exchange.fill("c", bystander)
    return source, exchange.enrol("b", ine)


def content(session: Session) -> dict[tuple[str, int, int], tuple[Any, ...]]:
    """Return every record, by table, school and id."""
    return {
        (kind.__tablename__, row.establishment_id, row.id): tuple(
            getattr(row, column.key) for column in kind.__mapper__.column_attrs
        )
        for kind in KINDS
        for row in session.scalars(select(kind))
    }


class TestOnlyTheCopyCrosses:
    def test_run_writes_by_three_statements_and_to_the_destination_school_alone(
        self, exchange: Exchange, moved: tuple[int, int]
    ) -> None:
        with exchange.look() as session:
            before = content(session)

        with statements_with_values(exchange.app) as statements:
            exchange.run()

        sent = [(" ".join(sql.split()), values) for sql, values in statements]
        writing = [sql for sql, _values in sent if re.match(rf"(INSERT INTO|UPDATE|DELETE FROM) ({_CONTENT})\b", sql)]
        assert [re.match(r"INSERT INTO (\w+) .* SELECT ", sql)[1] for sql in writing] == [
            "fiche",
            "bilan",
            "evaluation",
        ]  # type: ignore[index]
        with exchange.look() as session:
            after = content(session)
        assert {key: after.get(key) for key in before} == before
        assert {school for _table, school, _id in after.keys() - before.keys()} == {exchange.ids["b"]}

    def test_cancel_writes_to_the_destination_school_alone(self, exchange: Exchange, moved: tuple[int, int]) -> None:
        with exchange.look() as session:
            before = content(session)
        exchange.run()

        exchange.act(cancel, "b", side_id=exchange.side("b").id)

        with exchange.look() as session:
            assert content(session) == before

    def test_only_copies_select_into_a_table(self) -> None:
        for path in CPRO.rglob("*.py"):
            # Rows that an import prepared aside are inserted by `core.staging`, which stamps the school of the session.
            if path.relative_to(CPRO).as_posix() not in ("transfers/copies.py", "core/staging.py"):
                assert "from_select" not in path.read_text(), f"{path}: an INSERT … SELECT is the copy's alone"

    def test_only_few_modules_hold_all_schools_and_pupils_records(self) -> None:
        for path in CPRO.rglob("*.py"):
            source = path.read_text()
            if re.search(r"platform_(session|unit_of_work)\(", source) and "cpro.records" in source:
                name = path.relative_to(CPRO).as_posix()
                assert name in _BOTH, f"{name}: why does it open all schools, and read or write records?"


class TestSessionOfASchool:
    """What a careless feature could write in a school's session."""

    def test_session_of_a_school_copies_nothing_towards_another(
        self, exchange: Exchange, moved: tuple[int, int]
    ) -> None:
        columns = [column.name for column in Fiche.__table__.columns if column.name != "id"]
        values = [
            literal(exchange.ids["b"]) if name == "establishment_id" else Fiche.__table__.columns[name]
            for name in columns
        ]
        with exchange.at("a") as session, pytest.raises(TenancyError), unit_of_work():
            session.execute(insert(Fiche).from_select(columns, select(*values)))

    def test_session_of_a_school_hands_no_record_to_another(self, exchange: Exchange, moved: tuple[int, int]) -> None:
        with exchange.at("a") as session, pytest.raises(TenancyError), unit_of_work():
            session.execute(update(Fiche).values(establishment_id=exchange.ids["b"]))

    def test_session_of_a_school_sees_no_row_of_the_platform_and_of_others(
        self, exchange: Exchange, moved: tuple[int, int]
    ) -> None:
        exchange.run()
        with exchange.at("a") as session:
            assert session.scalars(select(Transfer)).all() == []
            assert session.scalars(select(SchoolPair)).all() == []
            assert [side.establishment_id for side in session.scalars(select(TransferSide))] == [exchange.ids["a"]]
            assert session.get(TransferSide, exchange.side("b").id) is None

    def test_session_of_a_school_is_held_by_postgresql_too(self, exchange: Exchange, moved: tuple[int, int]) -> None:
        exchange.run()
        copy = text(
            "INSERT INTO fiche (establishment_id, student_id, origin_uid, author_label, created_at, changed_at, "
            "origin_school, title, place, place_name, starts_on, ends_on, tasks, state, validated_by_label) "
            "SELECT :school, :pupil, 'stolen', author_label, created_at, changed_at, origin_school, title, place, "
            "place_name, starts_on, ends_on, tasks, state, validated_by_label FROM fiche LIMIT 1"
        )
        with exchange.at("a") as session:
            if db.engine.dialect.name != "postgresql":
                pytest.skip("row-level security is PostgreSQL's; .ci/run runs this suite there too")
            assert session.connection().execute(text("SELECT count(*) FROM transfer")).scalar() == 0
            assert session.connection().execute(text("SELECT count(*) FROM transfer_side")).scalar() == 1
            with pytest.raises(DBAPIError, match="row-level security"):
                session.connection().execute(copy, {"school": exchange.ids["b"], "pupil": moved[1]})


def test_transfer_leaves_no_content_in_the_journal_nor_in_the_sides(exchange: Exchange, moved: tuple[int, int]) -> None:
    exchange.run()
    exchange.act(cancel, "b", side_id=exchange.side("b").id)

    with exchange.look() as session:
        recorded = [
            f"{entry.object_label} {entry.changes} {entry.actor_label}" for entry in session.scalars(select(AuditEntry))
        ]
        sides = [
            " ".join(str(getattr(side, column.key)) for column in TransferSide.__mapper__.column_attrs)
            for side in session.scalars(select(TransferSide))
        ]
        assert session.scalar(select(func.count(AuditEntry.id)))
    for secret in ("Câbl", "Bon trimestre", "Analyser"):
        assert secret not in "".join(recorded + sides)


class TestJournalNames:
    """What the other school's journal never holds: who acted here, and from where."""

    @pytest.mark.parametrize("asking", ["a", "b"])
    def test_run_names_people_to_their_own_school_alone(
        self, exchange: Exchange, moved: tuple[int, int], asking: str
    ) -> None:
        exchange.run(asking)

        own, other = ("transfer:sent", "transfer:received")[:: 1 if asking == "a" else -1]
        assert self.actors_of(exchange, own) == [(f"Chef de {asking}", f"192.0.2.{ord(asking)}")]
        assert self.actors_of(exchange, other) == [("Le transfert automatique", "")]

    def test_decision_names_people_to_their_own_school_alone(self, exchange: Exchange, moved: tuple[int, int]) -> None:
        exchange.run()

        exchange.act(cancel, "b", side_id=exchange.side("b").id)

        (first, second) = sorted(self.actors_of(exchange, "transfer:cancelled"))
        assert first == ("Chef de b", f"192.0.2.{ord('b')}")
        assert second[0] == "Lycée beta (0999002X)" and second[1] == ""

    def actors_of(self, exchange: Exchange, action: str) -> list[tuple[str, str]]:
        """Return who the journals name for an action, and from where."""
        with exchange.look() as session:
            lines = session.scalars(select(AuditEntry).where(AuditEntry.action == action))
            return [(line.actor_label, line.origin) for line in lines]

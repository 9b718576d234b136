"""Copy pupils' records between schools: the only statements that read one school's content and write another's.

Each is one INSERT … SELECT over all the given transfers, in a platform session with an open unit of work. It writes to
the destination school alone; a record already there (same `origin_uid`) is left unchanged.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, and_, bindparam, case, func, literal, null, or_, select
from sqlalchemy import Table as SQLTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from cpro.competences.models import Competence
from cpro.establishments.models import Establishment
from cpro.records.models import KINDS, Bilan, Evaluation, Fiche, FicheState
from cpro.students.models import Diploma
from cpro.transfers.models import Direction, Transfer, TransferSide

Kind = type[Fiche] | type[Bilan] | type[Evaluation]


@dataclass(frozen=True)
class CopiedRecords:
    """How many records of each kind a transfer copied."""

    fiches: int = 0
    bilans: int = 0
    evaluations: int = 0

    @property
    def total(self) -> int:
        """Return the total number of records."""
        return self.fiches + self.bilans + self.evaluations

    def __add__(self, other: CopiedRecords) -> CopiedRecords:
        return CopiedRecords(
            self.fiches + other.fiches, self.bilans + other.bilans, self.evaluations + other.evaluations
        )


NAMES: dict[Kind, str] = {Fiche: "fiches", Bilan: "bilans", Evaluation: "evaluations"}


def copy_records(session: Session, transfer_ids: Collection[int]) -> None:
    """Copy the missing records of some transfers into the destination schools, kind by kind, fiches first.

    A copy keeps its origin (school, dates, authors' names, `origin_uid`) and loses its links to people and scenarios.
    Only validated fiches are copied: a draft belongs to the pupil, and could not be finished in the other school.
    """
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    for kind in KINDS:
        session.execute(_statement(kind, on_postgresql=on_postgresql), {"transfer_ids": list(transfer_ids)})


@cache
def _statement(kind: Kind, *, on_postgresql: bool) -> Executable:
    """Return the statement that copies one kind of record; cached, since a run sends it hundreds of times."""
    table = kind.__table__
    assert isinstance(table, SQLTable)
    values = _values(kind)
    insert = postgresql.insert if on_postgresql else sqlite.insert
    return (
        insert(table)
        .from_select(list(values), _rows_to_copy(kind, values), include_defaults=False)
        .on_conflict_do_nothing()
    )


def count_copied(session: Session, side_ids: Collection[int]) -> dict[int, CopiedRecords]:
    """Count the copies in destination schools by reception, {id of the destination side: figures}."""
    schools = select(TransferSide.establishment_id).where(TransferSide.id.in_(side_ids)).distinct()
    establishment_ids = session.scalars(schools).all()
    found: dict[int, CopiedRecords] = {}
    for kind, name in NAMES.items():
        rows = session.execute(
            select(kind.received_in, func.count())
            .where(kind.establishment_id.in_(establishment_ids), kind.received_in.in_(side_ids))
            .group_by(kind.received_in)
        )
        for side_id, count in rows:
            if side_id is not None:
                found[side_id] = found.get(side_id, CopiedRecords()) + CopiedRecords(**{name: count})
    return found


_Target = aliased(Fiche)
_National = aliased(Competence)


def _values(kind: Kind) -> dict[str, ColumnElement[Any]]:
    """Return the value of each column of a copy, {column name: expression}."""
    mapper = kind.__mapper__
    values: dict[str, ColumnElement[Any]] = {
        column.name: getattr(kind, mapper.get_property_by_column(column).key)
        for column in mapper.local_table.columns
        if column.name != "id"
    }
    values |= {
        "establishment_id": Transfer.destination_id.expression,
        "student_id": Transfer.destination_student_id.expression,
        "author_id": null(),
        "received_in": TransferSide.id.expression,
        "origin_school": case((kind.origin_school != "", kind.origin_school), else_=_school_label()),
    }
    if kind is Evaluation:
        values |= {"scenario_id": null(), "competence_id": _competence(), "fiche_uid": _Target.origin_uid.expression}
    return values


def _rows_to_copy(kind: Kind, values: dict[str, ColumnElement[Any]]) -> Select[Any]:
    found = (
        select(*values.values())
        .select_from(Transfer)
        .join(
            TransferSide,
            and_(TransferSide.transfer_id == Transfer.id, TransferSide.direction == Direction.DESTINATION),
        )
        .join(Establishment, Establishment.id == Transfer.source_id)
        .join(kind, and_(kind.establishment_id == Transfer.source_id, kind.student_id == Transfer.source_student_id))
        .where(Transfer.id.in_(bindparam("transfer_ids", expanding=True)))
        # Two schools may hold one record: the one it was written in gives it, else the first transfer.
        .order_by(kind.origin_school != "", Transfer.id)
    )
    if kind is Fiche:
        return found.where(Fiche.state == FicheState.VALIDATED)
    if kind is Evaluation:
        # Refer to the fiche only if it was copied: one that was not validated was left behind.
        return found.outerjoin(
            _Target,
            and_(
                _Target.establishment_id == Transfer.destination_id,
                _Target.student_id == Transfer.destination_student_id,
                _Target.origin_uid == Evaluation.fiche_uid,
            ),
        ).outerjoin(_National, and_(_National.id == Evaluation.competence_id, _National.establishment_id.is_(None)))
    return found


def _school_label() -> ColumnElement[str]:
    """Return the name and UAI of the source school, as a copy records its origin."""
    name, uai = Establishment.name, Establishment.uai
    return case(
        (uai.is_(None), name),
        (name == "", uai),
        else_=name + literal(" (") + uai + literal(")"),
    )


def _competence() -> ColumnElement[int | None]:
    """Return the competence in the destination school: the national one, or its own with the same diploma and code."""
    own = aliased(Competence)
    diploma = aliased(Diploma)
    same_code = (
        select(own.id)
        .join(diploma, diploma.id == own.diploma_id)
        .where(
            own.code == Evaluation.competence_code,
            diploma.code == Evaluation.diploma_code,
            or_(own.establishment_id.is_(None), own.establishment_id == Transfer.destination_id),
            or_(diploma.establishment_id.is_(None), diploma.establishment_id == Transfer.destination_id),
        )
        .order_by(own.establishment_id.is_(None), own.id)
        .limit(1)
        .correlate(Evaluation, Transfer)
        .scalar_subquery()
    )
    return case((_National.id.is_not(None), _National.id), else_=same_code)

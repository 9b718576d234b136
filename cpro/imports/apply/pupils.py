"""Create and correct pupils in bulk, and undo it: staged in temporary tables, written by one statement each.

A correction compares before it sets: a pupil who no longer has the old values is left alone, and not counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Integer, Row, String, Table, func, literal, or_, select

from cpro.core.among import is_among
from cpro.core.formatting import of_name, spoken_name
from cpro.core.staging import Staging
from cpro.extensions import db
from cpro.imports.changes import Changes, backwards, new_values
from cpro.imports.errors import WorkedOn
from cpro.imports.models import CORRECTING, ChangeAction, ImportChange, ImportRun
from cpro.imports.queries import list_division_ids, list_selected, list_selected_ids
from cpro.records.queries import list_students_with_records
from cpro.students.models import Division, Student, make_search_key
from cpro.users.models import Account

_COPIED = (
    "last_name",
    "usage_name",
    "first_name",
    "birth_date",
    "ine",
    "siecle_id",
    "local_id",
    "came_by",
    "mef_code",
    "search_key",
)
_NAMES_IN_ORDER = ("last_name", "first_name", "usage_name")
_NAMES = frozenset(_NAMES_IN_ORDER)
#: The fields by which pupils of two schools are matched.
_MATCHING_FIELDS = frozenset({"ine", "is_active", "last_name", "usage_name", "first_name", "birth_date", "came_by"})
#: The code that identifies a division, in the columns of a temporary table.
_CODE = Division.code.type

Heartbeat = Callable[[], None]


# --- Creation ------------------------------------------------------------------------------------------------------


@dataclass
class Created:
    """The pupils that an import creates, in a temporary table."""

    table: Table
    count: int = 0


def new_pupils(staged: Staging) -> Created:
    """Return an empty table of pupils to create."""
    kinds = {name: Student.__table__.c[name].type for name in _COPIED}
    return Created(
        staged.table("pupils", id=Integer(), change_id=Integer(), account=Integer(), division=_CODE, **kinds)
    )


def stage_created(
    staged: Staging,
    created: Created,
    run: ImportRun,
    *,
    account_for: Callable[[Mapping[str, Any]], int | None],
    heartbeat: Heartbeat,
) -> None:
    """Stage the pupils that an import creates; `account_for` reserves the account of one, or returns None."""
    for page in list_selected(run.id, "student", ChangeAction.CREATE):
        heartbeat()
        ids = staged.reserve_ids(Student, len(page))
        rows = []
        for change, id_ in zip(page, ids, strict=True):
            row = _new_pupil(change)
            rows.append(row | {"id": id_, "change_id": change.id, "account": account_for(row)})
        created.count += staged.fill(created.table, rows)


def _new_pupil(change: Row[Any]) -> dict[str, Any]:
    values = new_values(change.changes)
    usage_name = values.get("usage_name", "")
    return {
        "last_name": values["last_name"],
        "usage_name": usage_name,
        "first_name": values["first_name"],
        "birth_date": values.get("birth_date"),
        "ine": values.get("ine"),
        "siecle_id": values.get("siecle_id"),
        "local_id": values.get("local_id"),
        "came_by": values["came_by"],
        "mef_code": values.get("mef_code", ""),
        "search_key": make_search_key(values["last_name"], values["first_name"], usage_name),
        "division": values["division"],
    }


def insert_created(staged: Staging, created: Created, *, now: dt.datetime) -> bool:
    """Insert the staged pupils and record their ids in the changes; return whether all could be inserted.

    The accounts opened with them must be inserted before.
    """
    if not created.count:
        return True
    pupils, divisions = created.table.c, Division.__table__
    written = staged.insert(
        Student,
        select(
            (pupils.id + staged.base(Student)).label("id"),
            *(pupils[name] for name in _COPIED),
            divisions.c.id.label("division_id"),
            (pupils.account + staged.base(Account)).label("account_id"),
            literal(True).label("is_active"),
            literal(now, Student.__table__.c.created_at.type).label("created_at"),
        )
        .join_from(
            created.table,
            divisions,
            (divisions.c.establishment_id == staged.school) & (divisions.c.code == pupils.division),
        )
        .order_by(pupils.id),
    )
    noted = staged.update(
        ImportChange,
        ImportChange.__table__.c.id == pupils.change_id,
        {"object_id": pupils.id + staged.base(Student)},
    )
    return written == noted == created.count


# --- Creation, undone ------------------------------------------------------------------------------------------------


@dataclass
class Going:
    """The pupils that an import created and that are deleted with it: their ids, in a temporary table too."""

    table: Table
    ids: list[int] = field(default_factory=list)


def stage_going(staged: Staging, run: ImportRun, *, account_ids: Set[int], heartbeat: Heartbeat) -> Going:
    """Stage the deletion of the pupils created, whose own accounts are among `account_ids`. Raises `WorkedOn`."""
    going, by_code = Going(staged.table("pupils", id=Integer())), list_division_ids()
    for page in list_selected(run.id, "student", ChangeAction.CREATE):
        heartbeat()
        _check_unchanged(page, by_code, account_ids)
        ids = [change.object_id for change in page]
        going.ids += ids
        staged.fill(going.table, ({"id": id_} for id_ in ids))
    return going


def delete_created(staged: Staging, going: Going, accounts: Table) -> None:
    """Delete the staged pupils; `accounts` contains the ids of the accounts deleted too. Raises `WorkedOn`."""
    students = Student.__table__.c
    has_no_other_account = or_(students.account_id.is_(None), students.account_id.in_(select(accounts.c.id)))
    if staged.delete(Student, going.table, students.is_active, has_no_other_account) != len(going.ids):
        raise WorkedOn("un élève", "a été modifié depuis")


def _check_unchanged(page: Sequence[Row[Any]], by_code: Mapping[str, int], account_ids: Set[int]) -> None:
    """Raise `WorkedOn` if a pupil that the import created has changed, except for an account that is deleted too."""
    for student, is_unchanged in _compare(page, by_code):
        has_own_account = student.account_id is not None and student.account_id not in account_ids
        if not (is_unchanged and student.is_active) or has_own_account:
            raise _changed_since(student)
    ids = [change.object_id for change in page]
    if db.session.scalar(select(Student.id).where(is_among(Student.merged_into_id, ids)).limit(1)) is not None:
        raise WorkedOn("un élève qu’il a apporté", "a reçu depuis ce que tenait un doublon")


def _compare(page: Sequence[Row[Any]], by_code: Mapping[str, int]) -> Iterator[tuple[Student, bool]]:
    """Yield the pupils of a page, and whether they still have what the import wrote. Raises `WorkedOn`."""
    ids = [change.object_id for change in page]
    students = {student.id: student for student in db.session.scalars(select(Student).where(is_among(Student.id, ids)))}
    for change in page:
        student = students.get(change.object_id)
        if student is None:
            raise WorkedOn("un élève", "n’existe plus")
        fields = new_values(change.changes)
        if "division" in fields:
            fields["division_id"] = by_code.get(fields.pop("division"))
        yield student, all(getattr(student, name) == value for name, value in fields.items())
    for student in students.values():
        db.session.expunge(student)


def _changed_since(student: Student) -> WorkedOn:
    return WorkedOn(f"le dossier {of_name(spoken_name(student.first_name, student.last_name))}", "a changé depuis")


def refuse_records(run: ImportRun) -> None:
    """Raise `WorkedOn` if there are records of a pupil that the import created or reactivated."""
    refuse_records_of_reactivated(run)
    for ids in list_selected_ids(run.id, "student", ChangeAction.CREATE):
        _refuse_written_about(ids)


def refuse_records_of_reactivated(run: ImportRun) -> None:
    """Raise `WorkedOn` if there are new records of a pupil that the import reactivated."""
    for ids in list_selected_ids(run.id, "student", ChangeAction.REACTIVATE):
        _refuse_written_about(ids, since=run.applied_at)


def _refuse_written_about(ids: Sequence[int], *, since: dt.datetime | None = None) -> None:
    """Raise `WorkedOn` if one of the pupils has a fiche, an évaluation or a bilan.

    The message names no pupil: the person who undoes an import may not be allowed to know whose records there are.
    """
    if list_students_with_records(ids, since=since):
        raise WorkedOn("un élève qu’il a apporté", "a depuis des fiches, des évaluations ou des bilans")


# --- Correction, and back ------------------------------------------------------------------------------------------


@dataclass
class Corrected:
    """The pupils that an import corrects, by the fields that change: a temporary table for each set of fields."""

    tables: dict[tuple[str, ...], Table] = field(default_factory=dict)
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)


def stage_corrected(staged: Staging, run: ImportRun, *, heartbeat: Heartbeat, is_undone: bool = False) -> Corrected:
    """Stage the new values of pupils, or their old ones when the import is undone."""
    corrected, by_code = Corrected(), list_division_ids()
    for page in list_selected(run.id, "student", *CORRECTING):
        heartbeat()
        names = _names_of(page)
        by_fields: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for change in page:
            pairs = backwards(change.changes) if is_undone else change.changes
            row = {"id": change.object_id} | _columns_of(pairs, by_code)
            if _NAMES & pairs.keys():
                row["search_key"] = _search_key_of(names.get(change.object_id), pairs)
            by_fields.setdefault((*sorted(pairs),), []).append(row)
        for fields, rows in by_fields.items():
            if fields not in corrected.tables:
                corrected.tables[fields] = staged.table("corrections", **_shape(fields))
            corrected.counts[fields] = corrected.counts.get(fields, 0) + staged.fill(corrected.tables[fields], rows)
    return corrected


def check_still_corrected(run: ImportRun, *, heartbeat: Heartbeat) -> None:
    """Raise `WorkedOn`, with the name, if a pupil whom the import corrected has changed since, or been merged."""
    by_code = list_division_ids()
    for page in list_selected(run.id, "student", *CORRECTING):
        heartbeat()
        for student, is_unchanged in _compare(page, by_code):
            if not is_unchanged or student.merged_into_id is not None:
                raise _changed_since(student)


def write_corrected(staged: Staging, corrected: Corrected) -> bool:
    """Write the staged corrections; return whether every pupil still had the expected values."""
    return all(
        _write_corrections(staged, fields, table) == corrected.counts[fields]
        for fields, table in corrected.tables.items()
    )


def list_matched(run: ImportRun) -> list[int]:
    """Return the pupils whose presence or identity the import changed, by id."""
    return [
        change.object_id
        for page in list_selected(run.id, "student", *CORRECTING)
        for change in page
        if _MATCHING_FIELDS & change.changes.keys()
    ]


def _write_corrections(staged: Staging, fields: tuple[str, ...], table: Table) -> int:
    values: dict[str, Any] = {}
    same: dict[str, Any] = {}
    for name in fields:
        if name == "division":
            same["division_id"] = table.c.old_division
            # A division created by the same import has no id until it is written: it is found by its code then.
            values["division_id"] = func.coalesce(
                table.c.new_division, staged.id_of_code(Division, table.c.division_code)
            )
        else:
            column = Student.__mapper__.columns[name].name
            same[column], values[column] = table.c[f"old_{name}"], table.c[f"new_{name}"]
    if "search_key" in table.c:
        values["search_key"] = table.c.search_key
    return staged.update(Student, Student.__table__.c.id == table.c.id, values, same)


def _shape(fields: Iterable[str]) -> dict[str, Any]:
    """Return the columns of the corrections of some fields."""
    shape: dict[str, Any] = {"id": Integer()}
    for name in fields:
        if name == "division":
            shape |= {"old_division": Integer(), "new_division": Integer(), "division_code": _CODE}
        else:
            kind = getattr(Student, name).type
            shape |= {f"old_{name}": kind, f"new_{name}": kind}
    if _NAMES & set(fields):
        shape["search_key"] = String()
    return shape


def _columns_of(pairs: Changes, by_code: Mapping[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, (old, new) in pairs.items():
        if name == "division":
            row |= {"old_division": by_code.get(old), "new_division": by_code.get(new)}
            row["division_code"] = None if new in by_code else new or None
        else:
            row |= {f"old_{name}": old, f"new_{name}": new}
    return row


def _names_of(page: Sequence[Row[Any]]) -> dict[int, Any]:
    """Return the current names of the pupils of a page whose names change, by id."""
    ids = [change.object_id for change in page if _NAMES & change.changes.keys()]
    if not ids:
        return {}
    columns = (Student.id, Student.last_name, Student.first_name, Student.usage_name)
    return {row.id: row for row in db.session.execute(select(*columns).where(is_among(Student.id, ids)))}


def _search_key_of(now: Any, pairs: Changes) -> str:
    """Return the search key of a pupil whose name changes; any key will do for a deleted pupil, whose row is gone."""
    names = (pairs[name].new if name in pairs else getattr(now, name, "") for name in _NAMES_IN_ORDER)
    last_name, first_name, usage_name = names
    return make_search_key(last_name, first_name, usage_name)

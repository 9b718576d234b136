"""Courses (MEF) and divisions: created and corrected; deleted and restored when undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Row, Table, select, update

from cpro.core.among import is_among
from cpro.core.bulk_writes import bulk_insert
from cpro.core.staging import Staging
from cpro.extensions import db
from cpro.imports.changes import backwards, new_values, set_fields
from cpro.imports.errors import AnalysisOutdated, WorkedOn
from cpro.imports.models import ChangeAction, ImportChange, ImportRun
from cpro.imports.queries import list_selected
from cpro.students.models import MEF, Division

#: Courses are created first, and deleted last, after their divisions.
_MODELS: dict[str, tuple[type[Any], str]] = {"mef": (MEF, "une formation"), "division": (Division, "une division")}

#: {type of the objects: the ids to delete, in a temporary table, and how many}
Going = dict[str, tuple[Table, int]]


# --- Apply ---------------------------------------------------------------------------------------------------------


def write_structure(run: ImportRun) -> None:
    """Create and correct courses and divisions. Raises `AnalysisOutdated`."""
    for object_type, (model, _noun) in _MODELS.items():
        for page in list_selected(run.id, object_type, ChangeAction.CREATE):
            bulk_insert(db.session(), model, (new_values(change.changes) for change in page))
        _note_who_was_created(run, object_type, model)
        for page in list_selected(run.id, object_type, ChangeAction.CHANGE):
            for change in page:
                row = db.session.get(model, change.object_id)
                if row is None:
                    raise AnalysisOutdated
                set_fields(row, change.changes, otherwise=AnalysisOutdated())
    db.session.flush()


def _note_who_was_created(run: ImportRun, object_type: str, model: type[Any]) -> None:
    """Record in the changes the ids of the objects they created, found by their code."""
    created = (
        select(model.id)
        .where(model.establishment_id == ImportChange.establishment_id, model.code == ImportChange.object_key)
        .scalar_subquery()
    )
    db.session.execute(
        update(ImportChange)
        .where(
            ImportChange.run_id == run.id,
            ImportChange.object_type == object_type,
            ImportChange.action == ChangeAction.CREATE,
        )
        .values(object_id=created),
        execution_options={"synchronize_session": False},
    )


# --- Undo ----------------------------------------------------------------------------------------------------------


def stage_going(staged: Staging, run: ImportRun) -> Going:
    """Stage the deletion of what the import created. Raises `WorkedOn`."""
    going: Going = {}
    for object_type in reversed(_MODELS):
        table, count = staged.table(object_type, id=Integer()), 0
        for page in list_selected(run.id, object_type, ChangeAction.CREATE):
            _check_unchanged(page, *_MODELS[object_type])
            count += staged.fill(table, ({"id": change.object_id} for change in page))
        going[object_type] = (table, count)
    return going


def undo_structure(staged: Staging, run: ImportRun, going: Going) -> None:
    """Restore the old values of divisions and courses, and delete those created. Raises `WorkedOn`."""
    for object_type, (table, count) in going.items():
        model, noun = _MODELS[object_type]
        for page in list_selected(run.id, object_type, ChangeAction.CHANGE):
            for change in page:
                row = db.session.get(model, change.object_id)
                if row is None:
                    raise WorkedOn(noun, "n’existe plus")
                otherwise = WorkedOn(f"« {row.code} »", "a été modifié depuis")
                set_fields(row, backwards(change.changes), otherwise=otherwise)
        db.session.flush()
        if staged.delete(model, table) != count:
            raise WorkedOn(noun, "n’existe plus")


def _check_unchanged(page: Sequence[Row[Any]], model: type[Any], noun: str) -> None:
    """Raise `WorkedOn` if one of the divisions or courses that the import created has changed since."""
    wanted = select(model).where(is_among(model.id, [change.object_id for change in page]))
    rows = {row.id: row for row in db.session.scalars(wanted)}
    for change in page:
        row = rows.get(change.object_id)
        if row is None:
            raise WorkedOn(noun, "n’existe plus")
        if any(getattr(row, name) != value for name, value in new_values(change.changes).items()):
            raise WorkedOn(f"« {row.code} »", "a été modifié depuis")
    for row in rows.values():
        db.session.expunge(row)

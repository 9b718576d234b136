"""Page through the changes of an import and set their values, for applying and undoing alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from cpro.extensions import db
from cpro.imports.models import ChangeAction, ImportChange
from cpro.students.models import Division, TeacherDivision

_PAGE = 2000
#: The fields of a pupil that are days, which changes keep as text.
_DATES = frozenset({"birth_date", "left_on"})


def list_changes(run_id: int, object_type: str, *actions: ChangeAction) -> Iterator[Sequence[Row[Any]]]:
    """Yield the selected changes of an import (id, object_id, changes), a page at a time, action by action."""
    for action in actions:
        yield from _pages(run_id, object_type, action, ImportChange.object_id, ImportChange.changes)


def list_object_ids(run_id: int, object_type: str, action: ChangeAction) -> Iterator[list[int]]:
    """Yield the ids of the objects of the selected changes of one action, a page at a time, without what they hold."""
    for page in _pages(run_id, object_type, action, ImportChange.object_id):
        yield [change.object_id for change in page if change.object_id is not None]


def _pages(run_id: int, object_type: str, action: ChangeAction, *columns: Any) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while page := db.session.execute(
        select(ImportChange.id, *columns)
        .where(
            ImportChange.run_id == run_id,
            ImportChange.object_type == object_type,
            ImportChange.action_value == action.value,
            ImportChange.is_selected,
            ImportChange.id > after,
        )
        .order_by(ImportChange.id)
        .limit(_PAGE)
    ).all():
        after = page[-1].id
        yield page


def set_fields(
    row: Any, changes: Mapping[str, Sequence[Any]], *, direction: str, mismatch: Callable[[], Exception]
) -> None:
    """Set the new values of changes ("forth"), or the old ones ("back"), on a row that has the others.

    Raises `mismatch()` when somebody changed one meanwhile.
    """
    for name, value in values_to_set(row, changes, direction=direction, mismatch=mismatch).items():
        setattr(row, name, value)


def values_to_set(
    row: Any, changes: Mapping[str, Sequence[Any]], *, direction: str, mismatch: Callable[[], Exception]
) -> dict[str, Any]:
    """Return what `set_fields` would set on a row, which may be a plain one; raises as it does."""
    values: dict[str, Any] = {}
    for name, (old, new) in changes.items():
        expected, wanted = (old, new) if direction == "forth" else (new, old)
        if plain(getattr(row, name)) != expected:
            raise mismatch()
        values[name] = stored(name, wanted)
    return values


def stored(name: str, value: Any) -> Any:
    """Return a value of a change as the column of that name holds it."""
    return dt.date.fromisoformat(value) if name in _DATES and value else value


def plain(value: Any) -> Any:
    """Return a value as changes keep it."""
    return value.isoformat() if isinstance(value, dt.date) else value


def division_ids() -> dict[str, int]:
    """Return the school's divisions, {code: id}."""
    return {code: id_ for code, id_ in db.session.execute(select(Division.code, Division.id))}


def set_divisions(
    given: Mapping[int | None, Sequence[Sequence[str]]], by_code: Mapping[str, int], mismatch: Callable[[], Exception]
) -> None:
    """Give teachers their divisions, {account's id: (codes they have, codes they are given)}.

    Raises `mismatch()` when one does not have those of the change.
    """
    stored: dict[int, dict[int, TeacherDivision]] = {}
    ids = [id_ for id_ in given if id_ is not None]
    for row in db.session.scalars(select(TeacherDivision).where(TeacherDivision.account_id.in_(ids))) if ids else ():
        stored.setdefault(row.account_id, {})[row.division_id] = row
    for account_id, (old, new) in given.items():
        have = stored.get(account_id or 0, {})
        if have.keys() != {by_code.get(code) for code in old}:
            raise mismatch()
        wanted = {by_code[code] for code in new if code in by_code}
        for division_id in sorted(wanted - have.keys()):
            db.session.add(TeacherDivision(account_id=account_id, division_id=division_id))
        for division_id in have.keys() - wanted:
            db.session.delete(have[division_id])
    db.session.flush()

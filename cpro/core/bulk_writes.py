"""Write many rows of one model in one statement, within the scope of the session (`core.tenancy`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cpro.core.tenancy import BULK, Owned, Scope, Shared, TenancyError, refuse_writing, scope_of

_IDS_AT_ONCE = 1000


def bulk_insert(session: Session, model: type[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert many rows of one model at once, each stamped with the session's school.

    Raises `TenancyError`, before sending anything, for a row of another school or a read-only session.
    """
    scope = scope_of(session)
    refuse_writing(scope)
    stamped = [_stamped(model, dict(row), scope) for row in rows]
    if stamped:
        session.execute(insert(model), stamped, execution_options={BULK: True})


def bulk_update(session: Session, model: type[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Update many rows of one model at once, each given as its `id` and its new values; no listener is called.

    Raises `TenancyError`, before sending anything, for a row that is not the school's own or a read-only session.
    """
    scope = scope_of(session)
    refuse_writing(scope)
    corrected = [dict(row) for row in rows]
    if any("establishment_id" in row for row in corrected):
        raise TenancyError(f"a row of {model.__name__} stays in its school")
    if not scope.is_platform:
        ids = [row["id"] for row in corrected]
        for start in range(0, len(ids), _IDS_AT_ONCE):
            _refuse_others(session, model, set(ids[start : start + _IDS_AT_ONCE]), scope)
    if corrected:
        session.execute(update(model), corrected, execution_options={BULK: True})


def _refuse_others(session: Session, model: type[Any], ids: set[int], scope: Scope) -> None:
    own = select(func.count(model.id)).where(model.id.in_(ids), model.establishment_id == scope.establishment_id)
    if session.scalar(own) != len(ids):
        raise TenancyError(f"a row of {model.__name__} is another school's, or national, or gone")


def _stamped(model: type[Any], row: dict[str, Any], scope: Scope) -> dict[str, Any]:
    if scope.is_platform:
        return row
    if not issubclass(model, Owned | Shared):
        raise TenancyError(f"{model.__name__} is not a table of a school")
    if row.setdefault("establishment_id", scope.establishment_id) != scope.establishment_id:
        raise TenancyError(f"a row of {model.__name__} names another school")
    return row

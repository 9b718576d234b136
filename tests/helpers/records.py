"""Content of the database, all schools together: to check that a refusal wrote nothing, and what an action did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import db
from tests.helpers import lock_order

#: Tables that signing in and browsing change by themselves; the head of the journal's chain follows its lines, and the
#: words of searches follow names.
_VOLATILE = {"audit_head", "search_word", "sign_in", "failure_counter", "parked_form", "shown_error"}
#: Journal lines about a page view or a refused page: they are added without any other change.
_LOOKS = ("access:refused", "record:opened", "page:opened", "list:")

Rows = dict[str, list[dict[str, Any]]]


class Watch:
    """Changes in the database during a block."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.lines: list[dict[str, Any]] = []

    @property
    def line(self) -> dict[str, Any]:
        """Return the only new line of the journal."""
        assert len(self.lines) == 1, [each["action"] for each in self.lines]
        return self.lines[0]


@contextmanager
def watching(app: Flask) -> Iterator[Watch]:
    """Compare every table before and after the block: `changed` names the tables, `lines` the new journal lines.

    A page view or a refused page, recorded in the journal, does not count as a change.
    """
    watch, before = Watch(), everything(app)
    yield watch
    after = everything(app)
    new = after["audit_entry"][len(before["audit_entry"]) :]
    watch.lines = [line for line in new if not line["action"].startswith(_LOOKS)]
    watch.changed = {name for name in after if after[name] != before[name]}
    earlier = after["audit_entry"][: len(before["audit_entry"])]
    if earlier == before["audit_entry"] and not watch.lines:
        watch.changed.discard("audit_entry")


@contextmanager
def nothing_written(app: Flask) -> Iterator[None]:
    """Fail if the block changed anything, the journal included."""
    with watching(app) as watch:
        yield
    assert watch.changed == set()


def school_row(app: Flask, school_id: int) -> dict[str, Any]:
    """Return the columns of a school."""
    return next(row for row in everything(app)["establishment"] if row["id"] == school_id)


def rows(app: Flask, model: Any) -> list[dict[str, Any]]:
    """Return the rows of a table, all schools together, by primary key."""
    return everything(app)[model.__tablename__]


def set_up(app: Flask, change: Callable[[Session], None]) -> None:
    """Set up rows of any school, bypassing the rules."""
    with app.app_context(), platform_unit_of_work("test") as work:
        lock_order.let_pass(work.session)
        change(work.session)


def set_school(app: Flask, school_id: int, **values: Any) -> None:
    """Set columns of a school, bypassing the rules."""

    def change(session: Session) -> None:
        school = session.get_one(Establishment, school_id)
        for name, value in values.items():
            setattr(school, name, value)

    set_up(app, change)


@contextmanager
def failing_journal() -> Iterator[None]:
    """Make every write to the journal fail."""

    def fail(*args: Any) -> None:
        raise RuntimeError("the journal cannot be written")

    db.event.listen(AuditEntry, "before_insert", fail)
    try:
        yield
    finally:
        db.event.remove(AuditEntry, "before_insert", fail)


def everything(app: Flask) -> Rows:
    """Return every row of every table, all schools together; enums as their stored values."""
    with app.app_context(), tenancy.platform_session("test") as session:
        return {
            table.name: [
                {name: getattr(value, "value", value) for name, value in row.items()}
                for row in session.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in db.metadata.sorted_tables
            if table.name not in _VOLATILE
        }

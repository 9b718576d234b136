"""Every sort and filter offered by the lists that grow reads the index made for it, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.search import Searched
from cpro.extensions import db
from tests.factories import NOW, World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.screens import screens

Look = Callable[[], AbstractContextManager[Session]]
#: {table: {what is asked: the index that must be read, under one name or another}}.
INDEXES = {
    "student": {
        "": "ix_student_establishment_id_search_key",
        "tri=name": "ix_student_establishment_id_search_key",
        "situation=presents": "ix_student_is_active",
        "situation=partis": "ix_student_is_active",
        "situation=doublons": "ix_student_merged",
        "ine=sans": "ix_student_without_ine",
        "division=2ALP": "ix_student_division",
        "mef=24725510310": "ix_student_mef_code",
        "recherche=zoe": "search_word",
        "recherche=0000": "ix_student_establishment_id_ine",
    },
    "account": {
        "": "ix_account_search_key",
        "tri=name": "ix_account_search_key",
        "tri=login": "uq_account_login sqlite_autoindex_account_",
        "role=student": "ix_account_role",
        "etat=jamais-active": "ix_account_never",
        "etat=actif": "ix_account_used",
        "etat=desactive": "ix_account_inactive",
        "etat=accord": "ix_account_pending",
        "etat=a-voir": "ix_account_unseen",
        "recherche=zoe": "search_word",
    },
    "audit_entry": {
        "": "ix_audit_entry_establishment_id pk_audit_entry",
        "personne=account:1": "ix_audit_entry_actor",
        "action=account:signed-in": "ix_audit_entry_action",
        "objet=account": "ix_audit_entry_object_type",
        "recherche=zoe": "search_word",
    },
    "transfer_side": {
        "": "ix_transfer_side_changed_at",
        "tri=pupil": "ix_transfer_side_search_key",
        "sens=recus": "ix_transfer_side_direction",
        "etat=done": "ix_transfer_side_state",
        "uai=0999001W": "ix_transfer_side_other_uai",
        "recherche=zoe": "search_word",
    },
}
#: Read otherwise, and why it may be: a school has few of them, or the latest rows are nearly always asked for.
OTHERWISE = {
    "account": {"etat=sans-eleve", "etat=parti", "division="},
    "audit_entry": {"du=", "au="},
    "transfer_side": {"du=", "au="},
}


def line_of(school_id: int, number: int) -> AuditEntry:
    """Return a line of the journal of which a filter keeps one in three."""
    kind = ("account", "student", "mask")[number % 3]
    return AuditEntry(
        establishment_id=school_id,
        at=NOW,
        actor_kind="account",
        actor_id=number % 3,
        actor_label="Alix Granite",
        actor_role="head",
        origin="127.0.0.1",
        action=("account:signed-in", "student:changed", "mask:changed")[number % 3],
        object_type=kind,
        object_id="1",
        object_label="Zoé Agate",
        changes={},
        number=10_000 + number,
    )


@contextmanager
def reading(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements sent while the block runs."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(app: Flask, statement: str, parameters: Any) -> str:
    """Return how the database reads a statement, when it avoids to read all or to sort wherever an index lets it."""
    with app.app_context(), db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            explain = "EXPLAIN"
            connection.execute(text("SELECT set_config('cpro.scope', '1', true)"))
            for means in ("seqscan", "sort", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize"):
                connection.execute(text(f"SET LOCAL enable_{means} = off"))
        lines = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
        connection.rollback()
    return "\n".join(str(line[-1]) for line in lines)


@pytest.mark.parametrize("table", INDEXES)
def test_every_sort_and_filter_reads_its_index(
    app: Flask, as_: Callable[..., Browser], filled: World, arrange: Look, migrated_app: Flask, table: str
) -> None:
    with arrange() as session:
        session.add_all(make_student(filled.a.id, is_active=number % 2 == 0) for number in range(600))
        for school in (filled.a, filled.b):
            session.add_all(line_of(school.id, number) for number in range(600))
        session.add_all(
            make_account(filled.a.id, is_active=number % 3 > 0, activated_at=NOW if number % 3 > 1 else None)
            for number in range(300)
        )
        session.flush()
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ANALYZE student, audit_entry, account"))
    (screen,) = (each for each in screens(migrated_app) if each.model.__tablename__ == table)
    assert issubclass(screen.model, Searched)
    browser = as_("administrator")
    wrong = []

    for asked, index in INDEXES[table].items():
        with reading(app) as sent:
            assert browser.get(f"{screen.url}/?{asked}").status_code == 200
        pages = [each for each in sent if f"FROM {table}" in each[0] and "LIMIT" in each[0] and "count(" in each[0]]
        plan = plan_of(app, *pages[0])
        if not any(name in plan for name in index.split()) or "->  Sort" in plan or "TEMP B-TREE FOR ORDER" in plan:
            wrong.append(f"{asked}: {index}\n{plan}")

    assert not wrong, "\n\n".join(wrong)


def test_every_sort_and_filter_offered_is_tried(migrated_app: Flask, app: Flask, filled: World) -> None:
    for screen in screens(migrated_app):
        table = screen.model.__tablename__
        if table not in INDEXES:
            continue
        tried = {*INDEXES[table], *OTHERWISE.get(table, ())}
        names = {each.partition("=")[0] for each in tried}
        sorts = {f"tri={column.key}" for column in screen.columns if column.sort}
        assert sorts <= tried, table
        assert {each.key for each in screen.filters} <= names, table

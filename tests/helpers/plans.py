"""How a database reads the statements of a page: what is sent, its plan, and the index that each list must read."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from sqlalchemy import text

from cpro.extensions import db

#: {table: {what is asked: the index that must be read, under one name or another}}.
INDEXES = {
    "student": {
        "": "ix_student_establishment_id_search_key",
        "tri=name": "ix_student_establishment_id_search_key",
        "tri=mef_code": "ix_student_mef_code",
        "tri=division": "ix_student_division_sort",
        "tri=birth_date": "ix_student_birth_sort",
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
        "tri=role": "ix_account_role",
        "tri=last_sign_in_at": "ix_account_sign_in_sort",
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
        "tri=at": "ix_audit_entry_establishment_id pk_audit_entry",
        "personne=account:1": "ix_audit_entry_actor",
        "action=account:signed-in": "ix_audit_entry_action",
        "objet=account": "ix_audit_entry_object_type",
        "recherche=zoe": "search_word",
    },
    "transfer_side": {
        "": "ix_transfer_side_changed_at",
        "tri=pupil": "ix_transfer_side_search_key",
        "tri=changed_at": "ix_transfer_side_changed_at",
        "tri=other_uai": "ix_transfer_side_other_uai",
        "sens=recus": "ix_transfer_side_direction",
        "etat=done": "ix_transfer_side_state",
        "uai=0999001W": "ix_transfer_side_other_uai",
        "recherche=zoe": "search_word",
    },
}
#: Read by another index of the school, and why it may be: it has few of them, or the latest rows are nearly always
#: asked for.
OTHERWISE: dict[str, set[str]] = {
    "student": set(),
    "account": {"etat=sans-eleve", "etat=parti", "division=2ALP"},
    "audit_entry": {"du=2026-10-01", "au=2026-10-01"},
    "transfer_side": {"du=2026-10-01", "au=2026-10-01"},
}
#: How plans say that rows are sorted, and that an index is read from a place on: SQLite's, then PostgreSQL's words.
SORTS = re.compile(r"TEMP B-TREE FOR ORDER|->  Sort")
BEGINS = re.compile(r"[<>]\(?\?|Index Cond: .* [<>]=? ")


def read_plan(app: Flask, statement: str, parameters: Any) -> str:
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


def reads_another_index(line: str, table: str, index: str) -> bool:
    """Return whether a line of SQLite's plan finds the rows of a table, or counts them, by an index not made for it."""
    is_by_key = "id=?" in line.replace("establishment_id=?", "")
    return line.startswith(f"SEARCH {table} ") and not is_by_key and not any(name in line for name in index.split())


def page_read(sent: list[tuple[str, Any]], table: str) -> tuple[str, Any]:
    """Return the statement of a list's page among those sent: its rows, and how many there are."""
    return next(each for each in sent if f"FROM {table}" in each[0] and "LIMIT" in each[0] and "count(" in each[0])

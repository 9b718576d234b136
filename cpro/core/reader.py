"""The signed-in person in a statement that is composed once: their values are bound when it is executed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Integer, String, bindparam

from cpro.core.permissions import Principal

READER_ID: BindParameter[int] = bindparam("reader_id", type_=Integer)
READER_KIND: BindParameter[str] = bindparam("reader_kind", type_=String)
#: The person's id, and their kind and id, as the journal writes them.
READER_JOURNAL_ID: BindParameter[str] = bindparam("reader_journal_id", type_=String)
READER_REFERENCE: BindParameter[str] = bindparam("reader_reference", type_=String)


def bind_reader(person: Principal) -> dict[str, Any]:
    """Return the values of a person, to execute a statement that names `READER_…`."""
    return {
        READER_ID.key: person.id,
        READER_KIND.key: person.kind,
        READER_JOURNAL_ID.key: str(person.id),
        READER_REFERENCE.key: f"{person.kind}:{person.id}",
    }

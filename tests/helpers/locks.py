"""Locks taken on a connection unknown to the application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool


@contextmanager
def locked_row(database: str, admin_engine: Engine | None, row: str) -> Iterator[None]:
    """Lock a row of PostgreSQL, `establishment WHERE id = 1`, or the single writer of SQLite."""
    engine = admin_engine or create_engine(database, poolclass=NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if admin_engine is None:
            connection.exec_driver_sql("PRAGMA busy_timeout=30000")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.execute(text(f"SELECT 1 FROM {row} FOR UPDATE"))
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")

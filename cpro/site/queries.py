"""What the site reads of its own: whether the database answers."""

from __future__ import annotations

from sqlalchemy import text

from cpro.core import tenancy


def check_database() -> None:
    """Ask the database for one row of a table of ours. Raises `SQLAlchemyError` when it does not answer."""
    with tenancy.platform_session("health") as session:
        session.execute(text("SELECT 1 FROM establishment LIMIT 1"))

"""An id that the journal names is never given again: SQLite gave those of deleted rows to the next ones.

PostgreSQL's sequences never do.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

#: {table: what the journal calls its rows}
NAMED = {
    "account": ("account",),
    "diploma": ("diploma",),
    "division": ("division",),
    "establishment": ("establishment", "transfers"),
    "import_run": ("import_run",),
    "mandate": ("mandate",),
    "mef": ("mef",),
    "platform_account": ("platform_account",),
    "scenario": ("scenario",),
    "student": ("student", "pupil_records", "passport"),
    "transfer": (),
    "transfer_side": ("transfer",),
}
PLAIN = "id INTEGER NOT NULL"
ONCE = "id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, names in NAMED.items():
        _rebuild(table, PLAIN, ONCE, drop_key=True)
        _begin_after_the_journal(table, names)


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in NAMED:
        _rebuild(table, ONCE, PLAIN, drop_key=False)


def _rebuild(table: str, before: str, after: str, *, drop_key: bool) -> None:
    """Make a table again with another `id`; all else of it is kept as it is written, its indexes and triggers too."""
    connection = op.get_bind()
    made = connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = :table"), {"table": table})
    beside = connection.scalars(
        sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type <> 'table' AND sql IS NOT NULL"),
        {"table": table},
    ).all()
    key = f"CONSTRAINT pk_{table} PRIMARY KEY (id)"
    columns, changed = re.subn(rf"\b{re.escape(before)}", after, made, count=1)
    columns, keys = re.subn(rf",\s*{re.escape(key)}", "", columns) if drop_key else (columns, 1)
    if not drop_key:
        columns = columns[: columns.rindex(")")].rstrip() + f",\n\t{key}\n)"
    if (changed, keys) != (1, 1):
        raise ValueError(f"{table} is not written as expected: {made}")
    aside = re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE aside_{table}", columns)
    op.execute(sa.text(aside.replace(":", r"\:")))
    op.execute(f"INSERT INTO aside_{table} SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE aside_{table} RENAME TO {table}")
    for statement in beside:
        op.execute(sa.text(statement.replace(":", r"\:")))


def _begin_after_the_journal(table: str, names: tuple[str, ...]) -> None:
    """Give no id that the journal names, of a row deleted since."""
    connection = op.get_bind()
    last = connection.scalar(sa.text(f"SELECT coalesce(max(id), 0) FROM {table}"))
    for name in names:
        named = connection.scalar(
            sa.text("SELECT coalesce(max(CAST(object_id AS INTEGER)), 0) FROM audit_entry WHERE object_type = :name"),
            {"name": name},
        )
        last = max(last, named)
    connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
    connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:table, :last)"), {"table": table, "last": last})

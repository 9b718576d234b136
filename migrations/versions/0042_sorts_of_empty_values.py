"""Birth dates and last sign-ins that lists are sorted by: never empty, what is empty stands for the last day there is.

A page of a list is found from a place in an index, which an empty value has not. The database makes these columns:
nothing writes them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

#: (table, column, its type, what it is made of)
COLUMNS = (
    ("student", "birth_sort", sa.Date(), "coalesce(birth_date, '9999-12-31')"),
    (
        "account",
        "sign_in_sort",
        sa.DateTime(timezone=True),
        "coalesce(last_sign_in_at, '9999-12-31 00:00:00.000000')",
    ),
)


def upgrade():
    # SQLite adds no column that it would have to store.
    is_stored = op.get_bind().dialect.name == "postgresql"
    for table, name, kind, made_of in COLUMNS:
        op.add_column(table, sa.Column(name, kind, sa.Computed(made_of, persisted=is_stored), nullable=False))
        op.create_index(f"ix_{table}_{name}", table, ["establishment_id", name, "search_key", "id"])


def downgrade():
    for table, name, _kind, _made_of in reversed(COLUMNS):
        op.drop_index(f"ix_{table}_{name}", table_name=table)
        op.drop_column(table, name)

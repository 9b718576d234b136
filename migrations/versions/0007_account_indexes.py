"""What refers to an account is found by an index: undoing an import deletes thousands of accounts.

Without it, the foreign keys read every pupil and every record of the school once per deleted account.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = {"student": "account_id", "fiche": "author_id", "evaluation": "author_id", "bilan": "author_id"}


def upgrade() -> None:
    for table, column in _COLUMNS.items():
        op.create_index(_name(table, column), table, ["establishment_id", column])


def downgrade() -> None:
    for table, column in _COLUMNS.items():
        op.drop_index(_name(table, column), table_name=table)


def _name(table: str, column: str) -> str:
    return f"ix_{table}_{column.removesuffix('_id')}"

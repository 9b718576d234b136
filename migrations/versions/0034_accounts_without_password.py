"""Who has neither password nor code is counted in an index of those who have no password."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

NAME, WHERE = "ix_account_passwordless", sa.text("password_hash IS NULL")


def upgrade():
    columns = ["establishment_id", "search_key", "id"]
    op.create_index(NAME, "account", columns, postgresql_where=WHERE, sqlite_where=WHERE)


def downgrade():
    op.drop_index(NAME, table_name="account")

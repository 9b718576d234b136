"""The last line of the journal that each account of a school has read among its news."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: it would make the table again on SQLite, without the triggers of its search.
    op.add_column("account", sa.Column("news_read_line", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("account", "news_read_line")

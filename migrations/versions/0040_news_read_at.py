"""Until when each account of a school has read what happened for it."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: it would make the table again on SQLite, without the triggers of its search.
    op.add_column("account", sa.Column("news_read_at", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column("account", "news_read_at")

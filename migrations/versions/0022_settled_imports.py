"""What the same file of pupils finds once its import is applied, and the data for which that holds."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("settled", sa.JSON(), nullable=True))
    op.add_column("import_run", sa.Column("settled_with", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("import_run", "settled_with")
    op.drop_column("import_run", "settled")

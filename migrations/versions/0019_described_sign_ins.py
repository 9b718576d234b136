"""A sign-in says from which browser and which address it was opened: its owner reads it, and ends it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in", sa.Column("device", sa.String(60), nullable=False, server_default=""))
    op.add_column("sign_in", sa.Column("address", sa.String(60), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sign_in", "address")
    op.drop_column("sign_in", "device")

"""Failed sign-ins are forgotten little by little: their count is no whole number any more."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("failure_counter", schema=None) as batch_op:
        batch_op.alter_column("failures", existing_type=sa.Integer(), type_=sa.Float(), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("failure_counter", schema=None) as batch_op:
        batch_op.alter_column("failures", existing_type=sa.Float(), type_=sa.Integer(), existing_nullable=False)

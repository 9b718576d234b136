"""A worker says each minute that it lives, so that a monitor learns that there is none."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"


def upgrade() -> None:
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    op.create_index(op.f("ix_worker_beat_seen_at"), "worker_beat", ["seen_at"])
    if op.get_bind().dialect.name == "postgresql":  # of the platform: no school reads it
        op.execute("ALTER TABLE worker_beat ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE worker_beat FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON worker_beat USING ({IS_PLATFORM}) WITH CHECK ({IS_PLATFORM})")


def downgrade() -> None:
    op.drop_table("worker_beat")

"""The database knows the fingerprint of the server's key: another one is refused at the start."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"


def upgrade() -> None:
    op.create_table(
        "server_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_key")),
    )
    if op.get_bind().dialect.name == "postgresql":  # of the platform: no school reads it
        op.execute("ALTER TABLE server_key ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE server_key FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON server_key USING ({IS_PLATFORM}) WITH CHECK ({IS_PLATFORM})")


def downgrade() -> None:
    op.drop_table("server_key")

"""What error pages showed is kept for thirty days, by the number that people are asked to quote.

An account is found by its address too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"


def upgrade():
    op.create_table(
        "shown_error",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_shown_error")),
    )
    op.create_index(op.f("ix_shown_error_at"), "shown_error", ["at"])
    op.create_index("ix_account_email", "account", ["establishment_id", "email"])
    if op.get_bind().dialect.name == "postgresql":  # of the platform: no school reads it
        op.execute("ALTER TABLE shown_error ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE shown_error FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON shown_error USING ({IS_PLATFORM}) WITH CHECK ({IS_PLATFORM})")


def downgrade():
    op.drop_index("ix_account_email", table_name="account")
    op.drop_table("shown_error")

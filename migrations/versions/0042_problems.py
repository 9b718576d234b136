"""The problems that people describe, until the support has read them."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"


def upgrade() -> None:
    op.create_table(
        "problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["establishment.id"], name=op.f("fk_problem_school_id_establishment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sqlite_autoincrement=True,  # the journal and its writer name it by its id
    )
    op.create_index("ix_problem_account", "problem", ["account", "at"])
    op.create_index("ix_problem_handled_at", "problem", ["handled_at", "id"])
    op.create_index(op.f("ix_problem_school_id"), "problem", ["school_id"])
    if op.get_bind().dialect.name == "postgresql":  # of the platform: no school reads it
        op.execute("ALTER TABLE problem ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE problem FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON problem USING ({IS_PLATFORM}) WITH CHECK ({IS_PLATFORM})")


def downgrade() -> None:
    op.drop_table("problem")

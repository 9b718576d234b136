"""What people keep of their lists: searches under a name, columns chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade() -> None:
    op.create_table(
        "list_habits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("screen", sa.String(length=40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_list_habits_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_list_habits_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_habits")),
        sa.UniqueConstraint(
            "establishment_id",
            "account_id",
            "screen",
            name=op.f("uq_list_habits_establishment_id_account_id_screen"),
        ),
    )
    op.create_index(op.f("ix_list_habits_establishment_id"), "list_habits", ["establishment_id"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE list_habits ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE list_habits FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON list_habits USING ({rule}) WITH CHECK ({rule})")


def downgrade() -> None:
    op.drop_table("list_habits")

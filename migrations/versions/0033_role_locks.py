"""Roles of a school closed at once, and reopened."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"
IS_OPEN = sa.text("reopened_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "role_lock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_by", sa.String(length=200), nullable=False),
        sa.Column("kept_account_id", sa.Integer(), nullable=True),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("sign_ins", sa.Integer(), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("(reopened_at IS NULL) = (reopened_by = '')", name=op.f("ck_role_lock_reopened_by_somebody")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "kept_account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_role_lock_kept_account",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_role_lock_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_lock")),
    )
    op.create_index(op.f("ix_role_lock_establishment_id"), "role_lock", ["establishment_id"])
    op.create_index(
        "uq_role_lock_open",
        "role_lock",
        ["establishment_id", "role"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE role_lock ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE role_lock FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON role_lock USING ({rule}) WITH CHECK ({rule})")


def downgrade() -> None:
    op.drop_table("role_lock")

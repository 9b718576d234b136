"""A second factor: of whom, sealed; and since when it is asked of those who act on other people's data."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("platform_account_id", sa.Integer(), nullable=True),
        sa.Column("secret", sa.String(length=300), nullable=False),
        sa.Column("recovery", sa.Text(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trusted_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (platform_account_id IS NULL)", name=op.f("ck_second_factor_one_account")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (establishment_id IS NULL)", name=op.f("ck_second_factor_school_of_account")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_second_factor_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_second_factor_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["platform_account_id"],
            ["platform_account.id"],
            name=op.f("fk_second_factor_platform_account_id_platform_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factor")),
        sa.UniqueConstraint("account_id", name=op.f("uq_second_factor_account_id")),
        sa.UniqueConstraint("platform_account_id", name=op.f("uq_second_factor_platform_account_id")),
    )
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE second_factor ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE second_factor FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON second_factor USING ({rule}) WITH CHECK ({rule})")
    op.add_column("sign_in", sa.Column("awaits_code", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("account", "platform_account"):
        op.add_column(table, sa.Column("second_factor_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # Whoever gave only a password must not be let in by going back.
    op.execute("DELETE FROM sign_in WHERE awaits_code")
    for table in ("account", "platform_account"):
        op.drop_column(table, "second_factor_since")
    op.drop_column("sign_in", "awaits_code")
    op.drop_table("second_factor")

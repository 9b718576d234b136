"""Passkeys of accounts, and what one must sign, kept with the sign-in it was drawn for."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("platform_account_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("credential_id", sa.String(length=1364), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name=op.f("ck_passkey_one_account")),
        sa.CheckConstraint(
            "(account_id IS NULL) = (establishment_id IS NULL)", name=op.f("ck_passkey_school_of_account")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_passkey_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_passkey_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["platform_account_id"],
            ["platform_account.id"],
            name=op.f("fk_passkey_platform_account_id_platform_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index("ix_passkey_account_id", "passkey", ["account_id"])
    op.create_index("ix_passkey_platform_account_id", "passkey", ["platform_account_id"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE passkey ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE passkey FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON passkey USING ({rule}) WITH CHECK ({rule})")
    op.add_column("sign_in", sa.Column("challenge", sa.String(length=64), nullable=True))
    op.add_column("sign_in", sa.Column("challenge_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("sign_in", "challenge_until")
    op.drop_column("sign_in", "challenge")
    op.drop_table("passkey")

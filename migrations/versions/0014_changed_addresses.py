"""An address that somebody else typed counts once it is confirmed; a teacher made by hand is told to the head.

Addresses of heads and of administrators in place were given by themselves or on the command line, and keep counting.
Others may have been typed by an administrator, or brought by a table: their owners confirm them once, signed in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade() -> None:
    op.create_table(
        "address_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("earlier", sa.String(length=254), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("notice", sa.String(length=300), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'confirmed', 'counted', 'refused', 'replaced')", name=op.f("ck_address_change_state")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_address_change_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_address_change_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_change")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_address_change_token_hash")),
    )
    op.create_index("ix_address_change_account", "address_change", ["establishment_id", "account_id"])
    op.create_index("ix_address_change_waiting", "address_change", ["state", "created_at"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE address_change ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE address_change FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON address_change USING ({rule}) WITH CHECK ({rule})")
    op.add_column("establishment", sa.Column("teachers_need_consent", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confirmed_email", sa.String(254), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("unseen_by_head", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.drop_constraint(op.f("ck_account_consent_concerns_powers"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_account_consent_concerns_powers"),
            "NOT consent_needed OR role IN ('administrator', 'head', 'teacher')",
        )
    op.execute(
        "UPDATE account SET confirmed_email = email "
        "WHERE role IN ('head', 'administrator') AND activated_at IS NOT NULL"
    )


def downgrade() -> None:
    # Who still waits for the head must not be let in by going back.
    op.execute(
        "UPDATE account SET is_active = false WHERE role = 'teacher' AND consent_needed AND consented_at IS NULL"
    )
    op.execute("UPDATE account SET consent_needed = false WHERE role = 'teacher'")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_account_consent_concerns_powers"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_account_consent_concerns_powers"), "NOT consent_needed OR role IN ('administrator', 'head')"
        )
        batch_op.drop_column("unseen_by_head")
        batch_op.drop_column("confirmed_email")
    op.drop_column("establishment", "teachers_need_consent")
    op.drop_table("address_change")

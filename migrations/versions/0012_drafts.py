"""Drafts: what people are writing in long forms, kept until they save or give up."""

from alembic import op
import sqlalchemy as sa


revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade():
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("object_key", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_draft_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_draft_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("account_id", "token", name=op.f("uq_draft_account_id_token")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_establishment_id"), ["establishment_id"], unique=False)
        batch_op.create_index("ix_draft_object", ["account_id", "form", "object_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_saved_at"), ["saved_at"], unique=False)
        batch_op.create_index("ix_draft_subject", ["establishment_id", "subject"], unique=False)
    _protect_rows()


def downgrade():
    op.drop_table("draft")


def _protect_rows():
    """Have PostgreSQL repeat the tenancy filter; the policy goes with its table."""
    if op.get_bind().dialect.name != "postgresql":
        return
    judged = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
    op.execute("ALTER TABLE draft ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE draft FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenancy ON draft USING ({judged}) WITH CHECK ({judged})")

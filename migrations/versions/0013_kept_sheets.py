"""A document of activation sheets is kept for half an hour, encrypted, for the browser that drew it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"


def upgrade():
    op.create_index("uq_sign_in_establishment_id", "sign_in", ["establishment_id", "id"], unique=True)
    op.create_table(
        "kept_sheets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("sign_in_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("file_format", sa.String(length=3), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("sheets", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.String(length=300), nullable=False),
        sa.Column("account_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_kept_sheets_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "sign_in_id"],
            ["sign_in.establishment_id", "sign_in.id"],
            name="fk_kept_sheets_sign_in",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_sheets")),
    )
    op.create_index("ix_kept_sheets_sign_in", "kept_sheets", ["establishment_id", "sign_in_id"])
    op.create_index("ix_kept_sheets_expires_at", "kept_sheets", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE kept_sheets ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE kept_sheets FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON kept_sheets USING ({rule}) WITH CHECK ({rule})")


def downgrade():
    op.drop_table("kept_sheets")
    op.drop_index("uq_sign_in_establishment_id", "sign_in")

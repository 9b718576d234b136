"""What people said of the steps of a school year, and its report."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"
SCHOOL = "(SELECT NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer)"
TABLES = ("new_year_mark", "new_year_report")


def upgrade() -> None:
    op.create_table(
        "new_year_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_new_year_mark_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_new_year_mark")),
        sa.UniqueConstraint(
            "establishment_id", "school_year", "step", name=op.f("uq_new_year_mark_establishment_id_school_year_step")
        ),
    )
    op.create_index(op.f("ix_new_year_mark_establishment_id"), "new_year_mark", ["establishment_id"])
    op.create_table(
        "new_year_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_by", sa.String(length=200), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_new_year_report_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_new_year_report")),
        sa.UniqueConstraint(
            "establishment_id", "school_year", name=op.f("uq_new_year_report_establishment_id_school_year")
        ),
    )
    op.create_index(op.f("ix_new_year_report_establishment_id"), "new_year_report", ["establishment_id"])
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY tenancy ON {table} USING ({rule}) WITH CHECK ({rule})")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

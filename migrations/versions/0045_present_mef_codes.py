"""The course codes of present pupils are found one from the other, in an index of present pupils alone."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

NAME = "ix_student_present_mef_code"


def upgrade():
    op.create_index(
        NAME,
        "student",
        ["establishment_id", "mef_code"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )


def downgrade():
    op.drop_index(NAME, table_name="student")

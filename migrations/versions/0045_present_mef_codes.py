"""The course codes of present pupils have an index; pupils, of a course or of a division, are counted in theirs alone."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

BY_NAME = ("search_key", "id")
#: (index, its columns after the school's, its condition); all end with the column that separates merged rows from pupils.
COUNTED = (
    ("ix_student_establishment_id_search_key", BY_NAME, None),
    ("ix_student_mef_code", ("mef_code", *BY_NAME), None),
    ("ix_student_division", ("division_id", *BY_NAME), None),
    ("ix_student_without_ine", BY_NAME, "ine IS NULL"),
    ("ix_student_merged", BY_NAME, "merged_into_id IS NOT NULL"),
)


def upgrade():
    op.create_index(
        "ix_student_present_mef_code",
        "student",
        ["establishment_id", "mef_code"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )
    _index_counted("merged_into_id")


def downgrade():
    _index_counted()
    op.drop_index("ix_student_present_mef_code", table_name="student")


def _index_counted(*last):
    for name, columns, condition in COUNTED:
        where = {f"{dialect}_where": sa.text(condition) for dialect in ("sqlite", "postgresql") if condition}
        op.drop_index(name, table_name="student")
        op.create_index(name, "student", ["establishment_id", *columns, *last], **where)

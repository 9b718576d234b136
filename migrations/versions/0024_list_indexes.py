"""Each filter of a list has an index that ends with what the list is sorted by."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BY_NAME, LATEST = ("search_key", "id"), ("changed_at", "id")
#: (table, name, columns after the school's, condition on PostgreSQL, and on SQLite where it is written otherwise)
INDEXES = (
    ("student", "ix_student_mef_code", ("mef_code", *BY_NAME), None, None),
    ("student", "ix_student_is_active", ("is_active", *BY_NAME), None, None),
    ("student", "ix_student_without_ine", BY_NAME, "ine IS NULL", None),
    ("student", "ix_student_merged", BY_NAME, "merged_into_id IS NOT NULL", None),
    ("account", "ix_account_role", ("role", *BY_NAME), None, None),
    ("account", "ix_account_inactive", BY_NAME, "NOT is_active", "is_active = 0"),
    (
        "account",
        "ix_account_never",
        BY_NAME,
        "is_active AND activated_at IS NULL",
        "is_active = 1 AND activated_at IS NULL",
    ),
    (
        "account",
        "ix_account_used",
        BY_NAME,
        "is_active AND activated_at IS NOT NULL",
        "is_active = 1 AND activated_at IS NOT NULL",
    ),
    (
        "account",
        "ix_account_pending",
        BY_NAME,
        "consent_needed AND consented_at IS NULL",
        "consent_needed = 1 AND consented_at IS NULL",
    ),
    ("account", "ix_account_unseen", BY_NAME, "unseen_by_head", "unseen_by_head = 1"),
    ("transfer_side", "ix_transfer_side_changed_at", LATEST, None, None),
    ("transfer_side", "ix_transfer_side_direction", ("direction", *LATEST), None, None),
    ("transfer_side", "ix_transfer_side_state", ("state", *LATEST), None, None),
    ("transfer_side", "ix_transfer_side_other_uai", ("other_uai", *LATEST), None, None),
    ("audit_entry", "ix_audit_entry_object_type", ("object_type", "id"), None, None),
)


def upgrade():
    op.drop_index("ix_student_division", table_name="student")
    op.create_index("ix_student_division", "student", ["establishment_id", "division_id", *BY_NAME])
    for table, name, columns, condition, on_sqlite in INDEXES:
        where = {}
        if condition:
            where = {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(on_sqlite or condition)}
        op.create_index(name, table, ["establishment_id", *columns], **where)


def downgrade():
    for table, name, *_ in INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_index("ix_student_division", table_name="student")
    op.create_index("ix_student_division", "student", ["establishment_id", "division_id"])

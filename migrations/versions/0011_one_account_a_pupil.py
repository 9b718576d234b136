"""An account of a pupil names one pupil: the index that finds the pupil of an account refuses a second one."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_student_account", "student")
    op.create_index("uq_student_account", "student", ["establishment_id", "account_id"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_student_account", "student")
    op.create_index("ix_student_account", "student", ["establishment_id", "account_id"])

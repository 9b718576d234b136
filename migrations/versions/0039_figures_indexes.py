"""Figures of a school year read an index: évaluations by day, fiches by state, passports by the instant of their issue."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

#: (table, name, columns after the school's)
INDEXES = (
    ("evaluation", "ix_evaluation_day", ("evaluated_on", "id")),
    ("fiche", "ix_fiche_state", ("state", "student_id", "id")),
    ("passport_issue", "ix_passport_issue_issued_at", ("issued_at", "id")),
)


def upgrade():
    for table, name, columns in INDEXES:
        op.create_index(name, table, ["establishment_id", *columns])


def downgrade():
    for table, name, _columns in reversed(INDEXES):
        op.drop_index(name, table_name=table)

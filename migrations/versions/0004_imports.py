"""What the pages of imports need: where a pupil comes from, files kept until the end, questions asked to a person.

Columns are added one by one: rebuilding a table of SQLite would delete the rows that refer to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# As 0002 says it.
IS_PLATFORM = "current_setting('cpro.scope', true) = 'platform'"
SCHOOL = "NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer"


def upgrade():
    op.add_column("student", sa.Column("local_id", sa.String(length=20), nullable=True))
    op.add_column("student", sa.Column("came_by", sa.String(length=8), nullable=False, server_default="hand"))
    op.create_index("uq_student_local_id", "student", ["establishment_id", "local_id"], unique=True)
    op.add_column("import_run", sa.Column("kind", sa.String(length=8), nullable=False, server_default="siecle"))
    op.add_column("import_run", sa.Column("answers", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("import_run", sa.Column("kept_in", sa.String(length=32), nullable=False, server_default=""))
    for table in ("import_change", "import_finding"):
        op.add_column(table, sa.Column("search_key", sa.String(length=210), nullable=False, server_default=""))
    op.add_column("import_finding", sa.Column("object_label", sa.String(length=210), nullable=False, server_default=""))
    op.create_table(
        "import_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=16), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=300), nullable=False),
        sa.Column("sentence", sa.String(length=400), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("can_create", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id", "run_id"],
            ["import_run.establishment_id", "import_run.id"],
            name="fk_import_question_run",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_import_question_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_question")),
        sa.UniqueConstraint("establishment_id", "run_id", "key", name="uq_import_question_key"),
    )
    if op.get_bind().dialect.name == "postgresql":
        rule = f"{IS_PLATFORM} OR establishment_id = {SCHOOL}"
        op.execute("ALTER TABLE import_question ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE import_question FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON import_question USING ({rule}) WITH CHECK ({rule})")
    op.execute("UPDATE student SET came_by = 'siecle' WHERE siecle_id IS NOT NULL")


def downgrade():
    op.drop_table("import_question")
    op.drop_column("import_finding", "object_label")
    for table in ("import_finding", "import_change"):
        op.drop_column(table, "search_key")
    op.drop_column("import_run", "kept_in")
    op.drop_column("import_run", "answers")
    op.drop_column("import_run", "kind")
    op.drop_index("uq_student_local_id", table_name="student")
    op.drop_column("student", "came_by")
    op.drop_column("student", "local_id")

"""PostgreSQL repeats the tenancy filter: row-level security on every table.

Each transaction announces its scope in `cpro.scope` (core/tenancy.py): a school's id, or "platform". Without it,
nothing is shown and nothing can be written. The role of the application must be neither superuser nor BYPASSRLS.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

OWNED = (
    "account",
    "activation_code",
    "audit_entry",
    "audit_head",
    "division",
    "import_change",
    "import_finding",
    "import_run",
    "job",
    "mandate",
    "mandate_diploma",
    "mask",
    "mef",
    "picture_version",
    "sign_in",
    "student",
    "teacher_division",
)
SHARED = ("diploma",)
PLATFORM_ONLY = ("failure_counter", "parked_form", "platform_account")

IS_PLATFORM = "current_setting('cpro.scope', true) = 'platform'"
SCHOOL = "NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer"


def upgrade():
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in OWNED:
        _protect(table, seen=f"establishment_id = {SCHOOL}", written=f"establishment_id = {SCHOOL}")
    for table in SHARED:
        _protect(
            table,
            seen=f"establishment_id IS NULL OR establishment_id = {SCHOOL}",
            written=f"establishment_id = {SCHOOL}",
        )
    _protect("establishment", seen=f"id = {SCHOOL}", written=f"id = {SCHOOL}")
    for table in PLATFORM_ONLY:
        _protect(table, seen="false", written="false")


def downgrade():
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in (*OWNED, *SHARED, "establishment", *PLATFORM_ONLY):
        op.execute(f"DROP POLICY tenancy ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _protect(table, *, seen, written):
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")  # the tables' owner is the application's role
    op.execute(
        f"CREATE POLICY tenancy ON {table} USING ({IS_PLATFORM} OR {seen}) WITH CHECK ({IS_PLATFORM} OR {written})"
    )

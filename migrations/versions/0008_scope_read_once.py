"""Row-level security reads the scope once for each statement, no longer for each row.

PostgreSQL calls `current_setting` for every row that a policy judges; in a select of its own it is called once, and its
answer kept (an InitPlan): counting the pupils of a school takes a third of the time. What is shown and what may be
written stay the same. The policy of a later table is to be written so from the start.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWNED = (
    "account",
    "activation_code",
    "audit_entry",
    "audit_head",
    "bilan",
    "division",
    "evaluation",
    "fiche",
    "import_change",
    "import_finding",
    "import_question",
    "import_run",
    "job",
    "mandate",
    "mandate_diploma",
    "mask",
    "mef",
    "passport_issue",
    "picture_version",
    "scenario",
    "scenario_co_author",
    "scenario_competence",
    "scenario_link",
    "sign_in",
    "student",
    "teacher_division",
    "transfer_side",
)
SHARED = ("competence", "diploma")
PLATFORM_ONLY = ("failure_counter", "parked_form", "platform_account", "school_pair", "transfer")

IS_PLATFORM = "current_setting('cpro.scope', true) = 'platform'"
SCHOOL = "NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer"


def upgrade() -> None:
    _write_policies(f"(SELECT {IS_PLATFORM})", f"(SELECT {SCHOOL})")


def downgrade() -> None:
    _write_policies(IS_PLATFORM, SCHOOL)


def _write_policies(is_platform: str, school: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    own = f"establishment_id = {school}"
    judged = {table: (own, own) for table in OWNED}
    judged |= {table: (f"establishment_id IS NULL OR {own}", own) for table in SHARED}
    judged |= {table: ("false", "false") for table in PLATFORM_ONLY}
    judged["establishment"] = (f"id = {school}", f"id = {school}")
    for table, (seen, written) in judged.items():
        op.execute(
            f"ALTER POLICY tenancy ON {table} USING ({is_platform} OR {seen}) WITH CHECK ({is_platform} OR {written})"
        )

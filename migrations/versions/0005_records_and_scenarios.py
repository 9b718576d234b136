"""Competences, scenarios, pupils' records, passports issued, and how long records are kept."""

from alembic import op
import sqlalchemy as sa


revision = "0005"
down_revision = "0004"

OWNED = (
    "bilan",
    "evaluation",
    "fiche",
    "passport_issue",
    "scenario",
    "scenario_co_author",
    "scenario_competence",
    "scenario_link",
)

# As 0002 says it.
IS_PLATFORM = "current_setting('cpro.scope', true) = 'platform'"
SCHOOL = "NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer"


def upgrade():
    op.create_table(
        "competence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=250), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_competence_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_competence_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competence")),
        sa.UniqueConstraint(
            "establishment_id", "diploma_id", "code", name=op.f("uq_competence_establishment_id_diploma_id_code")
        ),
    )
    with op.batch_alter_table("competence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_competence_diploma_id"), ["diploma_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_competence_establishment_id"), ["establishment_id"], unique=False)
        batch_op.create_index(
            "uq_competence_national_code",
            ["diploma_id", "code"],
            unique=True,
            sqlite_where=sa.text("establishment_id IS NULL"),
            postgresql_where=sa.text("establishment_id IS NULL"),
        )

    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=150), nullable=False),
        sa.Column("is_co_intervention", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("problematic", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("knowledge", sa.Text(), nullable=False),
        sa.Column("search_key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_scenario_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "author_id"], ["account.establishment_id", "account.id"], name="fk_scenario_author"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_scenario_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_scenario_establishment_id_id")),
    )
    with op.batch_alter_table("scenario", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scenario_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_scenario_diploma_id"), ["diploma_id"], unique=False)
        batch_op.create_index(
            "ix_scenario_establishment_id_changed_at", ["establishment_id", "changed_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_scenario_establishment_id_search_key", ["establishment_id", "search_key", "id"], unique=False
        )

    op.create_table(
        "scenario_co_author",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_scenario_co_author_account",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "scenario_id"],
            ["scenario.establishment_id", "scenario.id"],
            name="fk_scenario_co_author_scenario",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishment.id"],
            name=op.f("fk_scenario_co_author_establishment_id_establishment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_co_author")),
        sa.UniqueConstraint("establishment_id", "scenario_id", "account_id", name="uq_scenario_co_author"),
    )
    with op.batch_alter_table("scenario_co_author", schema=None) as batch_op:
        batch_op.create_index("ix_scenario_co_author_account", ["establishment_id", "account_id"], unique=False)

    op.create_table(
        "scenario_competence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=False),
        sa.Column("competence_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competence_id"], ["competence.id"], name=op.f("fk_scenario_competence_competence_id_competence")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "scenario_id"],
            ["scenario.establishment_id", "scenario.id"],
            name="fk_scenario_competence_scenario",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishment.id"],
            name=op.f("fk_scenario_competence_establishment_id_establishment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_competence")),
        sa.UniqueConstraint("establishment_id", "scenario_id", "competence_id", name="uq_scenario_competence"),
    )
    with op.batch_alter_table("scenario_competence", schema=None) as batch_op:
        batch_op.create_index("ix_scenario_competence_competence_id", ["competence_id"], unique=False)

    op.create_table(
        "scenario_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=150), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "scenario_id"],
            ["scenario.establishment_id", "scenario.id"],
            name="fk_scenario_link_scenario",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_scenario_link_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_link")),
    )
    with op.batch_alter_table("scenario_link", schema=None) as batch_op:
        batch_op.create_index(
            "ix_scenario_link_scenario", ["establishment_id", "scenario_id", "position"], unique=False
        )

    op.create_table(
        "bilan",
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("origin_uid", sa.String(length=36), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_label", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_school", sa.String(length=170), nullable=False),
        sa.Column("received_in", sa.Integer(), nullable=True),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_bilan_days_in_order")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "author_id"], ["account.establishment_id", "account.id"], name="fk_bilan_author"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id"], ["student.establishment_id", "student.id"], name="fk_bilan_student"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_bilan_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bilan")),
        sa.UniqueConstraint("establishment_id", "student_id", "origin_uid", name="uq_bilan_origin"),
    )
    with op.batch_alter_table("bilan", schema=None) as batch_op:
        batch_op.create_index("ix_bilan_received_in", ["establishment_id", "received_in"], unique=False)
        batch_op.create_index("ix_bilan_student", ["establishment_id", "student_id", "id"], unique=False)

    op.create_table(
        "fiche",
        sa.Column("title", sa.String(length=150), nullable=False),
        sa.Column("place", sa.String(length=8), nullable=False),
        sa.Column("place_name", sa.String(length=150), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("tasks", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("validated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("validated_by_label", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("origin_uid", sa.String(length=36), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_label", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_school", sa.String(length=170), nullable=False),
        sa.Column("received_in", sa.Integer(), nullable=True),
        sa.CheckConstraint("place IN ('school', 'company')", name=op.f("ck_fiche_place")),
        sa.CheckConstraint("state IN ('draft', 'submitted', 'validated')", name=op.f("ck_fiche_state")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_fiche_days_in_order")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "author_id"], ["account.establishment_id", "account.id"], name="fk_fiche_author"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id"], ["student.establishment_id", "student.id"], name="fk_fiche_student"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_fiche_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fiche")),
        sa.UniqueConstraint("establishment_id", "student_id", "origin_uid", name="uq_fiche_origin"),
    )
    with op.batch_alter_table("fiche", schema=None) as batch_op:
        batch_op.create_index("ix_fiche_received_in", ["establishment_id", "received_in"], unique=False)
        batch_op.create_index("ix_fiche_student", ["establishment_id", "student_id", "id"], unique=False)

    op.create_table(
        "passport_issue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("school_name", sa.String(length=150), nullable=False),
        sa.Column("school_uai", sa.String(length=8), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id"],
            ["student.establishment_id", "student.id"],
            name="fk_passport_issue_student",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_passport_issue_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passport_issue")),
        sa.UniqueConstraint("code", name=op.f("uq_passport_issue_code")),
    )
    with op.batch_alter_table("passport_issue", schema=None) as batch_op:
        batch_op.create_index("ix_passport_issue_student", ["establishment_id", "student_id", "id"], unique=False)

    op.create_table(
        "evaluation",
        sa.Column("competence_id", sa.Integer(), nullable=True),
        sa.Column("competence_code", sa.String(length=16), nullable=False),
        sa.Column("competence_label", sa.String(length=250), nullable=False),
        sa.Column("diploma_code", sa.String(length=16), nullable=False),
        sa.Column("diploma_label", sa.String(length=60), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("evaluated_on", sa.Date(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=True),
        sa.Column("scenario_title", sa.String(length=150), nullable=False),
        sa.Column("fiche_uid", sa.String(length=36), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("origin_uid", sa.String(length=36), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_label", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_school", sa.String(length=170), nullable=False),
        sa.Column("received_in", sa.Integer(), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_evaluation_level")),
        sa.ForeignKeyConstraint(
            ["competence_id"], ["competence.id"], name=op.f("fk_evaluation_competence_id_competence")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "author_id"], ["account.establishment_id", "account.id"], name="fk_evaluation_author"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "scenario_id"],
            ["scenario.establishment_id", "scenario.id"],
            name="fk_evaluation_scenario",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id"], ["student.establishment_id", "student.id"], name="fk_evaluation_student"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_evaluation_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id", "fiche_uid"],
            ["fiche.establishment_id", "fiche.student_id", "fiche.origin_uid"],
            name="fk_evaluation_fiche",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
        sa.UniqueConstraint("establishment_id", "student_id", "origin_uid", name="uq_evaluation_origin"),
    )
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluation_competence_id"), ["competence_id"], unique=False)
        batch_op.create_index("ix_evaluation_received_in", ["establishment_id", "received_in"], unique=False)
        batch_op.create_index("ix_evaluation_student", ["establishment_id", "student_id", "id"], unique=False)

    with op.batch_alter_table("establishment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retention_years", sa.Integer(), server_default="3", nullable=False))
        batch_op.create_check_constraint(op.f("ck_establishment_retention_years"), "retention_years BETWEEN 1 AND 3")
    _protect_rows()


def downgrade():
    with op.batch_alter_table("establishment", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_establishment_retention_years"), type_="check")
        batch_op.drop_column("retention_years")

    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index("ix_evaluation_student")
        batch_op.drop_index("ix_evaluation_received_in")
        batch_op.drop_index(batch_op.f("ix_evaluation_competence_id"))

    op.drop_table("evaluation")
    with op.batch_alter_table("passport_issue", schema=None) as batch_op:
        batch_op.drop_index("ix_passport_issue_student")

    op.drop_table("passport_issue")
    with op.batch_alter_table("fiche", schema=None) as batch_op:
        batch_op.drop_index("ix_fiche_student")
        batch_op.drop_index("ix_fiche_received_in")

    op.drop_table("fiche")
    with op.batch_alter_table("bilan", schema=None) as batch_op:
        batch_op.drop_index("ix_bilan_student")
        batch_op.drop_index("ix_bilan_received_in")

    op.drop_table("bilan")
    with op.batch_alter_table("scenario_link", schema=None) as batch_op:
        batch_op.drop_index("ix_scenario_link_scenario")

    op.drop_table("scenario_link")
    with op.batch_alter_table("scenario_competence", schema=None) as batch_op:
        batch_op.drop_index("ix_scenario_competence_competence_id")

    op.drop_table("scenario_competence")
    with op.batch_alter_table("scenario_co_author", schema=None) as batch_op:
        batch_op.drop_index("ix_scenario_co_author_account")

    op.drop_table("scenario_co_author")
    with op.batch_alter_table("scenario", schema=None) as batch_op:
        batch_op.drop_index("ix_scenario_establishment_id_search_key")
        batch_op.drop_index("ix_scenario_establishment_id_changed_at")
        batch_op.drop_index(batch_op.f("ix_scenario_diploma_id"))
        batch_op.drop_index(batch_op.f("ix_scenario_author_id"))

    op.drop_table("scenario")
    with op.batch_alter_table("competence", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_competence_national_code",
            sqlite_where=sa.text("establishment_id IS NULL"),
            postgresql_where=sa.text("establishment_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_competence_establishment_id"))
        batch_op.drop_index(batch_op.f("ix_competence_diploma_id"))

    op.drop_table("competence")


def _protect_rows():
    """Have PostgreSQL repeat the tenancy filter; policies go with their tables."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in OWNED:
        _protect(table, seen=f"establishment_id = {SCHOOL}")
    _protect("competence", seen=f"establishment_id IS NULL OR establishment_id = {SCHOOL}")


def _protect(table, *, seen):
    written = f"establishment_id = {SCHOOL}"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenancy ON {table} USING ({IS_PLATFORM} OR {seen}) WITH CHECK ({IS_PLATFORM} OR {written})"
    )

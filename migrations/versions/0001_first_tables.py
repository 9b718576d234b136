"""The first tables: schools, accounts, students, masks, pictures, journal."""

from alembic import op
import sqlalchemy as sa


revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "establishment",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("uai", sa.String(length=8), nullable=True),
        sa.Column("uai_locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("address_line1", sa.String(length=120), nullable=False),
        sa.Column("address_line2", sa.String(length=120), nullable=False),
        sa.Column("postal_code", sa.String(length=5), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("website", sa.String(length=255), nullable=False),
        sa.Column("academy", sa.String(length=60), nullable=False),
        sa.Column("signatory_name", sa.String(length=120), nullable=False),
        sa.Column("signatory_function", sa.String(length=120), nullable=False),
        sa.Column("dpd_name", sa.String(length=120), nullable=False),
        sa.Column("dpd_email", sa.String(length=254), nullable=False),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.Column("dreets", sa.String(length=150), nullable=False),
        sa.Column("mcpfa", sa.String(length=150), nullable=False),
        sa.Column("greta_cfa", sa.String(length=150), nullable=False),
        sa.Column("cnil_kind", sa.String(length=16), nullable=False),
        sa.Column("cnil_reference", sa.String(length=60), nullable=False),
        sa.Column("transfers_enabled", sa.Boolean(), nullable=False),
        sa.Column("uses_siecle", sa.Boolean(), nullable=False),
        sa.Column("scenarios_enabled", sa.Boolean(), nullable=False),
        sa.Column("passport_enabled", sa.Boolean(), nullable=False),
        sa.Column("inspectors_enabled", sa.Boolean(), nullable=False),
        sa.Column("search_key", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "NOT transfers_enabled OR cnil_reference <> ''", name=op.f("ck_establishment_transfers_need_reference")
        ),
        sa.CheckConstraint("cnil_kind IN ('declaration', 'registre')", name=op.f("ck_establishment_cnil_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_establishment")),
        sa.UniqueConstraint("code", name=op.f("uq_establishment_code")),
        sa.UniqueConstraint("uai", name=op.f("uq_establishment_uai")),
    )
    op.create_table(
        "failure_counter",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failure_counter")),
    )
    with op.batch_alter_table("failure_counter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failure_counter_last_failure_at"), ["last_failure_at"], unique=False)

    op.create_table(
        "parked_form",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_parked_form")),
    )
    with op.batch_alter_table("parked_form", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_form_created_at"), ["created_at"], unique=False)

    op.create_table(
        "platform_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('inspector', 'support')", name=op.f("ck_platform_account_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_account")),
        sa.UniqueConstraint("email", name=op.f("uq_platform_account_email")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("civility", sa.String(length=8), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("discipline", sa.String(length=100), nullable=False),
        sa.Column("sts_key", sa.String(length=28), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("consent_needed", sa.Boolean(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_key", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "NOT consent_needed OR role IN ('administrator', 'head')", name=op.f("ck_account_consent_concerns_powers")
        ),
        sa.CheckConstraint("role IN ('administrator', 'head', 'teacher', 'student')", name=op.f("ck_account_role")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_account_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_account_establishment_id_id")),
        sa.UniqueConstraint("establishment_id", "login", name="uq_account_login"),
        sa.UniqueConstraint("establishment_id", "sts_key", name=op.f("uq_account_establishment_id_sts_key")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_establishment_id"), ["establishment_id"], unique=False)
        batch_op.create_index("ix_account_search_key", ["establishment_id", "search_key", "id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("actor_role", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("object_label", sa.String(length=200), nullable=False),
        sa.Column("search_key", sa.String(length=450), server_default="", nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_audit_entry_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_action", ["establishment_id", "action", "id"], unique=False)
        batch_op.create_index(
            "ix_audit_entry_actor", ["establishment_id", "actor_kind", "actor_id", "id"], unique=False
        )
        batch_op.create_index("ix_audit_entry_at", ["establishment_id", "at", "action"], unique=False)
        batch_op.create_index("ix_audit_entry_establishment_id", ["establishment_id", "id"], unique=False)
        batch_op.create_index(
            "ix_audit_entry_object", ["establishment_id", "object_type", "object_id", "id"], unique=False
        )

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_audit_head_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sa.UniqueConstraint("establishment_id", name=op.f("uq_audit_head_establishment_id")),
    )
    op.create_table(
        "diploma",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=150), nullable=False),
        sa.Column("short_label", sa.String(length=60), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_diploma_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diploma")),
        sa.UniqueConstraint("establishment_id", "code", name=op.f("uq_diploma_establishment_id_code")),
    )
    with op.batch_alter_table("diploma", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_diploma_establishment_id"), ["establishment_id"], unique=False)
        batch_op.create_index(
            "uq_diploma_national_code",
            ["code"],
            unique=True,
            sqlite_where=sa.text("establishment_id IS NULL"),
            postgresql_where=sa.text("establishment_id IS NULL"),
        )

    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("state_value", sa.String(length=16), nullable=False),
        sa.Column("open_key", sa.Integer(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.JSON(), nullable=False),
        sa.Column("opens_student_accounts", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("confirmations_needed", sa.JSON(), nullable=False),
        sa.Column("confirmations_given", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_import_run_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_import_run_establishment_id_id")),
        sa.UniqueConstraint("open_key", name=op.f("uq_import_run_open_key")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index("ix_import_run_establishment_id", ["establishment_id", "id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.JSON(), nullable=False),
        sa.Column("state_value", sa.String(length=16), nullable=False),
        sa.Column("exclusive_key", sa.String(length=80), nullable=True),
        sa.Column("period_key", sa.String(length=100), nullable=True),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("progress_message", sa.String(length=200), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_job_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("period_key", name=op.f("uq_job_period_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_establishment_id"), ["establishment_id"], unique=False)
        batch_op.create_index("ix_job_state", ["state_value", "id"], unique=False)
        batch_op.create_index(
            "uq_job_exclusive_running",
            ["exclusive_key"],
            unique=True,
            sqlite_where=sa.text("state_value = 'running'"),
            postgresql_where=sa.text("state_value = 'running'"),
        )

    op.create_table(
        "picture_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("stored_name", sa.String(length=120), nullable=False),
        sa.Column("mimetype", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(stored_name = '') = (width = 0)", name=op.f("ck_picture_version_file_has_size")),
        sa.CheckConstraint("kind IN ('logo', 'cachet')", name=op.f("ck_picture_version_kind")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_picture_version_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_version")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_picture_version_establishment_id_id")),
    )
    with op.batch_alter_table("picture_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_picture_version_establishment_id_kind", ["establishment_id", "kind", "id"], unique=False
        )

    op.create_table(
        "activation_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("platform_account_id", sa.Integer(), nullable=True),
        sa.Column("code_hmac", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (platform_account_id IS NULL)", name=op.f("ck_activation_code_one_account")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (establishment_id IS NULL)", name=op.f("ck_activation_code_school_of_account")
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_activation_code_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_activation_code_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["platform_account_id"],
            ["platform_account.id"],
            name=op.f("fk_activation_code_platform_account_id_platform_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation_code")),
    )
    with op.batch_alter_table("activation_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activation_code_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_activation_code_code_hmac", ["code_hmac"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_activation_code_platform_account_id"), ["platform_account_id"], unique=False
        )

    op.create_table(
        "division",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=True),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_division_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_division_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_division")),
        sa.UniqueConstraint("establishment_id", "code", name="uq_division_code"),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_division_establishment_id_id")),
    )
    with op.batch_alter_table("division", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_division_diploma_id"), ["diploma_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_division_establishment_id"), ["establishment_id"], unique=False)

    op.create_table(
        "import_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("object_type", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=True),
        sa.Column("object_key", sa.String(length=40), nullable=False),
        sa.Column("object_label", sa.String(length=210), nullable=False),
        sa.Column("action_value", sa.String(length=12), nullable=False),
        sa.Column("is_selected", sa.Boolean(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "run_id"],
            ["import_run.establishment_id", "import_run.id"],
            name="fk_import_change_run",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_import_change_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
    )
    with op.batch_alter_table("import_change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_import_change_object", ["establishment_id", "object_type", "object_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_import_change_run", ["establishment_id", "run_id", "object_type", "action_value", "id"], unique=False
        )

    op.create_table(
        "import_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("file_kind", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "run_id"],
            ["import_run.establishment_id", "import_run.id"],
            name="fk_import_finding_run",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_import_finding_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_finding")),
    )
    with op.batch_alter_table("import_finding", schema=None) as batch_op:
        batch_op.create_index("ix_import_finding_run", ["establishment_id", "run_id", "severity", "id"], unique=False)

    op.create_table(
        "mandate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("inspector_id", sa.Integer(), nullable=False),
        sa.Column("inspector_name", sa.String(length=150), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("all_diplomas", sa.Boolean(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(length=300), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("opened_by_label", sa.String(length=200), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_label", sa.String(length=200), nullable=False),
        sa.Column("closing_reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint("(closed_at IS NULL) = (closing_reason = '')", name=op.f("ck_mandate_closing_has_reason")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_mandate_days_in_order")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "opened_by_id"],
            ["account.establishment_id", "account.id"],
            name="fk_mandate_opened_by",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mandate_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["inspector_id"], ["platform_account.id"], name=op.f("fk_mandate_inspector_id_platform_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_mandate_establishment_id_id")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index("ix_mandate_days", ["establishment_id", "starts_on", "id"], unique=False)
        batch_op.create_index("ix_mandate_inspector", ["inspector_id", "establishment_id", "ends_on"], unique=False)

    op.create_table(
        "mask",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("wording", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "key IN ('description', 'problematic', 'equipment', 'links', 'resources', 'knowledge')",
            name=op.f("ck_mask_key"),
        ),
        sa.CheckConstraint("length(wording) BETWEEN 1 AND 200", name=op.f("ck_mask_wording")),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_mask_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mask_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask")),
        sa.UniqueConstraint(
            "establishment_id", "diploma_id", "key", name=op.f("uq_mask_establishment_id_diploma_id_key")
        ),
    )
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.create_index("ix_mask_diploma_id", ["diploma_id"], unique=False)

    op.create_table(
        "mef",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=11), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=True),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_mef_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mef_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mef")),
        sa.UniqueConstraint("establishment_id", "code", name=op.f("uq_mef_establishment_id_code")),
    )
    with op.batch_alter_table("mef", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mef_diploma_id"), ["diploma_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mef_establishment_id"), ["establishment_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("platform_account_id", sa.Integer(), nullable=True),
        sa.Column("entered_establishment_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (platform_account_id IS NULL)", name=op.f("ck_sign_in_one_account")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (establishment_id IS NULL)", name=op.f("ck_sign_in_school_of_account")
        ),
        sa.ForeignKeyConstraint(
            ["entered_establishment_id"],
            ["establishment.id"],
            name=op.f("fk_sign_in_entered_establishment_id_establishment"),
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_sign_in_account",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_sign_in_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(
            ["platform_account_id"],
            ["platform_account.id"],
            name=op.f("fk_sign_in_platform_account_id_platform_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_last_seen_at"), ["last_seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_platform_account_id"), ["platform_account_id"], unique=False)

    op.create_table(
        "mandate_diploma",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("mandate_id", sa.Integer(), nullable=False),
        sa.Column("diploma_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["diploma_id"], ["diploma.id"], name=op.f("fk_mandate_diploma_diploma_id_diploma")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "mandate_id"],
            ["mandate.establishment_id", "mandate.id"],
            name="fk_mandate_diploma_mandate",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_mandate_diploma_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_diploma")),
        sa.UniqueConstraint("establishment_id", "mandate_id", "diploma_id", name="uq_mandate_diploma"),
    )
    with op.batch_alter_table("mandate_diploma", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mandate_diploma_diploma_id"), ["diploma_id"], unique=False)

    op.create_table(
        "student",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("usage_name", sa.String(length=100), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("ine", sa.String(length=11), nullable=True),
        sa.Column("siecle_id", sa.String(length=20), nullable=True),
        sa.Column("mef_code", sa.String(length=11), nullable=False),
        sa.Column("division_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("search_key", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"], ["account.establishment_id", "account.id"], name="fk_student_account"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "division_id"],
            ["division.establishment_id", "division.id"],
            name="fk_student_division",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_student_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_student_establishment_id_id")),
        sa.UniqueConstraint("establishment_id", "siecle_id", name=op.f("uq_student_establishment_id_siecle_id")),
    )
    with op.batch_alter_table("student", schema=None) as batch_op:
        batch_op.create_index("ix_student_division", ["establishment_id", "division_id"], unique=False)
        batch_op.create_index("ix_student_establishment_id_ine", ["establishment_id", "ine"], unique=False)
        batch_op.create_index(
            "ix_student_establishment_id_search_key", ["establishment_id", "search_key", "id"], unique=False
        )

    op.create_table(
        "teacher_division",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("division_id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id", "account_id"],
            ["account.establishment_id", "account.id"],
            name="fk_teacher_division_account",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id", "division_id"],
            ["division.establishment_id", "division.id"],
            name="fk_teacher_division_division",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_teacher_division_establishment_id_establishment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teacher_division")),
        sa.UniqueConstraint("establishment_id", "account_id", "division_id", name="uq_teacher_division"),
    )
    with op.batch_alter_table("teacher_division", schema=None) as batch_op:
        batch_op.create_index("ix_teacher_division_division", ["establishment_id", "division_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_teacher_division_establishment_id"), ["establishment_id"], unique=False)


def downgrade():
    with op.batch_alter_table("teacher_division", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_teacher_division_establishment_id"))
        batch_op.drop_index("ix_teacher_division_division")

    op.drop_table("teacher_division")
    with op.batch_alter_table("student", schema=None) as batch_op:
        batch_op.drop_index("ix_student_establishment_id_search_key")
        batch_op.drop_index("ix_student_establishment_id_ine")
        batch_op.drop_index("ix_student_division")

    op.drop_table("student")
    with op.batch_alter_table("mandate_diploma", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mandate_diploma_diploma_id"))

    op.drop_table("mandate_diploma")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_platform_account_id"))
        batch_op.drop_index(batch_op.f("ix_sign_in_last_seen_at"))
        batch_op.drop_index(batch_op.f("ix_sign_in_account_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("mef", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mef_establishment_id"))
        batch_op.drop_index(batch_op.f("ix_mef_diploma_id"))

    op.drop_table("mef")
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.drop_index("ix_mask_diploma_id")

    op.drop_table("mask")
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.drop_index("ix_mandate_inspector")
        batch_op.drop_index("ix_mandate_days")

    op.drop_table("mandate")
    with op.batch_alter_table("import_finding", schema=None) as batch_op:
        batch_op.drop_index("ix_import_finding_run")

    op.drop_table("import_finding")
    with op.batch_alter_table("import_change", schema=None) as batch_op:
        batch_op.drop_index("ix_import_change_run")
        batch_op.drop_index("ix_import_change_object")

    op.drop_table("import_change")
    with op.batch_alter_table("division", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_division_establishment_id"))
        batch_op.drop_index(batch_op.f("ix_division_diploma_id"))

    op.drop_table("division")
    with op.batch_alter_table("activation_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activation_code_platform_account_id"))
        batch_op.drop_index("ix_activation_code_code_hmac")
        batch_op.drop_index(batch_op.f("ix_activation_code_account_id"))

    op.drop_table("activation_code")
    with op.batch_alter_table("picture_version", schema=None) as batch_op:
        batch_op.drop_index("ix_picture_version_establishment_id_kind")

    op.drop_table("picture_version")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_exclusive_running",
            sqlite_where=sa.text("state_value = 'running'"),
            postgresql_where=sa.text("state_value = 'running'"),
        )
        batch_op.drop_index("ix_job_state")
        batch_op.drop_index(batch_op.f("ix_job_establishment_id"))

    op.drop_table("job")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index("ix_import_run_establishment_id")

    op.drop_table("import_run")
    with op.batch_alter_table("diploma", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_diploma_national_code",
            sqlite_where=sa.text("establishment_id IS NULL"),
            postgresql_where=sa.text("establishment_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_diploma_establishment_id"))

    op.drop_table("diploma")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_object")
        batch_op.drop_index("ix_audit_entry_establishment_id")
        batch_op.drop_index("ix_audit_entry_at")
        batch_op.drop_index("ix_audit_entry_actor")
        batch_op.drop_index("ix_audit_entry_action")

    op.drop_table("audit_entry")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index("ix_account_search_key")
        batch_op.drop_index(batch_op.f("ix_account_establishment_id"))

    op.drop_table("account")
    op.drop_table("platform_account")
    with op.batch_alter_table("parked_form", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parked_form_created_at"))

    op.drop_table("parked_form")
    with op.batch_alter_table("failure_counter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failure_counter_last_failure_at"))

    op.drop_table("failure_counter")
    op.drop_table("establishment")

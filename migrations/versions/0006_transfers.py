"""Transfers, the side each school sees of them, and the indexes by which pupils are matched."""

from alembic import op
import sqlalchemy as sa


revision = "0006"
down_revision = "0005"

# As 0002 says it.
IS_PLATFORM = "current_setting('cpro.scope', true) = 'platform'"
SCHOOL = "NULLIF(NULLIF(current_setting('cpro.scope', true), 'platform'), '')::integer"


def upgrade():
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("left_id", sa.Integer(), nullable=False),
        sa.Column("left_student_id", sa.Integer(), nullable=False),
        sa.Column("joined_id", sa.Integer(), nullable=False),
        sa.Column("joined_student_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_offer", sa.Boolean(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["joined_id"], ["establishment.id"], name=op.f("fk_transfer_joined_id_establishment")),
        sa.ForeignKeyConstraint(["left_id"], ["establishment.id"], name=op.f("fk_transfer_left_id_establishment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index("ix_transfer_joined", ["joined_id", "id"], unique=False)
        batch_op.create_index("ix_transfer_left", ["left_id", "id"], unique=False)
        batch_op.create_index("ix_transfer_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "ix_transfer_untold",
            ["left_id", "id"],
            unique=False,
            sqlite_where=sa.text("told_at IS NULL AND done_at IS NOT NULL"),
            postgresql_where=sa.text("told_at IS NULL AND done_at IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_transfer_current_pair",
            ["left_student_id", "joined_student_id"],
            unique=True,
            sqlite_where=sa.text("is_current = 1"),
            postgresql_where=sa.text("is_current"),
        )

    op.create_table(
        "school_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_school_pair_in_order")),
        sa.ForeignKeyConstraint(["first_id"], ["establishment.id"], name=op.f("fk_school_pair_first_id_establishment")),
        sa.ForeignKeyConstraint(
            ["second_id"], ["establishment.id"], name=op.f("fk_school_pair_second_id_establishment")
        ),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_school_pair_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_pair")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_school_pair_first_id_second_id")),
    )
    with op.batch_alter_table("school_pair", schema=None) as batch_op:
        batch_op.create_index(
            "ix_school_pair_untold",
            ["id"],
            unique=False,
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )

    op.create_table(
        "transfer_side",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("student_label", sa.String(length=210), nullable=False),
        sa.Column("other_name", sa.String(length=150), nullable=False),
        sa.Column("other_uai", sa.String(length=8), nullable=False),
        sa.Column("search_key", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_offer", sa.Boolean(), nullable=False),
        sa.Column("fiches", sa.Integer(), nullable=False),
        sa.Column("bilans", sa.Integer(), nullable=False),
        sa.Column("evaluations", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("disagreements", sa.JSON(), nullable=False),
        sa.Column("offered_birth_date", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_in", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction IN ('left', 'joined')", name=op.f("ck_transfer_side_direction")),
        sa.ForeignKeyConstraint(
            ["establishment_id", "student_id"],
            ["student.establishment_id", "student.id"],
            name="fk_transfer_side_student",
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_transfer_side_establishment_id_establishment")
        ),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_side_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_side")),
        sa.UniqueConstraint("establishment_id", "id", name=op.f("uq_transfer_side_establishment_id_id")),
        sa.UniqueConstraint("transfer_id", "direction", name=op.f("uq_transfer_side_transfer_id_direction")),
    )
    with op.batch_alter_table("transfer_side", schema=None) as batch_op:
        batch_op.create_index("ix_transfer_side_done_at", ["establishment_id", "done_at", "id"], unique=False)
        batch_op.create_index("ix_transfer_side_list", ["establishment_id", "direction", "state", "id"], unique=False)
        batch_op.create_index("ix_transfer_side_search_key", ["establishment_id", "search_key", "id"], unique=False)
        batch_op.create_index("ix_transfer_side_student", ["establishment_id", "student_id", "id"], unique=False)

    # Pupils are matched by their INE, whatever their school: present ones and departed ones apart.
    with op.batch_alter_table("student", schema=None) as batch_op:
        for name, on_sqlite, on_postgresql in (
            ("ix_student_present_ine", "is_active = 1", "is_active"),
            ("ix_student_departed_ine", "is_active = 0", "NOT is_active"),
        ):
            batch_op.create_index(
                name,
                ["ine"],
                unique=False,
                postgresql_include=["establishment_id", "id"],
                sqlite_where=sa.text(f"{on_sqlite} AND ine IS NOT NULL"),
                postgresql_where=sa.text(f"{on_postgresql} AND ine IS NOT NULL"),
            )
    _protect_rows()


def downgrade():
    with op.batch_alter_table("student", schema=None) as batch_op:
        batch_op.drop_index("ix_student_departed_ine")
        batch_op.drop_index("ix_student_present_ine")

    op.drop_table("transfer_side")
    op.drop_table("school_pair")
    op.drop_table("transfer")


def _protect_rows():
    """Have PostgreSQL repeat the tenancy filter; policies go with their tables."""
    if op.get_bind().dialect.name != "postgresql":
        return
    own = f"establishment_id = {SCHOOL}"
    for table, seen in (("transfer_side", own), ("transfer", "false"), ("school_pair", "false")):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenancy ON {table} USING ({IS_PLATFORM} OR {seen}) WITH CHECK ({IS_PLATFORM} OR {seen})"
        )

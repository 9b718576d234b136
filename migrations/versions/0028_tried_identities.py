"""The identities that a school tried under an INE of another school's pupil, as digests, and until when it is held."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As 0008 says it.
IS_PLATFORM = "(SELECT current_setting('cpro.scope', true) = 'platform')"


def upgrade() -> None:
    op.create_table(
        "tried_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("establishment_id", sa.Integer(), nullable=False),
        sa.Column("ine_digest", sa.String(length=64), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["establishment_id"],
            ["establishment.id"],
            name=op.f("fk_tried_identity_establishment_id_establishment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tried_identity")),
        sa.UniqueConstraint(
            "ine_digest", "establishment_id", "identity_digest", name=op.f("uq_tried_identity_ine_digest_establishment_id_identity_digest")
        ),
    )
    op.create_index("ix_tried_identity_tried_at", "tried_identity", ["tried_at"])
    op.add_column("transfer_side", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "postgresql":  # of the platform: no school reads it
        op.execute("ALTER TABLE tried_identity ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE tried_identity FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenancy ON tried_identity USING ({IS_PLATFORM}) WITH CHECK ({IS_PLATFORM})")


def downgrade() -> None:
    op.drop_column("transfer_side", "held_until")
    op.drop_table("tried_identity")

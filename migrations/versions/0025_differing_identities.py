"""A side says that identities differ, never in what; it names no school of origin that did not agree."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Confirmed by the destination school alone, as it once could; what is done stays as it was read.
_UNAGREED = """
SELECT side.id, side.student_label
FROM transfer_side AS side
JOIN transfer ON transfer.id = side.transfer_id
WHERE side.direction = 'joined' AND side.identities_differ AND side.state <> 'done'
      AND NOT transfer.is_offer AND transfer.agreed_at IS NULL AND transfer.left_id <> transfer.joined_id
"""


def upgrade() -> None:
    op.add_column(
        "transfer_side", sa.Column("identities_differ", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        f"UPDATE transfer_side SET identities_differ = {_true()} WHERE CAST(disagreements AS TEXT) NOT IN ('[]', 'null')"
    )
    op.drop_column("transfer_side", "disagreements")
    connection = op.get_bind()
    for row in connection.execute(sa.text(_UNAGREED)).all():
        connection.execute(
            sa.text("UPDATE transfer_side SET other_name = '', other_uai = '', search_key = :key WHERE id = :id"),
            {"key": _fold(row.student_label)[:400], "id": row.id},
        )


def downgrade() -> None:
    # In what they differ follows at the next run.
    op.add_column("transfer_side", sa.Column("disagreements", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE transfer_side SET disagreements = '[\"last_name\"]' WHERE identities_differ")
    op.drop_column("transfer_side", "identities_differ")


def _true() -> str:
    return "true" if op.get_bind().dialect.name == "postgresql" else "1"


def _fold(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate({0xE6: "ae", 0x153: "oe"}))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))

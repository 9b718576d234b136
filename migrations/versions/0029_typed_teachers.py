"""Teachers' accounts that are typed wait for the head, unless a head said that none does."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SAID = "SELECT establishment_id FROM audit_entry WHERE action = 'establishment:teachers:consent'"


def upgrade() -> None:
    op.add_column(
        "establishment",
        sa.Column("typed_teachers_open_at_once", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    true = "true" if op.get_bind().dialect.name == "postgresql" else "1"
    op.execute(
        f"UPDATE establishment SET typed_teachers_open_at_once = {true} "
        f"WHERE NOT teachers_need_consent AND id IN ({SAID})"
    )


def downgrade() -> None:
    op.drop_column("establishment", "typed_teachers_open_at_once")

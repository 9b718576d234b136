"""Until when the browser of a sign-in is trusted by its owner: such a sign-in lasts longer than others."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch, as in 0041. Those that are open keep the shorter life.
    op.add_column("sign_in", sa.Column("trusted_until", sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column("sign_in", "trusted_until")

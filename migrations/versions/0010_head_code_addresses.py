"""Where a head's code goes, apart from what a school types of itself.

Schools that exist already get no such address: what they typed is no proof. Their heads in place keep their accounts;
the code of one who has not activated theirs is drawn on the command line, until a head signed in confirms the school's
address or the command line gives one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("establishment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("head_email", sa.String(254), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("official_uai", sa.String(8), nullable=True))
        batch_op.add_column(sa.Column("confirmed_email", sa.String(254), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("establishment", schema=None) as batch_op:
        batch_op.drop_column("confirmed_email")
        batch_op.drop_column("official_uai")
        batch_op.drop_column("head_email")

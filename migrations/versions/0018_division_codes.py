"""Codes of divisions take their one form: NFC, single blanks, no unseen character.

A code whose form another division of the school has stays as it is: two classes are never made one in silence, and the
dashboard tells of both. Nothing is to be undone: the earlier form is not kept.
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DIVISION = sa.table("division", sa.column("id"), sa.column("establishment_id"), sa.column("code"))
UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(DIVISION).order_by(DIVISION.c.id)).all()
    taken = {(row.establishment_id, row.code) for row in rows}
    for row in rows:
        code = " ".join(unicodedata.normalize("NFC", UNSEEN.sub("", row.code)).split())
        if code and (row.establishment_id, code) not in taken:
            taken.add((row.establishment_id, code))
            connection.execute(sa.update(DIVISION).where(DIVISION.c.id == row.id).values(code=code))


def downgrade() -> None:
    pass

"""A transfer whose identities disagree no longer names the other school, until a school answers for them."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_OPEN = """
SELECT side.id, side.student_label, CAST(side.disagreements AS TEXT) AS stored,
       one.last_name AS last, one.usage_name AS usage, one.first_name AS first, one.birth_date AS born,
       two.last_name AS other_last, two.usage_name AS other_usage, two.first_name AS other_first,
       two.birth_date AS other_born
FROM transfer_side AS side
JOIN transfer ON transfer.id = side.transfer_id
LEFT JOIN student AS one ON one.id = transfer.left_student_id
LEFT JOIN student AS two ON two.id = transfer.joined_student_id
WHERE side.done_at IS NULL AND NOT transfer.is_offer AND transfer.confirmed_at IS NULL
      AND transfer.left_id <> transfer.joined_id
"""


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text(_OPEN)).all():
        if row.stored not in (None, "[]", "null") or _disagree(row):
            connection.execute(
                sa.text("UPDATE transfer_side SET other_name = '', other_uai = '', search_key = :key WHERE id = :id"),
                {"key": _fold(row.student_label)[:400], "id": row.id},
            )


def downgrade() -> None:
    # What the side is searched by follows at its next change.
    for column, value in (("other_name", "name"), ("other_uai", "COALESCE(uai, '')")):
        op.execute(
            f"UPDATE transfer_side SET {column} = (SELECT {value} FROM establishment JOIN transfer ON establishment.id = "
            "CASE transfer_side.direction WHEN 'left' THEN transfer.joined_id ELSE transfer.left_id END "
            f"WHERE transfer.id = transfer_side.transfer_id) WHERE {column} = ''"
        )


def _disagree(row) -> bool:
    if row.last is None or row.other_last is None:
        return False
    if row.born and row.other_born and str(row.born)[:10] != str(row.other_born)[:10]:
        return True
    mine, theirs = filter(None, (row.last, row.usage)), list(filter(None, (row.other_last, row.other_usage)))
    return not (any(_agree(a, b) for a in mine for b in theirs) and _agree(row.first, row.other_first))


def _agree(one: str, other: str) -> bool:
    mine, theirs = re.findall(r"\w+", _fold(one)), re.findall(r"\w+", _fold(other))
    fewer, more = sorted((set(mine), set(theirs)), key=len)
    return "".join(mine) == "".join(theirs) or bool(fewer) and fewer <= more


def _fold(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().translate({0xE6: "ae", 0x153: "oe"}))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))

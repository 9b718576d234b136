"""The CAP Électricien under its official code, 50025524, in place of the word « CAP-ELEC » it was shipped with."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_WORD, _CODE = "CAP-ELEC", "50025524"
# A school's own diploma of either name is left alone, and so is what was evaluated for it. Lines of the journal stay
# as they were written.
_NATIONAL = "SELECT id FROM diploma WHERE code = :new AND establishment_id IS NULL"


def upgrade() -> None:
    _rename(_WORD, _CODE)


def downgrade() -> None:
    _rename(_CODE, _WORD)


def _rename(old: str, new: str) -> None:
    connection, names = op.get_bind(), {"old": old, "new": new}
    if connection.scalar(sa.text(_NATIONAL), names) is not None:  # a newer list was loaded first
        return
    connection.execute(sa.text("UPDATE diploma SET code = :new WHERE code = :old AND establishment_id IS NULL"), names)
    connection.execute(
        sa.text(
            "UPDATE evaluation SET diploma_code = :new WHERE diploma_code = :old AND competence_id IN "
            f"(SELECT id FROM competence WHERE diploma_id IN ({_NATIONAL}))"
        ),
        names,
    )

"""One writer of the imports of a school at a time, by a lock that nobody else needs.

The school's row is another matter: signing in, saving a setting and each line of the journal need it, so whatever
takes long takes it in its last instants. Whoever needs both locks takes this one first.
"""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from cpro.core.locks import is_busy, take_named_lock
from cpro.core.tenancy import scope_of
from cpro.establishments.models import Establishment
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.refusals import ImportUnderWay

#: The family of these locks among those of PostgreSQL: any number, as long as nothing else uses it.
_FAMILY = 0x4350494D


def hold_imports() -> None:
    """Keep the imports of the school from other writers until the commit.

    Raises `ImportUnderWay` when another one keeps them for longer than one waits.
    """
    school_id = scope_of(db.session()).establishment_id
    assert school_id is not None, "imports are of one school"
    try:
        take_named_lock(db.session(), _FAMILY, school_id)
    except OperationalError as error:
        if not is_busy(error):
            raise
        raise ImportUnderWay from error


def lock_imports() -> Establishment:
    """Keep the imports and the row of the school until the commit, for what is short, and return the school.

    Raises `ImportUnderWay`.
    """
    hold_imports()
    return lock_current_establishment()

"""Who may import, and the locks that serialise the writing of a school's imports.

Imports have a named lock of their own. The school's row is not suitable: signing in, saving a setting and each line of
the journal lock it too, so a long transaction locks it only just before its commit. Code that needs both locks takes
that of the imports first.
"""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from cpro.core.database_errors import is_busy
from cpro.core.locks import take_named_lock
from cpro.core.permissions import Actor
from cpro.core.tenancy import scope_of
from cpro.establishments.gate import GateClosed, MissingParticular, missing_particulars
from cpro.establishments.models import Establishment
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.errors import ImportUnderWay
from cpro.imports.models import ImportRun
from cpro.users.operations.rules import is_command_line

#: The namespace of these locks among PostgreSQL's advisory locks: any number not used elsewhere.
_FAMILY = 0x4350494D


def list_missing(school: Establishment, *, by: Actor) -> list[MissingParticular]:
    """Return the particulars required before an import that are missing; empty when an import may begin now.

    The command line does not require the e-mail address: it fills schools just created (`establishments create`), and
    has no action to set it.
    """
    missing = missing_particulars(school)
    return [each for each in missing if each.field != "email"] if is_command_line(by) else missing


def require_may_import(school: Establishment, *, by: Actor) -> None:
    """Raise `GateClosed` if a particular is missing."""
    missing = list_missing(school, by=by)
    if missing:
        raise GateClosed(missing)


def lock_imports() -> None:
    """Lock the imports of the school until the commit.

    Raises `ImportUnderWay` if another transaction still holds the lock after the timeout (`core.locks`).
    """
    school_id = scope_of(db.session()).establishment_id
    assert school_id is not None, "imports are of one school"
    try:
        take_named_lock(db.session(), _FAMILY, school_id)
    except OperationalError as error:
        if not is_busy(error):
            raise
        raise ImportUnderWay from error


def lock_imports_and_school() -> Establishment:
    """Lock the imports and the school's row until the commit, and return the school; for short transactions only.

    Raises `ImportUnderWay`.
    """
    lock_imports()
    return lock_current_establishment()


def lock_run(run: ImportRun) -> Establishment:
    """Lock as `lock_imports_and_school` does, and reload the state of an import, which may have changed."""
    school = lock_imports_and_school()
    db.session.refresh(run)
    return school

"""May this school import: one rule for the pages, the jobs and the command line."""

from __future__ import annotations

from cpro.core.permissions import Actor
from cpro.establishments.gate import GateClosed, MissingParticular, missing_particulars
from cpro.establishments.models import Establishment
from cpro.users.operations.rules import is_command_line


def list_missing(school: Establishment, *, by: Actor) -> list[MissingParticular]:
    """Return the particulars an import waits for; none when somebody may import now.

    The command line does without the e-mail address: it fills the schools that it has just opened (`establishments
    create`), and has no action to give them one.
    """
    missing = missing_particulars(school)
    return [each for each in missing if each.field != "email"] if is_command_line(by) else missing


def require_may_import(school: Establishment, *, by: Actor) -> None:
    """Raise `GateClosed` while a particular is missing."""
    missing = list_missing(school, by=by)
    if missing:
        raise GateClosed(missing)

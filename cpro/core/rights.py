"""French sentences on what a role may read of a school, derived from the table of permissions.

Granting or removing a permission changes the sentence; `tests/test_rights_sentences.py` checks the other sentences
that name permissions against the same table.
"""

from __future__ import annotations

from cpro.core.formatting import join_french
from cpro.core.permissions import Permission, Role, roles_with

#: What each permission allows to read, as the end of a sentence, the most requested first.
READABLE = {
    Permission.PARTICULARS_VIEW: "les renseignements de l’établissement",
    Permission.STUDENTS_VIEW: "ses élèves, ses divisions et ses diplômes",
    Permission.SCENARIOS_VIEW: "les scénarios des enseignants",
    Permission.PUPIL_RECORDS_READ: "les fiches, les évaluations et les bilans des apprenants",
    Permission.MEFS_VIEW: "les formations (MEF)",
    Permission.MASKS_VIEW: "les masques de saisie",
    Permission.LOGO_VIEW: "le logo",
    Permission.USERS_VIEW: "les comptes",
    Permission.IMPORTS_VIEW: "les imports",
    Permission.TRANSFERS_VIEW: "les transferts",
    Permission.JOURNAL_VIEW: "le journal",
}


def list_read_by(role: Role) -> list[str]:
    """Return what a role may read, as sentence endings."""
    return [words for permission, words in READABLE.items() if role.can(permission)]


def list_closed_to(role: Role) -> list[str]:
    """Return what a role may never read, as sentence endings."""
    return [words for permission, words in READABLE.items() if not role.can(permission)]


def describe_read_under_mandate() -> str:
    """Return what an inspector may read: « les renseignements de l’établissement, … et les … »."""
    return join_french(list_read_by(_under_mandate()))


def describe_closed_under_mandate() -> str:
    """Return what an inspector may never read, joined with « ni »."""
    closed = list_closed_to(_under_mandate())
    return " ni ".join(filter(None, [", ".join(closed[:-1]), *closed[-1:]]))


def _under_mandate() -> Role:
    return next(iter(roles_with(Permission.MANDATE_ENTER)))


def list_doers(act: Permission) -> list[str]:
    """Return who performs an action in a school, as named in sentences: « l’administrateur »."""
    return [role.doer for role in roles_with(act) if role.doer]

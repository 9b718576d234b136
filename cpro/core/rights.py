"""French sentences on what a role reads of a school, derived from the table of permissions.

A right that is given or withdrawn changes the sentence; `tests/test_rights_sentences.py` holds the other sentences that
name rights against the same table.
"""

from __future__ import annotations

from cpro.core.formatting import join_french
from cpro.core.permissions import ROLE_PERMISSIONS, Permission, Role

#: What each right allows to read, as the end of a sentence, the most asked for first.
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
    """Return what a role may read, as the ends of a sentence."""
    return [words for permission, words in READABLE.items() if permission in ROLE_PERMISSIONS[role]]


def list_closed_to(role: Role) -> list[str]:
    """Return what a role may never read, as the ends of a sentence."""
    return [words for permission, words in READABLE.items() if permission not in ROLE_PERMISSIONS[role]]


def describe_read_by(role: Role) -> str:
    """Return what a role may read: « les renseignements de l’établissement, … et les … »."""
    return join_french(list_read_by(role))


def describe_closed_to(role: Role) -> str:
    """Return what a role may never read, joined with « ni »."""
    return " ni ".join(filter(None, [", ".join(list_closed_to(role)[:-1]), *list_closed_to(role)[-1:]]))

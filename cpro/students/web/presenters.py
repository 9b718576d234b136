"""What pages say of pupils without an INE."""

from __future__ import annotations

from cpro.students.queries import count_active_students


def describe_no_missing_ine() -> str:
    """Return what is said where no pupil lacks an INE: nothing of pupils where there are none yet."""
    if not count_active_students():
        return "Aucun élève n’est encore présent dans l’établissement."
    return "Tous vos élèves ont un INE : aucun n’est écarté des transferts."

"""The confirmations required before an import is applied, each with a sentence stating the figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import format_count, format_school_year, plural
from cpro.imports.diff.sources import current_school_year

#: Beyond this share of the active pupils, deactivations must be confirmed: the file may be partial.
MAX_DEACTIVATED = 0.20
CONFIRM_DEACTIVATIONS, CONFIRM_YEAR = "deactivations", "year"


def list_confirmations(counts: Mapping[str, Any], *, school_year: int, today: dt.date) -> list[dict[str, str]]:
    """Return the confirmations required for an import with these figures, [{"key", "sentence"}]."""
    needed = []
    current = current_school_year(today)
    if school_year != current:
        needed.append(
            {
                "key": CONFIRM_YEAR,
                "sentence": f"Les fichiers sont de l’année scolaire {format_school_year(school_year)}, et l’année en "
                f"cours est {format_school_year(current)} : confirmez l’année.",
            }
        )
    gone, active = counts["students"]["deactivated"], counts["active_before"]["students"]
    if gone and gone > MAX_DEACTIVATED * active:
        needed.append(
            {
                "key": CONFIRM_DEACTIVATIONS,
                "sentence": f"{plural(gone, 'élève serait désactivé', 'élèves seraient désactivés')} sur "
                f"{format_count(active)} ({round(100 * gone / active)} %). Si le fichier est partiel, "
                "abandonnez l’import\u202f; s’il est complet, confirmez les désactivations.",
            }
        )
    return needed

"""Two people on one form: the second is told, and loses nothing.

A form carries the fingerprint of the values it was drawn from; the operation compares it, under the write lock, with
the values as they are now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cpro.core.errors import Conflict


class StaleForm(Conflict):
    """Refuse to overwrite what was saved since the form was opened; carries the values as they are now."""

    def __init__(self, theirs: Mapping[str, Any]) -> None:
        super().__init__(
            "Quelqu’un a enregistré cette page pendant que vous la remplissiez. Rien n’a été écrasé : "
            "comparez ci-dessous, puis validez à nouveau pour garder ce que vous avez saisi."
        )
        self.theirs = dict(theirs)


def fingerprint(values: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal characters that change whenever one of the values does."""
    canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def check_fresh(stored: Mapping[str, Any], opened_on: str | None) -> None:
    """Raise `StaleForm` unless the stored values are those the form was opened on.

    Without a fingerprint (a script that posts the documented fields alone) nothing is compared.
    """
    if opened_on and opened_on != fingerprint(stored):
        raise StaleForm(stored)

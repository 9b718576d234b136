"""The gate: name, e-mail and UAI must be known before users are created or a passport is exported.

The rule comes from the client's manual (« Attention ! Le nom, l'adresse électronique et le code UAI… »); every feature
that it blocks checks it here. A gated screen never hides its button: it names the missing particular, with a link to
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpro.core.errors import DomainError
from cpro.core.formatting import join_french
from cpro.establishments.models import Establishment


@dataclass(frozen=True)
class MissingParticular:
    """One particular that the gate requires: the field's name in the form, and its everyday label."""

    field: str
    label: str


_GATED = (
    MissingParticular("name", "le nom"),
    MissingParticular("email", "l’adresse électronique"),
    MissingParticular("uai", "le code UAI"),
)


def missing_particulars(establishment: Establishment) -> list[MissingParticular]:
    """Return the particulars still to be filled in; an empty list means that the gate is open."""
    return [particular for particular in _GATED if not getattr(establishment, particular.field)]


class GateClosed(DomainError):
    """The school lacks required particulars; `missing` lists them."""

    status = 409

    def __init__(self, missing: Sequence[MissingParticular]) -> None:
        what = join_french([each.label for each in missing])
        verb = "manque" if len(missing) == 1 else "manquent"
        super().__init__(
            f"{what[0].upper()}{what[1:]} de l’établissement {verb}\u202f: complétez d’abord Paramètres, onglet "
            "Établissement."
        )
        self.missing = list(missing)


def require_open_gate(establishment: Establishment) -> None:
    """Raise `GateClosed` while a particular is missing."""
    missing = missing_particulars(establishment)
    if missing:
        raise GateClosed(missing)

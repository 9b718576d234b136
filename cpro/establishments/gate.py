"""The gate: name, e-mail and UAI must be known before users are created or a passport is exported.

The rule of the client's manual (« Attention ! Le nom, l'adresse électronique et le code UAI… »), asked here by every
room that it stops. A gated screen never hides its button: it says which particular is missing, with a link to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cpro.establishments.models import Establishment


@dataclass(frozen=True)
class MissingParticular:
    """One particular that the gate waits for: the field's name in the form, and how people call it."""

    field: str
    label: str


_GATED = (
    MissingParticular("name", "le nom"),
    MissingParticular("email", "l’adresse électronique"),
    MissingParticular("uai", "le code UAI"),
)


def missing_particulars(establishment: Establishment) -> list[MissingParticular]:
    """Return the particulars still to be filled in; an empty list opens the gate."""
    return [particular for particular in _GATED if not getattr(establishment, particular.field)]

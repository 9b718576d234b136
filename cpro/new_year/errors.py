"""Why a step, or the whole of a new school year, is not declared done."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, Forbidden


class NotYours(Forbidden):
    """Refuse to mark a step that is not the actor's to do."""


class JudgedByFigures(DomainError):
    """Refuse to mark a step whose state follows from figures."""

    message = "Cette étape se juge sur ses chiffres\u202f: elle est faite quand il ne reste rien."


class StepsRemain(Conflict):
    """Refuse to finish while steps are neither done nor set aside."""

"""Reasons why a step, or the whole new school year, cannot be declared done."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, Forbidden


class NotYours(Forbidden):
    """The step is not the actor's to do."""


class JudgedByFigures(DomainError):
    """The state of the step follows from its figures, so it cannot be marked."""

    message = "Cette étape se juge sur ses chiffres\u202f: elle est faite quand il ne reste rien."


class StepsRemain(Conflict):
    """Some steps are neither done nor set aside."""

"""Records: what a pupil met, was evaluated on and was told — *fiches*, *évaluations*, *bilans*.

Words: a *fiche* tells a situation met in school or in company; an *évaluation* gives a level, from 1 to 4, to a
competence; a *bilan* sums up a period. Each bears an `origin_uid`, born once and carried by the copies that transfers
make. Invariants: the records of a pupil who has left are frozen; a copy received from another school is read-only;
neither the administrator nor the support ever sees any of it, in any screen, export, journal line or message.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application."""
    from cpro.records import models  # noqa: F401

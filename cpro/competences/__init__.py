"""Competences: what each diploma expects, in a numbered list.

Words: a competence is known in its diploma by its *code* (C1). National lists are the same for all; a school keeps
lists for its own diplomas beside them. Invariant: a competence that a record names is never deleted.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application."""
    from cpro.competences import models  # noqa: F401

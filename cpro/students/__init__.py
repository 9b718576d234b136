"""Diplomas, divisions and students of a school.

Words: the *INE* is the national identifier that lets a pupil's records follow them; a *division* is a class; a
*departed* student is inactive, never deleted.
Invariant: no form writes an INE; only a file brings it.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application: the list of students without INE and what the settings change for them."""
    from cpro.students import places, views

    app.register_blueprint(views.bp)
    places.fill(app)

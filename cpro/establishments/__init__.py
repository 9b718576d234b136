"""Establishments and their settings: particulars, transfers switch, logo and stamp; what is missing and what it blocks.

Words: the *particulars* are the tab Établissement; the *gate* is the rule that name, e-mail and UAI must be known
before users are created or a passport is exported (`gate.py`); the *stamp* is the cachet.
Invariants: transfers are never on without a reference (constraint ck_establishment_transfers_need_reference); a UAI
is unique on the platform; a picture is always one we encoded ourselves.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application: routes, commands, tabs, help."""
    from cpro.establishments import commands, places, views

    app.register_blueprint(views.bp)
    app.cli.add_command(commands.establishments)
    app.cli.add_command(commands.uploads)
    places.fill(app)

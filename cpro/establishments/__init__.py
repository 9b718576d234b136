"""Establishments and their settings: particulars, transfers switch, logo and stamp; what is missing and what that
blocks.

Terms: the *particulars* are the tab Établissement; the *gate* is the rule that name, e-mail and UAI must be known
before users are created or a passport is exported (`gate.py`); the *stamp* is the cachet.

Invariants: transfers are never on without a reference (constraint ck_establishment_transfers_need_reference); a UAI is
unique on the platform; every stored picture was encoded by us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: commands, jobs, and the hooks that other pages use."""
    from cpro.establishments import audit_labels, commands
    from cpro.establishments import jobs as _declared  # noqa: F401  # its handlers register on import
    from cpro.establishments.web import hooks

    app.cli.add_command(commands.establishments)
    app.cli.add_command(commands.uploads)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)


def register_admin(site: Admin) -> None:
    """Add the feature's generated screens to the administration site."""
    from cpro.establishments.models import Establishment
    from cpro.establishments.web.screens import EstablishmentsScreen

    site.add_view(EstablishmentsScreen(Establishment, url="/admin/etablissements", endpoint="etablissements"))

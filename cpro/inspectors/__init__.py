"""Inspectors' access to a school: mandates, opened and closed by the school's head alone.

Words: a *mandate* names an inspector, diplomas (all or chosen), dates and a purpose; it *runs* from its first day to
the end of its last, on the school's clocks, unless it was *closed*; the module switched off *suspends* it.
Invariants: a mandate is nothing but a scope (decision 0007), read again at each request; two mandates of one inspector
in one school never share a day; a school never learns whether an inspector's account existed, nor changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: what opens a school to an inspector, help."""
    from cpro.inspectors import audit_labels
    from cpro.inspectors.web import hooks

    audit_labels.register_audit_labels()
    hooks.register_hooks(app)


def register_admin(site: Admin) -> None:
    """Add the feature's generated screen to the administration site."""
    from cpro.inspectors.models import Mandate
    from cpro.inspectors.web.screens import MandatesScreen

    site.add_view(MandatesScreen(Mandate, url="/admin/mandats", endpoint="mandats"))

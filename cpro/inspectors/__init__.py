"""Inspectors' access to a school: mandates, opened and closed only by the school's head.

Words: a *mandate* names an inspector, diplomas (all or a selection), dates and a purpose; it is *running* from its
first day to the end of its last, in the school's time zone, unless it was *closed*; switching the module off *suspends*
it.
Invariants: a mandate is only a scope (decision 0007), read again at each request; two mandates of one inspector in one
school never overlap; a school never learns whether an inspector's account existed, and never changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: the schools open to inspectors, help."""
    from cpro.inspectors import audit_labels
    from cpro.inspectors.web import hooks

    audit_labels.register_audit_labels()
    hooks.register_hooks(app)


def register_admin(site: Admin) -> None:
    """Add the feature's generated screen to the administration site."""
    from cpro.inspectors.models import Mandate
    from cpro.inspectors.web.screens import MandatesScreen

    site.add_view(MandatesScreen(Mandate, url="/admin/mandats", endpoint="mandats"))

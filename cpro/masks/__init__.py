"""Masks: the entry labels of the scenario screen as customised by a school, per diploma.

Terms: a *wording* is what the school typed; the *default* is shown without one. Only wordings that differ from the
default are stored. Invariant: setting or resetting a diploma's masks never changes another diploma's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: its event listeners, its audit labels."""
    from cpro.core import events
    from cpro.masks import audit_labels, operations

    events.diploma_deletion_requested.connect(operations.forbid_deletion)
    audit_labels.register_audit_labels()


def register_admin(site: Admin) -> None:
    """Add the feature's generated screens to the administration site."""
    from cpro.masks.models import Mask
    from cpro.masks.web.screens import MasksScreen

    site.add_view(MasksScreen(Mask, url="/admin/masques", endpoint="masques"))

"""Records: what a pupil did, their evaluations and their reviews — *fiches*, *évaluations*, *bilans*.

Terms: a *fiche* describes a situation met in school or in company; an *évaluation* gives a level, from 1 to 4, to a
competence; a *bilan* sums up a period. Each has an `origin_uid`, set once at creation and kept by the copies that
transfers make. Invariants: the records of a departed pupil are frozen; a copy received from another school is
read-only; the administrator and the support never see any record, in any screen, export, journal line or message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: pages, help, audit labels, the nightly deletion."""
    from cpro.records import audit_labels, commands
    from cpro.records import jobs as _declared  # noqa: F401  # its handler registers on import
    from cpro.records.web import hooks
    from cpro.records.web.views import bilans, bp, division, evaluations, fiches, grid, pupils  # noqa: F401

    app.register_blueprint(bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)
    app.cli.add_command(commands.make_group())

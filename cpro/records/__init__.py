"""Records: what a pupil did, their evaluations and their reviews — *fiches*, *évaluations*, *bilans*.

Words: a *fiche* describes a situation met in school or in company; an *évaluation* gives a level, from 1 to 4, to a
competence; a *bilan* sums up a period. Each bears an `origin_uid`, born once and carried by the copies that transfers
make. Invariants: the records of a pupil who has left are frozen; a copy received from another school is read-only;
neither the administrator nor the support ever sees any of it, in any screen, export, journal line or message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: pages, help, words of the journal, the nightly deletion."""
    from cpro.records import audit_labels, commands
    from cpro.records import jobs as _declared  # noqa: F401  # its handler, known once imported
    from cpro.records.web import hooks
    from cpro.records.web.views import bilans, bp, division, evaluations, fiches, grid, pupils  # noqa: F401

    app.register_blueprint(bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)
    app.cli.add_command(commands.make_group())

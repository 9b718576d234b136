"""Passport: a pupil's portfolio as a PDF, and its public verification.

Words: an *issue* is one passport rendered and recorded; its *code* is printed with a QR. `/verifier/<code>` says which
school issued it, on which day, with how many pages and entries, and compares an uploaded copy by its digest; it reveals
nothing personal and never says « authentique ». An *archive* contains the passports of a division, for a few days.
Invariants: the content of a passport is stored only in an archive, otherwise its digest alone; each exported passport
is issued, by a row and a line of the journal; a preview shows an invented pupil and is not issued. An inspector reads
the records and exports no passport: a mandate exports nothing, and issuing writes (decision 0007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: passports, their public page, previews and jobs."""
    from cpro.passport import audit_labels, commands
    from cpro.passport import jobs as _declared  # noqa: F401  # importing it declares its handlers
    from cpro.passport.web import hooks
    from cpro.passport.web.views import divisions, passports, previews, verification

    for bp in (passports.bp, divisions.bp, previews.bp, verification.bp):
        app.register_blueprint(bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)
    app.cli.add_command(commands.make_group())

"""Transfers: copies of a pupil's records from the source school to the destination school.

Words: a *transfer* links one pupil of the source school (A) to the same pupil of the destination school (B); each
school has its own *side* of it, under the ordinary filter; a *run* looks for pairs of pupils with the same INE and
copies what may be copied. Invariants: a record is copied once, whatever is interrupted or repeated; only the
destination school receives records; the source school keeps its own. Only this feature works across schools, in a
platform session: it reads in `matching`, decides what may happen in `lifecycle`, writes in `verdicts`, `copies` and one
file per action of people or of the platform. The pages of a school read its sides and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: its pages, jobs, triggers of runs, command and audit labels."""
    from cpro.core import events
    from cpro.core.jobs.commands import make_task_command
    from cpro.transfers import audit_labels, commands, jobs
    from cpro.transfers.web import hooks
    from cpro.transfers.web.views import actions, offers, transfers  # noqa: F401  # all add to `transfers.bp`

    app.register_blueprint(transfers.bp)
    hooks.register_hooks(app)
    events.import_applied.connect(jobs.after_import)
    events.presence_changed.connect(jobs.after_presence)
    events.transfers_switched.connect(jobs.after_switch)
    events.import_undone.connect(jobs.before_undoing)
    commands.group.add_command(make_task_command("forget", "transfers:forget"))
    app.cli.add_command(commands.group)
    audit_labels.register_audit_labels()


def register_admin(site: Admin) -> None:
    """Add the feature's generated screen to the administration site."""
    from cpro.transfers.models import TransferSide
    from cpro.transfers.web.screens import TransfersScreen

    site.add_view(TransfersScreen(TransferSide, url="/admin/transferts", endpoint="transferts"))

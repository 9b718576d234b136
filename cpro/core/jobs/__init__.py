"""Long-running work, done by a worker beside the web server: a job is a row, the only source of truth.

Words: a *kind* is what a job does (`imports:apply`), a *handler* the function that does it, a *lease* the time a
worker may stay silent before the job is taken from it, a *wake-up* the Huey message that wakes a worker. Invariants:
a job is written in the transaction of the action that requested it; wake-ups may be lost or repeated, the periodic
sweep makes up for them; a worker may be killed at any line, so every handler can be run again; the effect of a job
and its end are committed together (`JobContext.finish_within`), or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register jobs in the application: queue, progress page, `flask worker`, `flask jobs`."""
    from cpro.core.jobs import commands, housekeeping, queue
    from cpro.core.web import jobs as progress

    app.extensions["cpro_jobs"] = queue.WakeUps(app.config)
    app.register_blueprint(progress.bp)
    app.cli.add_command(commands.worker)
    app.cli.add_command(commands.jobs)
    housekeeping.register()
    commands.jobs.add_command(commands.make_task_command("purge", "jobs:purge"))

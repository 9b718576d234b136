"""Command line: run the nightly tasks by hand."""

from __future__ import annotations

from flask.cli import AppGroup

from cpro.core.jobs.commands import make_task_command


def make_group() -> AppGroup:
    """Return the commands of the feature, once its jobs are declared."""
    group = AppGroup("passport", help="Passeports.")
    group.add_command(make_task_command("sweep", "passport:sweep"))
    return group

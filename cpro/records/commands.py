"""Command line: run the nightly jobs manually."""

from __future__ import annotations

from flask.cli import AppGroup

from cpro.core.jobs.commands import make_task_command


def make_group() -> AppGroup:
    """Return the commands of the feature, once its jobs are registered."""
    group = AppGroup("records", help="Fiches, évaluations et bilans.")
    group.add_command(make_task_command("expire", "records:expire"))
    return group

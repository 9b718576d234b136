"""Command line: the worker."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from cpro.core.commands import sentences


@click.command("worker")
@click.option("--child", is_flag=True, help="Stop when standard input ends: whoever started this worker is gone.")
@with_appcontext
@sentences
def worker(child: bool) -> None:
    """Do the long work (imports, nightly tasks) until SIGTERM or Ctrl+C."""
    from cpro.core.jobs.worker import run_worker

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the worker's threads need the application
    if not child:
        click.echo("Le traitement des tâches est démarré ; Ctrl+C pour arrêter.")
    run_worker(app, is_child=child)

"""Command line: start a run immediately."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from cpro.core import clock
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.formatting import plural
from cpro.transfers.jobs import expire_offers
from cpro.transfers.runs import run

group = AppGroup("transfers", help="Transferts des données des élèves entre établissements.")


@group.command(
    "run",
    help="Rapprocher les élèves de tous les établissements et copier ce qui peut l’être (fait aussi chaque nuit).",
)
@sentences
def run_command() -> None:
    """Expire old offers, match the pupils of all schools and copy what may be copied; only counts are printed."""
    expire_offers(by=COMMAND_LINE, now=clock.utcnow())
    figures = run(by=COMMAND_LINE, clock=clock.utcnow)
    click.echo(
        f"{plural(figures.transfers, 'transfert effectué', 'transferts effectués')}, "
        f"{plural(figures.records, 'donnée copiée', 'données copiées')}, "
        f"{plural(figures.changed, 'autre dossier mis à jour', 'autres dossiers mis à jour')}."
    )

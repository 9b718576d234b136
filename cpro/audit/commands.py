"""Command line: check that the journal is intact."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from cpro.audit import chain
from cpro.core import tenancy
from cpro.core.commands import sentences
from cpro.core.formatting import plural

audit = AppGroup("audit", help="Journal.")


@audit.command(
    "verify", help="Recalculer la chaîne du journal ; dire la première ligne altérée de chaque établissement."
)
@sentences
def verify() -> None:
    """Recompute the chain of the journal; if broken, print each school's first flaw and exit with status 1."""
    with tenancy.platform_session("command line: verifying the journal") as session:
        flaws = list(chain.check(session))
        lines = chain.count_lines(session)
    for flaw in flaws:
        click.echo(flaw.sentence, err=True)
    if flaws:
        raise click.ClickException("Le journal n’est pas intact.")
    click.echo(f"Journal intact : {plural(lines, 'ligne vérifiée', 'lignes vérifiées')}.")

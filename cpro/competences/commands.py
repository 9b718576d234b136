"""Command line: load the national lists."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from cpro.competences.national import load_lists
from cpro.core.commands import sentences
from cpro.core.formatting import plural

group = AppGroup("competences", help="Référentiels de compétences des diplômes.")


@group.command("load", help="Charger les diplômes nationaux et leurs compétences ; corriger ce qui y est déjà.")
@sentences
def load() -> None:
    """Load the national diplomas and their competence lists; existing rows are only corrected."""
    done = load_lists()
    click.echo(
        f"{plural(done.diplomas, 'diplôme ajouté', 'diplômes ajoutés')}, "
        f"{plural(done.added, 'compétence ajoutée', 'compétences ajoutées')}, "
        f"{plural(done.corrected, 'compétence corrigée', 'compétences corrigées')}."
    )

"""Command line: create schools, correct a UAI, sweep pictures."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.errors import NotFound
from cpro.core.storage import FileStorage
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.operations.particulars import correct_uai
from cpro.establishments.operations.pictures import sweep_pictures
from cpro.establishments.queries import find_by_code

establishments = AppGroup("establishments", help="Schools.")
uploads = AppGroup("uploads", help="Stored files.")


@establishments.command("set-uai")
@click.argument("code")
@click.argument("uai")
@sentences
def set_uai(code: str, uai: str) -> None:
    """Correct the UAI of a school, even locked."""
    with platform_unit_of_work("command line: correcting a UAI") as work:
        school = find_by_code(work.session, code)
        if school is None:
            raise NotFound(f"Aucun établissement ne porte le code « {code} ».")
        correct_uai(work.session, school, uai, by=COMMAND_LINE, now=clock.utcnow())
        click.echo(f"{school.code} : code UAI {school.uai}.")


@uploads.command("sweep")
@sentences
def sweep() -> None:
    """Delete the pictures nobody needs any more (to be run each night)."""
    with tenancy.platform_session("command line: sweeping pictures") as session:
        swept = sweep_pictures(session, storage=FileStorage(current_app.config["CPRO_UPLOADS"]), now=clock.utcnow())
    click.echo(f"{len(swept)} fichier(s) supprimé(s).")

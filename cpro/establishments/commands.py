"""Command line: create schools, correct a UAI, delete unused pictures."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, print_table, sentences
from cpro.core.errors import NotFound
from cpro.core.storage import FileStorage
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.establishments.operations.particulars import update_uai
from cpro.establishments.operations.pictures import delete_unused_pictures
from cpro.establishments.operations.proof import find_proved_address, update_head_email
from cpro.establishments.queries import find_by_code

establishments = AppGroup("establishments", help="Établissements.")

#: For a private school, a school of agriculture or a CFA: the head's code is not sent to the mailbox computed from the
#: UAI.
no_official_mailbox = click.option(
    "--no-official-mailbox",
    is_flag=True,
    help="L’établissement n’a pas de boîte ce.<UAI> dans son académie : ne jamais y envoyer le code d’un chef.",
)
uploads = AppGroup("uploads", help="Fichiers déposés.")


@establishments.command("list", help="Lister les établissements.")
@sentences
def list_schools() -> None:
    """Print the schools: code, UAI, name, city."""
    with tenancy.platform_session("command line: listing schools") as session:
        rows = [
            (school.code, school.uai, school.name, school.city)
            for school in session.scalars(select(Establishment).order_by(Establishment.code))
        ]
    print_table(("code", "UAI", "nom", "ville"), rows)


@establishments.command("set-uai", help="Corriger le code UAI d’un établissement, même verrouillé.")
@click.argument("code")
@click.argument("uai")
@no_official_mailbox
@sentences
def set_uai(code: str, uai: str, no_official_mailbox: bool) -> None:
    """Correct the UAI of a school, even when it is locked."""
    with platform_unit_of_work("command line: correcting a UAI") as work:
        school = _find(work.session, code)
        has_mailbox = not no_official_mailbox
        update_uai(work.session, school, uai, has_official_mailbox=has_mailbox, by=COMMAND_LINE, now=clock.utcnow())
        click.echo(f"{school.code} : code UAI {school.uai}. {where_heads_codes_go(school)}")


@establishments.command(
    "set-head-email",
    help="Dire où part le code du chef d’un établissement ; une adresse vide reprend ce qui a été dit.",
)
@click.argument("code")
@click.argument("email")
@sentences
def set_head_address(code: str, email: str) -> None:
    """Set where the head's code is sent, overriding what was set or confirmed before; "" removes the setting."""
    with platform_unit_of_work("command line: where a head's code goes") as work:
        school = _find(work.session, code)
        update_head_email(work.session, school, email, by=COMMAND_LINE, now=clock.utcnow())
        click.echo(f"{school.code} : {where_heads_codes_go(school)}")


def where_heads_codes_go(school: Establishment) -> str:
    """Return the sentence that tells the platform's operator where the code of a school's head is sent."""
    address = find_proved_address(school)
    if address:
        return f"Le code du chef d’établissement partira à {address}."
    return (
        "Aucune adresse n’est reconnue pour le code du chef d’établissement : une fois son compte créé, créez le code "
        f"avec « users reset IDENTIFIANT --establishment {school.code} » et remettez-le-lui vous-même."
    )


def _find(session: Session, code: str) -> Establishment:
    school = find_by_code(session, code)
    if school is None:
        raise NotFound(f"Aucun établissement ne porte le code « {code} ».")
    return school


@uploads.command("sweep", help="Supprimer les images dont plus rien n’a besoin (fait aussi chaque nuit).")
@sentences
def sweep() -> None:
    """Delete the pictures that no row references any more (run it each night)."""
    with tenancy.platform_session("command line: sweeping pictures") as session:
        swept = delete_unused_pictures(
            session, storage=FileStorage(current_app.config["CPRO_UPLOADS"]), now=clock.utcnow()
        )
    click.echo(f"{len(swept)} fichier(s) supprimé(s).")

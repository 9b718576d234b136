"""Command line: test the mail server."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from cpro.core import clock
from cpro.core.commands import sentences
from cpro.core.errors import DomainError
from cpro.core.mail import transport
from cpro.core.validators import normalise_email

group = click.Group("mail", help="Messages électroniques.")


@group.command("test", help="Envoyer aussitôt un message à ADRESSE et dire ce que répond le serveur.")
@click.argument("address", metavar="ADRESSE")
@with_appcontext
@sentences
def test(address: str) -> None:
    """Send a message to ADDRESS at once, and print the server's answer."""
    to = normalise_email(address)
    if not to:
        raise DomainError("Indiquez l’adresse électronique à laquelle écrire.")
    outcome = transport.deliver(
        transport.compose(
            to=to,
            subject="CPro : essai d’envoi",
            body="Ce message vérifie que CPro peut écrire à cette adresse. Il n’appelle aucune réponse.\n",
            message_id=transport.new_message_id(),
            date=clock.utcnow(),
        )
    )
    if not outcome.is_accepted:
        again = "refusé" if outcome.is_final else "pas parti, mais pourrait partir plus tard"
        raise DomainError(f"Le message pour {to} est {again} : {outcome.answer}.")
    if transport.is_folder():
        click.echo(f"Le message pour {to} est écrit dans le dossier des messages (CPRO_MAIL_URL n’est pas indiqué).")
    else:
        click.echo(f"Le serveur de messagerie a accepté le message pour {to}.")

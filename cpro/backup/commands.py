"""Command line: back up, restore, and the server key of the database."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from cpro.audit.operations import About, record
from cpro.backup import operations, rotation
from cpro.backup.sealing import Keys
from cpro.core import clock, server_key, tenancy
from cpro.core.commands import COMMAND_LINE, sentences, sentences_under_any_key
from cpro.core.errors import DomainError
from cpro.core.formatting import format_count, format_instant, plural
from cpro.core.transactions import platform_unit_of_work

#: The name of this instance in the journal.
SERVER = About("server", "", "CPro")

keys = AppGroup("keys", help="Clé du serveur.")

_FILE = click.Path(dir_okay=False, path_type=Path)


def _passphrase_options(command: Callable[..., Any]) -> Callable[..., Any]:
    typed = click.option("--passphrase", "typed", is_flag=True, help="Demander la phrase secrète au clavier.")
    read = click.option("--passphrase-file", type=_FILE, metavar="FICHIER", help="Lire la phrase secrète d’un fichier.")
    return typed(read(command))


@click.command(
    "backup",
    help="Sauvegarder la base et les fichiers dans FICHIER, pendant que l’on travaille. La clé du serveur n’y est pas. "
    "CPRO_BACKUP_PASSPHRASE chiffre aussi.",
)
@click.argument("target", type=_FILE, metavar="FICHIER")
@_passphrase_options
@click.option("--recipient", metavar="age1…", help="Chiffrer pour une clé publique age.")
@with_appcontext
@sentences
def backup(target: Path, typed: bool, passphrase_file: Path | None, recipient: str | None) -> None:
    """Write a backup of the instance to a new file, and print what it contains."""
    now = clock.utcnow()
    _refuse_two(typed, passphrase_file, recipient is not None)
    with _tidied_up():
        passphrase = "" if recipient is not None else _passphrase(typed, passphrase_file, confirm=True)
        made = operations.back_up(target, Keys(passphrase=passphrase, recipient=recipient), now=now)
    _note("server:backed-up", {"size": (None, made.size), "sha256": (None, made.sha256)})
    sealed = "chiffrée" if passphrase or recipient else "non chiffrée"
    click.echo(
        f"Sauvegarde {sealed}\u202f: {plural(made.row_count, 'ligne', 'lignes')}, "
        f"{plural(len(made.files), 'fichier', 'fichiers')}, {format_count(made.size)} octets, dans {target}."
    )
    click.echo(f"SHA-256\u202f: {made.sha256}")


@click.command(
    "restore",
    help="Restaurer FICHIER dans cette instance, qui doit être vide\u202f; la base est migrée s’il le faut. "
    "Un refus n’écrit rien.",
)
@click.argument("source", type=_FILE, metavar="FICHIER")
@_passphrase_options
@click.option("--identity-file", type=_FILE, metavar="FICHIER", help="Clé age qui ouvre la sauvegarde.")
@click.option("--new-key", is_flag=True, help="Restaurer sans la clé de serveur d’origine, perdue.")
@click.option("--check", is_flag=True, help="Vérifier la sauvegarde, sans rien restaurer.")
@with_appcontext
@sentences_under_any_key
def restore(
    source: Path, typed: bool, passphrase_file: Path | None, identity_file: Path | None, new_key: bool, check: bool
) -> None:
    """Restore a backup into this empty instance, or check it, and print what it contained."""
    _refuse_two(typed, passphrase_file)
    with _tidied_up():
        opened = Keys(
            passphrase=_passphrase(typed, passphrase_file, confirm=False),
            identity=_read_secret(identity_file) if identity_file else None,
        )
        if check:
            found = operations.check(source, opened)
            click.echo(f"Sauvegarde intacte{_describe(found)}.")
            return
        found = operations.restore(source, opened, new_key=new_key, now=clock.utcnow())
    click.echo(
        f"Sauvegarde restaurée{_describe(found)}\u202f: {plural(found.row_count, 'ligne', 'lignes')}, "
        f"{plural(len(found.files), 'fichier', 'fichiers')}."
    )
    if new_key:
        click.echo(server_key.VOID)
    try:
        operations.upgrade()
    finally:
        _note("server:restored", {"created_at": (None, found.created_at), "new_key": (None, new_key)})


def _describe(found: operations.Contents) -> str:
    return f" (faite le {found.created_at} par CPro {found.version}, révision {found.revision})"


def _refuse_two(*given: object) -> None:
    """Refuse a command line with two encryption options: one of them would be silently ignored."""
    if sum(map(bool, given)) > 1:
        raise click.UsageError("--passphrase, --passphrase-file et --recipient s’excluent\u202f: donnez-en un seul.")


def _passphrase(typed: bool, passphrase_file: Path | None, *, confirm: bool) -> str:
    """Return the passphrase, from the keyboard, a file or the environment; "" where there is none."""
    if typed:
        return str(click.prompt("Phrase secrète", hide_input=True, confirmation_prompt=confirm))
    if passphrase_file:
        return _read_secret(passphrase_file)
    return str(current_app.config["CPRO_BACKUP_PASSPHRASE"])


def _read_secret(path: Path) -> str:
    """Return the content of a file. Raises `DomainError` when it is empty or cannot be read."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"Le fichier «\u202f{path}\u202f» ne peut pas être lu.") from error
    if not secret:
        raise DomainError(f"Le fichier «\u202f{path}\u202f» est vide.")
    return secret


def _note(action: str, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """Add a line to the platform's journal; only warn on failure (an outdated database): the work itself is done."""
    now = clock.utcnow()
    try:
        with platform_unit_of_work("command line: noting a backup", schools=[None]) as work:
            record(action, SERVER, by=COMMAND_LINE, now=now, changes=changes, session=work.session)
    except SQLAlchemyError:
        click.echo(
            "Le journal n’a pas pu le noter\u202f: la base est-elle à jour (flask --app app db upgrade)\u202f?",
            err=True,
        )


@contextmanager
def _tidied_up() -> Iterator[None]:
    """Make SIGTERM end the block as Ctrl+C does, so that partial results are removed."""

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    former = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@keys.command("status", help="Dire ce qui dépend encore d’une ancienne clé du serveur.")
@sentences
def status() -> None:
    """Print what still depends on a former key, and what to do about each item."""
    with tenancy.platform_session("command line: what hangs on a former key") as session:
        found = rotation.find_remains(session, now=clock.utcnow())
    if found.since is not None:
        click.echo(f"Clé de la base\u202f: depuis le {format_instant(found.since, '')}.")
    for each in found.sealed:
        if each.former:
            click.echo(
                f"{plural(each.former, *each.names)} sous une ancienne clé\u202f: «\u202fflask --app app keys "
                "reseal\u202f»."
            )
        if each.unreadable:
            click.echo(f"{plural(each.unreadable, *each.names)} qu’aucune clé de ce serveur n’ouvre.")
    if found.codes and found.codes_until is not None:
        click.echo(
            f"{plural(found.codes, 'code d’activation remis', 'codes d’activation remis')} avant, valables jusqu’au "
            f"{format_instant(found.codes_until, '')}."
        )
    if found.recovery:
        click.echo(
            f"{plural(found.recovery, 'personne a', 'personnes ont')} des codes de secours créés avant\u202f: de "
            "nouveaux se créent dans «\u202fMon compte\u202f»."
        )
    if found.is_nothing:
        click.echo(
            "Rien d’autre que le journal ne dépend d’une ancienne clé\u202f: ajoutez-la à CPRO_JOURNAL_KEY si elle a "
            "servi à l’écrire, puis retirez-la de CPRO_SECRET_KEY_FALLBACKS. Qui s’est connecté sous elle se connecte "
            "à nouveau."
        )


@keys.command("reseal", help="Sceller sous la clé d’aujourd’hui ce qui l’est sous une ancienne.")
@sentences
def reseal() -> None:
    """Seal again what is under a former key, and print how much was."""
    now = clock.utcnow()
    with platform_unit_of_work("command line: sealing under today's key", schools=[None]) as work:
        found = rotation.reseal_all(work.session)
        done = {each.names[1]: (None, each.former) for each in found if each.former}
        if done:
            record("server:key:resealed", SERVER, by=COMMAND_LINE, now=now, changes=done, session=work.session)
    for each in found:
        resealed = plural(each.former, f"{each.names[0]} scellé à nouveau", f"{each.names[1]} scellés à nouveau")
        lost = f", {format_count(each.unreadable)} qu’aucune clé n’ouvre" if each.unreadable else ""
        click.echo(f"{resealed}{lost}.")


@keys.command("adopt", help="Prendre la clé de ce serveur pour celle de la base, quand l’ancienne est perdue.")
@sentences_under_any_key
def adopt() -> None:
    """Bind the database to this server's key, and print what is lost with the former one."""
    now = clock.utcnow()
    with platform_unit_of_work("command line: adopting a key", schools=[None]) as work:
        is_new = not server_key.is_known(work.session)
        if is_new:
            server_key.adopt_key(work.session, now=now)
            record("server:key:adopted", SERVER, by=COMMAND_LINE, now=now, session=work.session)
    click.echo(
        f"La base de données est désormais celle de la clé de ce serveur. {server_key.VOID}"
        if is_new
        else "La base de données n’est celle d’aucune autre clé\u202f: rien n’a changé."
    )

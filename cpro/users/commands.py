"""Command line: new codes, platform accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, print_table, sentences
from cpro.core.errors import DomainError
from cpro.core.formatting import format_instant
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.commands import establishments, no_official_mailbox, where_heads_codes_go
from cpro.establishments.operations.particulars import create_establishment
from cpro.establishments.operations.proof import find_proved_address, normalise_head_email
from cpro.establishments.queries import get_current_establishment
from cpro.users import queries
from cpro.users.authentication import kind_of
from cpro.users.errors import UnknownAccount
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import access, accounts, codes, consent, second_factor

users = AppGroup("users", help="Comptes des établissements.")
platform_users = AppGroup("platform-users", help="Comptes de la plateforme : support et inspecteurs.")


@establishments.command(
    "create", help="Créer un établissement et son administrateur ; afficher le code d’activation de celui-ci."
)
@click.option("--name", required=True, help="Nom de l’établissement.")
@click.option("--uai", default="", help="Code UAI : sept chiffres et une lettre.")
@click.option(
    "--code", required=True, help="Minuscules, chiffres et traits d’union : ce que l’on tape pour se connecter."
)
@click.option("--admin-email", default="", help="Adresse électronique de l’administrateur.")
@click.option(
    "--head-email", default="", help="Où part le code du chef d’établissement ; à défaut, la boîte que désigne l’UAI."
)
@no_official_mailbox
@sentences
def create_school(name: str, uai: str, code: str, admin_email: str, head_email: str, no_official_mailbox: bool) -> None:
    """Create a school and its administrator; print the administrator's one-time activation code."""
    now = clock.utcnow()
    with platform_unit_of_work("command line: a new school") as work:
        school = create_establishment(
            work.session,
            name=name,
            uai=uai,
            code=code,
            head_email=normalise_head_email(head_email, besides=admin_email),
            has_official_mailbox=not no_official_mailbox,
            by=COMMAND_LINE,
            now=now,
        )
        account = accounts.create_account(
            work.session,
            establishment_id=school.id,
            login="administrateur",
            role=Role.ADMINISTRATOR,
            first_name="Administrateur",
            last_name=school.code,
            email=admin_email,
            by=COMMAND_LINE,
            now=now,
        )
        activation_code = codes.create_code(work.session, account, now=now)
        heads_code = where_heads_codes_go(school)
    click.echo(f"Établissement « {code} » créé. Identifiant : administrateur.")
    click.echo(heads_code)
    click.echo(f"Code d’activation (30 jours, une seule fois) : {activation_code}")


@users.command("list", help="Lister les comptes d’un établissement.")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def list_accounts(establishment: str) -> None:
    """Print the accounts of a school: login, role, name, state, last sign-in."""
    with tenancy.platform_session("command line: listing accounts") as session:
        school = queries.get_named_establishment(session, establishment)
        rows = [
            (each.login, each.role.label, each.label, each.state, format_instant(each.last_sign_in_at, ""))
            for each in queries.list_accounts_of(session, school.id)
        ]
    print_table(("identifiant", "rôle", "nom", "état", "dernière connexion"), rows)


@users.command("reset", help="Afficher un code d’activation pour un compte ; ses connexions se terminent.")
@click.argument("login")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def reset(login: str, establishment: str) -> None:
    """Print a one-time activation code for an account; its sign-ins end."""
    _reset(establishment, login)


@users.command("disable", help="Désactiver un compte, même celui d’un chef, et terminer ses connexions.")
@click.argument("login")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def disable_account(login: str, establishment: str) -> None:
    """Disable an account of a school, even a head's, and end its sign-ins."""
    with _account_of_school(login, establishment) as account:
        access.deactivate_account(account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {login} désactivé.")


@users.command("enable", help="Rendre la connexion à un compte désactivé.")
@click.argument("login")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def enable_account(login: str, establishment: str) -> None:
    """Let a disabled account of a school sign in again."""
    with _account_of_school(login, establishment) as account:
        access.reactivate_account(account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {login} réactivé.")


@users.command(
    "consent", help="Accorder un deuxième chef ou un deuxième administrateur, quand aucun chef ne peut plus le faire."
)
@click.argument("login")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def consent_to(login: str, establishment: str) -> None:
    """Consent to a further head or administrator if no head can any more; print where a head's code was sent."""
    with _account_of_school(login, establishment) as account:
        school = get_current_establishment()
        address = find_proved_address(school)
        consent.grant_consent(account, mailed_to=address, by=COMMAND_LINE, now=clock.utcnow())
        heads_code = where_heads_codes_go(school) if account.role.has_private_code else ""
    click.echo(f"Accord donné au compte {login}. {heads_code}".strip())


@users.command("reset-second-factor", help="Réinitialiser le second facteur d’un compte, et l’en avertir.")
@click.argument("login")
@click.option("--establishment", required=True, help="Code ou UAI de l’établissement.")
@sentences
def reset_second_factor(login: str, establishment: str) -> None:
    """Remove the second factor of an account of a school, and notify its owner."""
    with platform_unit_of_work("command line: a second factor") as work:
        account = queries.find_account(work.session, establishment, login) if establishment.strip() else None
        _reset_second_factor(work.session, account, login)


@platform_users.command("create", help="Créer un compte de la plateforme et afficher son code d’activation.")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), required=True, help="Ce que fait cette personne.")
@click.option("--name", default="", help="Nom de la personne ; à défaut, son adresse.")
@sentences
def create(email: str, role: str, name: str) -> None:
    """Create a platform account and print its one-time activation code."""
    now = clock.utcnow()
    with platform_unit_of_work("command line: a platform account", schools=[None]) as work:
        account = accounts.create_platform_account(
            work.session, email=email, role=Role(role), name=name, by=COMMAND_LINE, now=now
        )
        code = codes.create_code(work.session, account, now=now)
        address = account.email
    click.echo(f"Compte {address} créé. Code d’activation (30 jours, une seule fois) : {code}")


@platform_users.command("reset-second-factor", help="Réinitialiser le second facteur d’un compte de la plateforme.")
@click.argument("email")
@sentences
def reset_platform_second_factor(email: str) -> None:
    """Remove the second factor of a platform account, and notify its owner."""
    with platform_unit_of_work("command line: a second factor") as work:
        _reset_second_factor(work.session, queries.find_account(work.session, "", email), email)


def _reset_second_factor(session: Session, account: queries.AnyAccount | None, named: str) -> None:
    if account is None:
        raise UnknownAccount(f"Aucun compte ne porte l’identifiant « {named} » à cet endroit.")
    account = queries.lock_account(session, kind_of(account), account.id)
    if not second_factor.reset(session, account, by=COMMAND_LINE, now=clock.utcnow()):
        raise DomainError(f"Le compte {named} n’a pas de second facteur.")
    click.echo(f"Second facteur du compte {named} réinitialisé.")


@platform_users.command("enable", help="Rendre la connexion à un compte désactivé de la plateforme.")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Refuser un compte d’un autre rôle.")
@sentences
def enable(email: str, role: str | None) -> None:
    """Let a disabled platform account sign in again."""
    with _platform_account(email, role) as (session, account):
        accounts.enable(session, account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {email} réactivé.")


@platform_users.command("list", help="Lister les comptes de la plateforme.")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Seulement ce rôle.")
@sentences
def list_platform(role: str | None) -> None:
    """Print the platform accounts: address, role, name, state, last sign-in."""
    with tenancy.platform_session("command line: listing platform accounts") as session:
        rows = [
            (each.email, each.role.label, each.name, each.state, format_instant(each.last_sign_in_at, ""))
            for each in queries.list_platform_accounts(session, Role(role) if role else None)
        ]
    print_table(("adresse", "rôle", "nom", "état", "dernière connexion"), rows)


@platform_users.command("disable", help="Désactiver un compte de la plateforme et terminer ses connexions.")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Refuser un compte d’un autre rôle.")
@sentences
def disable(email: str, role: str | None) -> None:
    """Disable a platform account and end its sign-ins."""
    with _platform_account(email, role) as (session, account):
        accounts.disable(session, account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {email} désactivé.")


@platform_users.command(
    "reset", help="Afficher un code d’activation pour un compte de la plateforme ; ses connexions se terminent."
)
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Refuser un compte d’un autre rôle.")
@sentences
def reset_platform(email: str, role: str | None) -> None:
    """Print a one-time activation code for a platform account; its sign-ins end."""
    _reset("", email, role)


@contextmanager
def _platform_account(email: str, role: str | None) -> Iterator[tuple[Session, PlatformAccount]]:
    """Yield an account of the platform and its session, in a unit of work. Raises `UnknownAccount`."""
    with platform_unit_of_work("command line: a platform account", schools=[None]) as work:
        account = queries.find_account(work.session, "", email)
        if not isinstance(account, PlatformAccount) or (role and account.role.value != role):
            raise UnknownAccount(f"Aucun compte de la plateforme ne porte l’adresse « {email} ».")
        yield work.session, account


@contextmanager
def _account_of_school(login: str, establishment: str) -> Iterator[Account]:
    """Yield an account in a unit of work of its school."""
    with tenancy.platform_session("command line: the school is named by its code") as lookup:
        found = queries.find_account(lookup, establishment, login)
    if not isinstance(found, Account):
        raise UnknownAccount(f"Aucun compte « {login} » dans l’établissement « {establishment} ».")
    tenancy.enter(tenancy.Scope(found.establishment_id))
    with unit_of_work() as work:
        yield work.session.get_one(Account, found.id)


def _reset(establishment: str, login: str, role: str | None = None) -> None:
    with platform_unit_of_work("command line: a new code") as work:
        account = queries.find_account(work.session, establishment, login)
        if account is None or (role and account.role.value != role):
            where = f" dans l’établissement « {establishment} »" if establishment else ""
            raise UnknownAccount(f"Aucun compte « {login} »{where}.")
        account = queries.lock_account(work.session, kind_of(account), account.id)
        code = accounts.reset(work.session, account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Code d’activation pour l’identifiant {login} (30 jours, une seule fois) : {code}")

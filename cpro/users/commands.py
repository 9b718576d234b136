"""Command line: new codes, platform accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.commands import establishments, no_official_mailbox, where_heads_codes_go
from cpro.establishments.operations.particulars import create_establishment
from cpro.establishments.operations.proof import find_proved_address, normalise_head_email
from cpro.establishments.queries import get_current_establishment
from cpro.users import queries
from cpro.users.errors import UnknownAccount
from cpro.users.models import Account
from cpro.users.operations import access, accounts, codes, consent

users = AppGroup("users", help="Accounts of schools.")
platform_users = AppGroup("platform-users", help="Accounts of the platform: support and inspectors.")


@establishments.command("create")
@click.option("--name", required=True)
@click.option("--uai", default="")
@click.option("--code", required=True, help="Lower-case letters, digits, hyphen: the school's word at sign-in.")
@click.option("--admin-email", default="", help="The administrator's e-mail address.")
@click.option("--head-email", default="", help="Where the head's code goes; else the mailbox that the UAI names.")
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


@users.command("reset")
@click.argument("login")
@click.option("--establishment", required=True, help="Code or UAI of the school.")
@sentences
def reset(login: str, establishment: str) -> None:
    """Print a one-time activation code for an account; its sign-ins end."""
    _reset(establishment, login)


@users.command("disable")
@click.argument("login")
@click.option("--establishment", required=True, help="Code or UAI of the school.")
@sentences
def disable_account(login: str, establishment: str) -> None:
    """Disable an account of a school, a head's included, and end its sign-ins."""
    with _account_of_school(login, establishment) as account:
        access.deactivate_account(account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {login} désactivé.")


@users.command("enable")
@click.argument("login")
@click.option("--establishment", required=True, help="Code or UAI of the school.")
@sentences
def enable_account(login: str, establishment: str) -> None:
    """Let a disabled account of a school sign in again."""
    with _account_of_school(login, establishment) as account:
        access.reactivate_account(account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {login} réactivé.")


@users.command("consent")
@click.argument("login")
@click.option("--establishment", required=True, help="Code or UAI of the school.")
@sentences
def consent_to(login: str, establishment: str) -> None:
    """Consent to a further head or administrator where no head can any more; say where a head's code went."""
    with _account_of_school(login, establishment) as account:
        school = get_current_establishment()
        address = find_proved_address(school)
        consent.grant_consent(account, mailed_to=address, by=COMMAND_LINE, now=clock.utcnow())
        heads_code = where_heads_codes_go(school) if account.role.has_private_code else ""
    click.echo(f"Accord donné au compte {login}. {heads_code}".strip())


@platform_users.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), required=True)
@click.option("--name", default="", help="The person's name; the address if not given.")
@sentences
def create(email: str, role: str, name: str) -> None:
    """Create a platform account and print its one-time activation code."""
    now = clock.utcnow()
    with platform_unit_of_work("command line: a platform account") as work:
        account = accounts.create_platform_account(
            work.session, email=email, role=Role(role), name=name, by=COMMAND_LINE, now=now
        )
        code = codes.create_code(work.session, account, now=now)
        address = account.email
    click.echo(f"Compte {address} créé. Code d’activation (30 jours, une seule fois) : {code}")


@platform_users.command("disable")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Refuse an account of another role.")
@sentences
def disable(email: str, role: str | None) -> None:
    """Disable a platform account and end its sign-ins."""
    with platform_unit_of_work("command line: a platform account") as work:
        account = queries.find_account(work.session, "", email)
        if account is None or (role and account.role.value != role):
            raise UnknownAccount(f"Aucun compte de la plateforme ne porte l’adresse « {email} ».")
        accounts.disable(work.session, account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Compte {email} désactivé.")


@platform_users.command("reset")
@click.argument("email")
@click.option("--role", type=click.Choice(["support", "inspector"]), help="Refuse an account of another role.")
@sentences
def reset_platform(email: str, role: str | None) -> None:
    """Print a one-time activation code for a platform account; its sign-ins end."""
    _reset("", email, role)


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
        code = accounts.reset(work.session, account, by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"Code d’activation pour l’identifiant {login} (30 jours, une seule fois) : {code}")

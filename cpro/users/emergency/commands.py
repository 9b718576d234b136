"""Command line: close the roles of a school immediately, and reopen them, even if no user there can sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cpro.core import clock
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.formatting import plural
from cpro.core.permissions import Role
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.commands import establishments
from cpro.users import queries
from cpro.users.emergency.messages import name_roles
from cpro.users.emergency.operations import list_closable_roles, lock_roles, reopen_roles

_Command = Callable[..., Any]
_ROLES = {role.value: role for role in list_closable_roles(COMMAND_LINE)}


def _for_roles(command: _Command) -> _Command:
    """Add the commands' common argument and option."""
    chosen = click.option("--role", type=click.Choice(list(_ROLES)), help="Un seul rôle\u202f; à défaut, tous.")
    return click.argument("code")(chosen(command))


@establishments.command("lock", help="Fermer d’urgence l’accès d’un rôle, ou de tout un établissement.")
@_for_roles
@sentences
def lock(code: str, role: str | None) -> None:
    """Close a role of a school, or all of them: sign-ins end, unused codes are void."""
    with platform_unit_of_work("command line: an emergency lock") as work:
        school = queries.get_named_establishment(work.session, code)
        incident = lock_roles(work.session, school.id, _chosen(role), by=COMMAND_LINE, now=clock.utcnow())
        closed = name_roles(incident.roles)
        ended = plural(incident.sign_ins, "session terminée", "sessions terminées")
        voided = plural(incident.codes, "code annulé", "codes annulés")
    click.echo(f"{code}\u202f: accès fermé ({closed})\u202f; {ended}, {voided}.")


@establishments.command("unlock", help="Rouvrir l’accès d’un rôle, ou de tout un établissement.")
@_for_roles
@sentences
def unlock(code: str, role: str | None) -> None:
    """Reopen a role of a school, or all that are closed."""
    with platform_unit_of_work("command line: an emergency lock") as work:
        school = queries.get_named_establishment(work.session, code)
        reopened = reopen_roles(work.session, school.id, _chosen(role), by=COMMAND_LINE, now=clock.utcnow())
    click.echo(f"{code}\u202f: accès rouvert ({name_roles(reopened)}).")


def _chosen(role: str | None) -> list[Role]:
    return [_ROLES[role]] if role else list(_ROLES.values())

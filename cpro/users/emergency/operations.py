"""Close roles of a school immediately, and reopen them; in a platform session, as inspectors belong to the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.errors import Conflict, Forbidden, check_password_given
from cpro.core.mail import Mail, enqueue
from cpro.core.permissions import Actor, Permission, Role
from cpro.core.transactions import lock_schools
from cpro.establishments.models import Establishment
from cpro.establishments.operations.audit import record_about_school
from cpro.establishments.operations.proof import find_proved_address
from cpro.users import queries
from cpro.users.emergency import messages
from cpro.users.emergency.messages import Letter, name_roles
from cpro.users.emergency.models import RoleLock
from cpro.users.emergency.queries import Incident, People, count_people, find_open_lock, is_shut_out
from cpro.users.models import Account
from cpro.users.operations import codes, second_factor, sign_ins
from cpro.users.operations.rules import is_command_line


class OutOfReach(Forbidden):
    """Raised when an actor may not close or reopen a role."""


def list_closable_roles(by: Actor) -> list[Role]:
    """Return the roles that an actor may close.

    The administrator cannot close a role that reads the records of the whole school: neither the head's nor the
    inspectors'. The support's, which belongs to no school, cannot be closed.
    """
    everything = is_command_line(by) or by.can(Permission.EMERGENCY_LOCK_ALL)
    if not everything and not by.can(Permission.EMERGENCY_LOCK):
        return []
    return [
        role for role in Role if not role.can(Permission.SCHOOLS_ENTER) and (everything or not role.has_private_code)
    ]


def lock_roles(
    session: Session,
    establishment_id: int,
    roles: Sequence[Role],
    *,
    kept_sign_in_id: int | None = None,
    by: Actor,
    now: datetime,
) -> Incident:
    """Close roles of a school: end their sign-ins, void their unused codes, and refuse them until they are reopened.

    An actor who closes their own role keeps the sign-in `kept_sign_in_id`, may sign in again, and is signed out
    everywhere else; if another actor closes the same role later, it is closed to the first one too. Heads are notified.
    Raises `OutOfReach`, and `Conflict` if all the roles are already closed.
    """
    school = _lock_school(session, establishment_id)
    if not set(roles) <= set(list_closable_roles(by)):
        raise OutOfReach("Vous ne pouvez pas fermer cet accès.")
    actor = _check_actor(session, school, by, Permission.EMERGENCY_LOCK)
    kept = {actor.role: actor.id} if actor is not None else {}
    found = [_lock_role(session, school, role, kept, kept_sign_in_id, by=by, now=now) for role in roles]
    locks = [lock for lock in found if lock is not None]
    if not locks:
        raise Conflict("Cet accès est déjà fermé.")
    session.flush()
    incident = Incident(locks)
    changes = {
        "locked_roles": (None, name_roles(incident.roles)),
        "ended": (None, incident.sign_ins),
        "voided": (None, incident.codes),
    }
    record_about_school("establishment:access:locked", school, changes, by=by, now=now, session=session)
    _notify_heads(session, school, messages.locked(incident, school, by=by), by=by, now=now)
    return incident


def reopen_roles(
    session: Session,
    establishment_id: int,
    roles: Sequence[Role],
    *,
    password_given: bool = False,
    by: Actor,
    now: datetime,
) -> list[Role]:
    """Reopen the closed ones of these roles, and return them. Passwords are unchanged; voided codes remain void.

    Raises `OutOfReach` for anyone except a head in place and the command line, `Conflict` if none is closed,
    `PasswordNeeded`.
    """
    school = _lock_school(session, establishment_id)
    _check_actor(session, school, by, Permission.EMERGENCY_LOCK_ALL)
    locks = [lock for role in roles if (lock := find_open_lock(session, school.id, role)) is not None]
    if not locks:
        raise Conflict("Cet accès est déjà ouvert.")
    check_password_given(password_given, "Pour rouvrir un accès", by=by)
    for lock in locks:
        lock.reopened_at, lock.reopened_by = now, by.label[:200]
    session.flush()
    reopened = [lock.role for lock in locks]
    changes = {"reopened_roles": (None, name_roles(reopened))}
    record_about_school("establishment:access:reopened", school, changes, by=by, now=now, session=session)
    _notify_heads(session, school, messages.reopened(reopened, school, by=by), by=by, now=now)
    return reopened


def _lock_school(session: Session, establishment_id: int) -> Establishment:
    lock_schools(session, [establishment_id])
    return session.get_one(Establishment, establishment_id, populate_existing=True)


def _check_actor(session: Session, school: Establishment, by: Actor, permission: Permission) -> Account | None:
    """Return the acting account, refreshed under the lock, None for the command line. Raises `OutOfReach`."""
    if is_command_line(by):
        return None
    account = session.get(Account, by.id, populate_existing=True) if by.kind == "account" and by.id else None
    if (
        account is None
        or account.establishment_id != school.id
        or not (account.may_sign_in and account.can(permission))
        or is_shut_out(session, account)
    ):
        raise OutOfReach("Seul le chef d’établissement rouvre un accès fermé d’urgence.")
    return account


def _lock_role(
    session: Session,
    school: Establishment,
    role: Role,
    kept: Mapping[Role, int],
    kept_sign_in_id: int | None,
    *,
    by: Actor,
    now: datetime,
) -> RoleLock | None:
    """Close a role and return its lock; None if it is already closed to all except the actor."""
    earlier, own = find_open_lock(session, school.id, role), kept.get(role)
    if earlier is not None:
        if not earlier.leaves_in_another(own):
            return None
        earlier.reopened_at, earlier.reopened_by = now, f"{by.label[:170]}, qui l’a fermé à nouveau"
        session.flush()  # one open lock per role: the earlier one must be written first
    lock = RoleLock(
        establishment_id=school.id,
        role=role,
        locked_at=now,
        locked_by=by.label[:200],
        kept_account_id=own,
        reopened_by="",
    )
    figures = count_people(
        school.id, session=session, kept_account_id=own, kept_sign_in_id=kept_sign_in_id, now=now
    ).get(role, People())
    # None for inspectors: for them it is the school that is closed.
    ids = session.scalars(select(Account.id).where(Account.establishment_id == school.id, Account.has_role(role))).all()
    lock.accounts, lock.sign_ins = figures.accounts, figures.sign_ins
    lock.codes = codes.count_good_codes(session, ids, now=now)
    codes.void_codes(session, ids, now=now)
    sign_ins.end_sign_ins_of(session, ids, kept_sign_in_id=kept_sign_in_id)
    second_factor.forget_trust_of(session, ids, now=now)
    session.add(lock)
    return lock


def _notify_heads(session: Session, school: Establishment, letter: Letter, *, by: Actor, now: datetime) -> None:
    """Write to every head in place, even the actor (possibly a thief), or else to where a head's code is sent."""
    addresses = queries.list_head_addresses(session, school.id) or [find_proved_address(school)]
    for address in filter(None, addresses):
        mail = Mail(to=address, subject=letter.subject, body=letter.body)
        enqueue(mail, by=by, now=now, session=session, establishment_id=school.id)

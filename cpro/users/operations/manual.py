"""Create and correct accounts one at a time from a form, in the session of the school."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import differences
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, MaybeThere, check_no_error, refusal_of
from cpro.core.formatting import join_french, spoken_name
from cpro.core.permissions import Actor, Permission, Role
from cpro.core.validators import clean_person_name, clean_text, normalise_email
from cpro.establishments.gate import require_open_gate
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.users.errors import LoginTaken, RoleRefused
from cpro.users.models import Account
from cpro.users.operations import addresses, codes, head_codes, rules, teachers
from cpro.users.operations.audit import record_about
from cpro.users.operations.logins import find_taken_logins, free_login, propose_login
from cpro.users.operations.sign_ins import end_all_sign_ins
from cpro.users.roles import MANUAL_ROLES

Changes = dict[str, tuple[Any, Any]]
#: Writes a higher feature's part of the same action; its changes are added to the audit entry.
Alongside = Callable[[Account], Mapping[str, tuple[Any, Any]]]

CIVILITIES = ("", "M.", "Mme")


def _name(text: str, label: str) -> str:
    name = clean_person_name(text)
    if not name:
        raise DomainError(f"Indiquez le {label} de la personne.")
    return name


def _civility(text: str) -> str:
    if text not in CIVILITIES:
        raise DomainError("Choisissez « M. », « Mme », ou laissez vide.")
    return text


def _role(text: str) -> str:
    known = {role.value: role for role in Role}
    if text in known and known[text].is_platform:
        raise DomainError(
            "Un inspecteur ne se crée pas ici : le chef d’établissement lui ouvre un accès par un mandat."
            if known[text].can(Permission.MANDATE_ENTER)
            else "Les comptes du support appartiennent à la plateforme : ils ne se créent pas dans un établissement."
        )
    if text not in known:
        raise DomainError("Choisissez un rôle dans la liste.")
    return text


#: Each editable field of an account, with its normalisation rule, in the order of the form.
RULES: dict[str, Callable[[str], str]] = {
    "civility": _civility,
    "last_name": lambda text: _name(text, "nom"),
    "first_name": lambda text: _name(text, "prénom"),
    "email": normalise_email,
    "role": _role,
    "discipline": lambda text: clean_text(text, max_length=100),
}


def get_account_details(account: Account) -> dict[str, str]:
    """Return the editable fields of an account, {field of `RULES`: text}; the role by its value."""
    return {**{name: getattr(account, name) for name in RULES}, "role": account.role.value}


def create_manual_account(
    values: Mapping[str, str], *, confirmed: bool = False, by: Actor, now: datetime, alongside: Alongside | None = None
) -> Account:
    """Create an account of the current school, with a login generated from the name, and return it.

    `values` contains fields of `RULES` (last_name, first_name and role at least); `confirmed` states that the person is
    not one who already has an account of that role under the same name or e-mail address. A first head's code is mailed
    if an address is proved (`head_codes`); a further head or administrator waits for the head's consent. Raises
    `GateClosed`, `FieldErrors`, `MaybeThere`, `RoleRefused`, `ConsentImpossible`, `HeadCodeUndeliverable`,
    `LoginTaken`.
    """
    establishment = lock_current_establishment()
    require_open_gate(establishment)
    clean = _normalise({name: values.get(name, "") for name in RULES})
    role = Role(clean.pop("role"))
    _check_discipline(clean, role)
    if role.has_private_code and clean["email"] and not rules.is_command_line(by):
        raise DomainError(
            "Laissez vide l’adresse électronique d’un chef d’établissement : son code ne part jamais à une adresse "
            "saisie ici, et la personne donnera la sienne dans « Mon compte ».",
            field="email",
        )
    if not confirmed:
        _ask_if_there(role, clean)
    account = Account(
        role=role,
        confirmed_email=clean["email"] if rules.is_command_line(by) else "",
        consent_needed=not rules.is_command_line(by) and rules.needs_consent(role),
        created_at=now,
        **clean,
    )
    _save_with_login(account, establishment.id)
    changes = {**differences({}, get_account_details(account)), **(alongside(account) if alongside else {})}
    changes["login"] = (None, account.login)
    if account.consent_needed:
        changes["consent_needed"] = (False, True)
    if role.has_private_code and not account.is_pending:
        changes.update(head_codes.mail_code_if_proved(account, establishment, by=by, now=now))
    record_about(db.session(), "account:created", account, by=by, now=now, changes=changes)
    teachers.notify_heads(account, establishment, "créé à la main", by=by, now=now)
    return account


def _check_discipline(clean: Mapping[str, str], role: Role) -> None:
    if clean.get("discipline") and not role.can(Permission.PUPILS_EVALUATE):
        raise DomainError("Seul un enseignant a une discipline.", field="discipline")


def _ask_if_there(role: Role, clean: Mapping[str, str]) -> None:
    met = [
        each
        for each in db.session.scalars(select(Account).where(Account.role == role).order_by(Account.id))
        if each.is_named(clean["last_name"], clean["first_name"]) or each.has_address(clean["email"])
    ]
    if met:
        name = spoken_name(clean["first_name"], clean["last_name"])
        raise MaybeThere(
            f"{name} : est-ce la même personne que {join_french([each.label for each in met])}, qui a déjà un compte ?",
            [each.id for each in met],
        )


def update_account(
    account: Account,
    values: Mapping[str, str],
    *,
    opened_on: str | None = None,
    by: Actor,
    now: datetime,
    alongside: Alongside | None = None,
) -> Changes:
    """Correct an account and return what changed, {field: (old, new)}; the login is unchanged.

    `values` contains the fields to set. Raises `FieldErrors`, `StaleForm`, `NotByAdministrator` for the account of a
    head, `OwnAccount` and `RoleRefused` for a role that may not change, `LastAdministrator`.
    """
    establishment = rules.lock(account)
    rules.check_head_acts_alone(
        account,
        by,
        "Le compte d’un chef d’établissement ne change que par lui-même, dans « Mon compte » : ni son nom, ni son "
        "adresse, ni son rôle ne se modifient ici.",
    )
    before = get_account_details(account)
    clean = _normalise(values)
    _check_discipline(clean, Role(clean.get("role", account.role.value)))
    changes: Changes = differences(before, clean)
    check_fresh(before, opened_on, changes)
    if "role" in changes:
        _check_new_role(account, Role(clean["role"]), by)
    _assign(account, {name: clean[name] for name in changes}, by=by, now=now)
    changes.update(alongside(account) if alongside else {})
    if changes:
        db.session.flush()
        record_about(db.session(), "account:changed", account, by=by, now=now, changes=changes)
    if "role" in changes:
        _close_until_consent(account, now=now)
        teachers.notify_heads(account, establishment, "donné à un ancien administrateur", by=by, now=now)
    return changes


def _assign(account: Account, values: Mapping[str, str], *, by: Actor, now: datetime) -> None:
    """Set values of an account; a changed address is notified, and another role may need the head's consent."""
    for name, value in values.items():
        if name != "email":
            setattr(account, name, Role(value) if name == "role" else value)
    if "email" in values:
        addresses.change_account_address(account, values["email"], by=by, now=now)
    if "role" in values:
        account.consent_needed = not rules.is_command_line(by) and rules.needs_consent(account.role)
        account.consented_at = None


def _close_until_consent(account: Account, *, now: datetime) -> None:
    """End the sign-ins and void the codes of an account that now needs the head's consent."""
    if account.is_pending:
        codes.void_codes(db.session(), [account.id], now=now)
        end_all_sign_ins(db.session(), account)


def list_errors(values: Mapping[str, str]) -> dict[str, str]:
    """Return the errors of values checked one by one, {field: sentence}; a caller may add its own."""
    refused = {name: refusal_of(RULES[name], text or "") for name, text in values.items()}
    return {name: refusal.message for name, refusal in refused.items() if refusal is not None}


def _normalise(values: Mapping[str, str]) -> dict[str, str]:
    errors = list_errors(values)
    check_no_error(errors)
    return {name: RULES[name](text or "") for name, text in values.items()}


def list_new_roles(account: Account, by: Actor) -> list[Role]:
    """Return the roles that a correction may give an account: its own, and those that no rule refuses."""
    return [
        role for role in MANUAL_ROLES if role is account.role or refusal_of(_check_new_role, account, role, by) is None
    ]


def _check_new_role(account: Account, role: Role, by: Actor) -> None:
    """Refuse every change of role except from another administrator to teacher."""
    rules.check_not_oneself(account, by, "Personne ne change son propre rôle.")
    if role.has_private_code or account.role.has_private_code:
        raise RoleRefused(
            "Personne ne devient chef d’établissement, ni ne cesse de l’être, par un changement de rôle : "
            "créez un compte à part."
        )
    if role.can(Permission.USERS_EDIT):
        raise RoleRefused(
            "Un second administrateur a un compte à son nom, ouvert avec l’accord du chef d’établissement : "
            "créez-le à part, sans changer le rôle de celui-ci."
        )
    if role.can(Permission.OWN_RECORDS) or account.can(Permission.OWN_RECORDS):
        raise RoleRefused("Un compte d’apprenant garde son rôle : créez pour cette personne un compte à part.")
    rules.check_not_last_administrator(account)


def _save_with_login(account: Account, establishment_id: int) -> None:
    """Give a new account a free login and flush. Raises `LoginTaken` if another writer without the lock took it."""
    base = propose_login(account.first_name, account.last_name)
    account.login = free_login(find_taken_logins(db.session(), establishment_id, base), base)
    db.session.add(account)
    try:
        db.session.flush()
    except IntegrityError as error:
        # PostgreSQL names the constraint, SQLite the columns
        if "uq_account_login" in str(error.orig) or "account.login" in str(error.orig):
            raise LoginTaken(account.login) from error
        raise

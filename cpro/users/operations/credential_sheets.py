"""Create activation codes for many accounts at once: one transaction, one audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from cpro.audit.operations import About, record
from cpro.core.errors import Conflict, DomainError, check_password_given, refusal_of
from cpro.core.formatting import format_count, join_french, plural
from cpro.core.permissions import Actor, Role
from cpro.establishments.gate import require_open_gate
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.extensions import db
from cpro.users.errors import ConsentPending, InactiveAccount, OwnAccount
from cpro.users.models import Account
from cpro.users.operations import codes
from cpro.users.operations.access import check_may_have_code
from cpro.users.operations.sign_ins import end_sign_ins_of
from cpro.users.operations.teachers import notify_of_codes

#: Sheets in one document: a large school needs three, and the page answers within seconds.
MAX_SHEETS = 500


@dataclass(frozen=True)
class CredentialSheet:
    """The data printed on one activation sheet; it exists only in the response."""

    account_id: int
    first_name: str
    last_name: str
    role: Role
    login: str
    code: str


#: Why an account gets no sheet, as a noun: of one account, of several.
Why = tuple[str, str]
ACTIVATED: Why = ("compte déjà activé", "comptes déjà activés")
_HEADS: Why = ("compte de chef d’établissement", "comptes de chef d’établissement")
_WHY: Mapping[type[DomainError], Why] = {
    OwnAccount: ("compte qui est le vôtre", "comptes qui sont les vôtres"),
    ConsentPending: ("compte en attente d’accord", "comptes en attente d’accord"),
    InactiveAccount: ("compte désactivé", "comptes désactivés"),
}


@dataclass(frozen=True)
class Plan:
    """The sheets to create, in the order of the accounts, and which accounts are left out and why."""

    #: their codes are not valid before `activate_credential_sheets`
    sheets: Sequence[CredentialSheet]
    #: whether accounts that were already activated are included, and reset
    reset: bool
    #: passwords that stop working, if it resets
    passwords: int = 0
    #: accounts that get no sheet, by reason
    left_out: Mapping[Why, Sequence[Account]] = field(default_factory=dict)
    #: accounts whose printed, still unused code will be void
    printed: int = 0


class SheetsOutdated(Conflict):
    """Raised for sheets of accounts that changed while the document was being rendered."""

    message = "Un de ces comptes vient de changer : aucune fiche n’a été préparée, demandez à nouveau."


class NoSheet(DomainError):
    """Raised for a document without a sheet, or with too many."""


def plan_credential_sheets(accounts: Sequence[Account], *, reset: bool = False, by: Actor, now: datetime) -> Plan:
    """Return the sheets of the eligible accounts, with new codes; nothing is written and earlier codes remain valid.

    Accounts with a password are left out, unless `reset`. Heads always are, as are the actor's own account, deactivated
    and pending ones. Raises `GateClosed`, `NoSheet`.
    """
    require_open_gate(get_current_establishment())
    left_out = list_left_out(accounts, reset=reset, by=by)
    kept = _leave_out(accounts, left_out)
    if not kept:
        raise NoSheet(_why_none(accounts, left_out))
    if len(kept) > MAX_SHEETS:
        raise NoSheet(
            f"Cela ferait {format_count(len(kept))} fiches, le maximum est {MAX_SHEETS} par document : procédez "
            "division par division."
        )
    ids = [each.id for each in kept]
    codes_by_account = codes.generate_codes(ids)
    return Plan(
        [
            CredentialSheet(each.id, each.first_name, each.last_name, each.role, each.login, codes_by_account[each.id])
            for each in kept
        ],
        reset,
        passwords=sum(each.password_hash is not None for each in kept),
        left_out=left_out,
        printed=codes.count_printed_codes(db.session(), ids, now=now),
    )


def activate_credential_sheets(
    plan: Plan, *, about: str, password_given: bool = False, by: Actor, now: datetime
) -> None:
    """Store the codes of planned sheets, and void the earlier unused codes of their accounts.

    If the plan resets, passwords stop working and sign-ins end. Teachers who use their account are notified. `about`
    names the batch in the journal: a division, or how many people. Raises `GateClosed`, `SheetsOutdated`, and as
    `check_agreed`.
    """
    check_agreed(plan, password_given=password_given, by=by)
    establishment = lock_current_establishment()
    require_open_gate(establishment)
    codes_by_account = {each.account_id: each.code for each in plan.sheets}
    accounts = db.session.scalars(
        select(Account).where(Account.id.in_(codes_by_account)).execution_options(populate_existing=True)
    ).all()
    kept = _leave_out(accounts, list_left_out(accounts, reset=plan.reset, by=by))
    if {each.id for each in kept} != codes_by_account.keys():
        raise SheetsOutdated
    to_reset = [each for each in kept if each.password_hash is not None] if plan.reset else []
    for account in to_reset:
        account.password_hash = None
    if plan.reset:
        end_sign_ins_of(db.session(), [each.id for each in kept])
    codes.store_codes(db.session(), kept, codes_by_account, now=now)
    notify_of_codes(kept, establishment, by=by, now=now)
    voided = {"passwords_voided": (None, len(to_reset))} if plan.reset else {}
    record(
        "accounts:sheets:reset" if plan.reset else "accounts:sheets:drawn",
        About("accounts", "", about),
        by=by,
        now=now,
        changes={"sheets": (None, len(kept)), **voided},
    )


def check_agreed(plan: Plan, *, password_given: bool, by: Actor) -> None:
    """Raise `PasswordNeeded` if a plan resets accounts, and the actor did not give their own password."""
    if plan.reset:
        check_password_given(password_given, "Pour réinitialiser des comptes", by=by)


def check_may_have_sheet(account: Account, by: Actor) -> None:
    """Raise a refusal if an actor may not create a sheet for an account, whether or not passwords are reset."""
    check_may_have_code(account, by)
    if account.role.has_private_code:
        raise NoSheet("Le code d’un chef d’établissement part par courriel : il ne s’imprime pas.")


def list_left_out(accounts: Sequence[Account], *, reset: bool = False, by: Actor) -> dict[Why, list[Account]]:
    """Return the accounts that get no sheet, by reason: those already activated first, unless `reset`."""
    found: dict[Why, list[Account]] = {} if reset else {ACTIVATED: []}
    for each in accounts:
        refusal = refusal_of(check_may_have_sheet, each, by)
        if refusal is not None:
            found.setdefault(_WHY.get(type(refusal), _HEADS), []).append(each)
        elif not reset and each.password_hash is not None:
            found[ACTIVATED].append(each)
    return {why: left_out for why, left_out in found.items() if left_out}


def _leave_out(accounts: Sequence[Account], left_out: Mapping[Why, Sequence[Account]]) -> list[Account]:
    """Return the accounts that get a sheet, in their order."""
    without = {each.id for found in left_out.values() for each in found}
    return [each for each in accounts if each.id not in without]


def left_out_sentence(plan: Plan) -> str:
    """Return the sentence that counts the accounts left out, or nothing."""
    parts = [plural(len(accounts), *why) for why, accounts in plan.left_out.items()]
    return f"Sans fiche\u202f: {join_french(parts)}." if parts else ""


def _why_none(accounts: Sequence[Account], left_out: Mapping[Why, Sequence[Account]]) -> str:
    if not accounts:
        return "Personne ici n’a encore de compte : il n’y a aucune fiche à imprimer."
    if ACTIVATED in left_out:
        return (
            "Tous ces comptes sont déjà activés : leurs titulaires ont choisi leur mot de passe. Pour leur en faire "
            "choisir un autre, demandez la réinitialisation."
        )
    return (
        "Aucun de ces comptes ne peut recevoir de fiche : le code d’un chef d’établissement part à l’adresse confirmée "
        "de l’établissement, et un compte désactivé ou en attente d’accord n’en a pas. Votre mot de passe se change "
        "dans « Mon compte »."
    )

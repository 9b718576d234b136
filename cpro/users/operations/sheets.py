"""Draw activation codes for many accounts at once: one transaction, one line of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cpro.audit.operations import record
from cpro.core.errors import DomainError
from cpro.core.formatting import format_count, plural
from cpro.core.permissions import Actor, Role
from cpro.establishments.gate import require_open_gate
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.users.models import Account
from cpro.users.operations import codes
from cpro.users.operations.sign_ins import end_sign_ins_of

#: Sheets in one document: a large school in three documents, and a page that answers within seconds.
MAX_SHEETS = 500


@dataclass(frozen=True)
class Sheet:
    """What one activation sheet tells; it exists in the answer alone."""

    account_id: int
    first_name: str
    last_name: str
    role: Role
    login: str
    code: str


@dataclass(frozen=True)
class Drawn:
    """The sheets drawn, in the order of the accounts, and how many accounts were left out and why."""

    sheets: Sequence[Sheet]
    activated: int = 0
    #: heads (their code is mailed), oneself, deactivated accounts, accounts waiting for a consent
    excluded: int = 0


class NoSheet(DomainError):
    """Refuse a document without a sheet, or with too many."""


def draw_sheets(accounts: Sequence[Account], *, reset: bool = False, about: str, by: Actor, now: datetime) -> Drawn:
    """Draw a code for each account that may have one; the earlier unused codes of these accounts are void.

    Accounts already activated are left out, unless `reset`: their password then stops working and their sign-ins
    end. Heads are always left out, as are the actor's own account, deactivated and pending ones. `about` names the
    batch in the journal: a division, or how many people. Raises `GateClosed`, `NoSheet`.
    """
    require_open_gate(lock_current_establishment())
    for account in accounts:
        db.session.refresh(account)
    eligible = [each for each in accounts if each.may_sign_in and each.role is not Role.HEAD and each.id != _own(by)]
    kept = [each for each in eligible if reset or each.activated_at is None]
    if not kept:
        raise NoSheet(_why_none(accounts, eligible))
    if len(kept) > MAX_SHEETS:
        raise NoSheet(
            f"Cela ferait {format_count(len(kept))} fiches, le maximum est {MAX_SHEETS} par document : procédez "
            "division par division."
        )
    to_reset = [each for each in kept if each.password_hash is not None]
    for account in to_reset if reset else []:
        account.password_hash = None
    if reset:
        end_sign_ins_of(db.session(), [each.id for each in kept])
    drawn = codes.draw_codes(db.session(), kept, now=now)
    record(
        "accounts:sheets:reset" if reset else "accounts:sheets:drawn",
        by=by,
        now=now,
        object_type="accounts",
        object_id="",
        object_label=about,
        changes={"sheets": (None, len(kept)), **({"passwords_voided": (None, len(to_reset))} if reset else {})},
    )
    sheets = [Sheet(each.id, each.first_name, each.last_name, each.role, each.login, drawn[each.id]) for each in kept]
    return Drawn(sheets, activated=len(eligible) - len(kept), excluded=len(accounts) - len(eligible))


def left_out_sentence(drawn: Drawn) -> str:
    """Return what to tell of the accounts left out, or nothing."""
    parts = []
    if drawn.activated:
        parts.append(plural(drawn.activated, "compte déjà activé", "comptes déjà activés"))
    if drawn.excluded:
        parts.append(
            plural(
                drawn.excluded,
                "compte de chef d’établissement, désactivé, en attente d’accord ou le vôtre",
                "comptes de chef d’établissement, désactivés, en attente d’accord ou le vôtre",
            )
        )
    return f"Sans fiche : {' et '.join(parts)}." if parts else ""


def _own(by: Actor) -> int | None:
    return by.id if by.kind == "account" else None


def _why_none(accounts: Sequence[Account], eligible: Sequence[Account]) -> str:
    if not accounts:
        return "Personne ici n’a encore de compte : il n’y a aucune fiche à imprimer."
    if eligible:
        return (
            "Tous ces comptes sont déjà activés : leurs titulaires ont choisi leur mot de passe. Pour leur en faire "
            "choisir un autre, demandez la réinitialisation."
        )
    return (
        "Aucun de ces comptes ne peut recevoir de fiche : le code d’un chef d’établissement part à l’adresse confirmée "
        "de l’établissement, et un compte désactivé ou en attente d’accord n’en a pas. Votre mot de passe se change "
        "dans « Mon compte »."
    )

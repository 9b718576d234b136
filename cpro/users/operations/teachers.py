"""Teachers' accounts opened by the administrator: notify the head, who may require consent first.

A teacher reads the pedagogical content of their divisions, and the administrator does not: an account for a teacher who
does not exist would give the administrator access to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cpro.audit.operations import About, record
from cpro.core.errors import DomainError
from cpro.core.formatting import of_name, plural
from cpro.core.mail import Mail, enqueue, public_link
from cpro.core.permissions import Actor, Permission
from cpro.establishments.models import Establishment, TeachersConsent
from cpro.establishments.operations.audit import record_about_school
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.users import queries
from cpro.users.models import Account
from cpro.users.operations import rules


def notify_heads(account: Account, establishment: Establishment, what: str, *, by: Actor, now: datetime) -> None:
    """Notify the heads that the administrator opened a teacher's account, and mark it as to be reviewed.

    `what` says how: « créé à la main ». The command line notifies no one: it acts for the platform's operator.
    """
    if not account.can(Permission.PUPILS_EVALUATE) or rules.is_command_line(by):
        return
    account.unseen_by_head = True
    db.session.flush()
    for address in queries.list_head_addresses(db.session(), establishment.id):
        enqueue(_letter(address, account, establishment, what, by=by), by=by, now=now, about=("account", account.id))


def notify_of_codes(accounts: Iterable[Account], establishment: Establishment, *, by: Actor, now: datetime) -> None:
    """Notify teachers who use their account that a code was created for it, at the address in effect.

    The code lets its holder sign in as them: the head is notified too, as for a new account, and reads it in the
    journal by name. Teachers who never activated their account expect a code, and are not notified.
    """
    in_place = [each for each in accounts if each.can(Permission.PUPILS_EVALUATE) and each.activated_at is not None]
    for account in in_place:
        account.unseen_by_head = account.unseen_by_head or not rules.is_command_line(by)
        if account.confirmed_email:
            letter = _code_letter(account, establishment, by=by)
            enqueue(letter, by=by, now=now, about=("account", account.id))
    db.session.flush()
    if in_place:
        names = ", ".join(sorted(each.label for each in in_place))
        about = About("accounts", "", plural(len(in_place), "compte d’enseignant", "comptes d’enseignants"))
        record("accounts:teachers:code", about, by=by, now=now, changes={"teachers": (None, names)})


def mark_unseen_after_divisions(account: Account, *, by: Actor) -> None:
    """Ask the head to review a teacher's account that was given divisions, as these powers are new.

    An account that waits for consent is shown anyway.
    """
    if rules.is_command_line(by) or account.is_pending:
        return
    account.unseen_by_head = True
    db.session.flush()


def mark_seen(accounts: Sequence[Account], *, by: Actor, now: datetime) -> int:
    """Record that a head has reviewed accounts opened by the administrator; return how many had not been reviewed.

    Raises `Forbidden` for anyone except a head in place.
    """
    lock_current_establishment()
    rules.check_head(by, "Seul le chef d’établissement dit avoir vu les comptes ouverts.")
    unseen = [each for each in accounts if each.unseen_by_head]
    for account in unseen:
        account.unseen_by_head = False
    db.session.flush()
    if unseen:
        names = ", ".join(each.label for each in unseen)
        record(
            "accounts:teachers:seen",
            About("accounts", "", plural(len(unseen), "compte d’enseignant", "comptes d’enseignants")),
            by=by,
            now=now,
            changes={"seen": (None, names)},
        )
    return len(unseen)


def require_consent(asked: TeachersConsent, *, by: Actor, now: datetime) -> None:
    """Set which teachers' accounts opened by the administrator wait for the head's consent.

    Accounts already waiting keep waiting. Raises `Forbidden` for anyone except a head in place, `DomainError` if the
    setting is unchanged.
    """
    establishment = lock_current_establishment()
    rules.check_head(by, "Seul le chef d’établissement décide d’exiger son accord.")
    before = establishment.teachers_consent
    if before is asked:
        raise DomainError("C’était déjà réglé ainsi.")
    establishment.teachers_consent = asked
    db.session.flush()
    changes = {"teachers_consent": (before.label, asked.label)}
    record_about_school("establishment:teachers:consent", establishment, changes, by=by, now=now)


def _code_letter(account: Account, school: Establishment, *, by: Actor) -> Mail:
    return Mail(
        to=account.confirmed_email,
        subject="CPro : un code a été préparé pour votre compte",
        body=(
            "Bonjour,\n\n"
            f"{by.label} a préparé un code d’activation pour votre compte d’enseignant dans {school.name}. Avec ce "
            "code, on choisit un nouveau mot de passe et on se connecte à votre nom.\n\n"
            "Si vous l’avez demandé, on vous le remettra. Sinon, prévenez votre chef d’établissement : lui aussi lit "
            "dans le journal qui l’a préparé, et quand.\n\n"
            f"Votre compte : {public_link('/mon-compte')}\n"
        ),
    )


def _letter(to: str, account: Account, school: Establishment, what: str, *, by: Actor) -> Mail:
    follows = (
        "Personne ne peut s’en servir avant que vous ayez donné votre accord, depuis sa fiche."
        if account.is_pending
        else "Un enseignant lit les fiches, les évaluations et les bilans des élèves de ses divisions. Si vous ne "
        "connaissez pas cette personne, parlez-en à l’administrateur ; vous pouvez aussi exiger que votre accord soit "
        "demandé d’abord, depuis la liste des utilisateurs."
    )
    return Mail(
        to=to,
        subject=f"CPro : le compte d’enseignant {of_name(account.label)} a été {what}",
        body=(
            "Bonjour,\n\n"
            f"Le compte d’enseignant {of_name(account.label)} a été {what} par {by.label}, pour "
            f"{school.name or school.code}.\n\n"
            f"{follows}\n\n"
            f"Sa fiche :\n{public_link('/admin/utilisateurs/details/', id=str(account.id))}\n"
        ),
    )

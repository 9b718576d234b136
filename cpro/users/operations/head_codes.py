"""Create a head's code and mail it to a proved address, not chosen by an administrator; no screen shows the code.

Without a proved address no code is created here: the platform's operator creates it on the command line and gives it
to the head in person.
"""

from __future__ import annotations

from datetime import datetime

from cpro.core.formatting import of_name
from cpro.core.mail import Mail, MailState, enqueue, public_link
from cpro.core.mail.queries import find_last_messages
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment
from cpro.establishments.operations.proof import find_proved_address
from cpro.extensions import db
from cpro.users import queries
from cpro.users.errors import HeadCodeUndeliverable
from cpro.users.models import Account
from cpro.users.operations import codes

BY_THE_PLATFORM = (
    "Aucune adresse n’est confirmée pour recevoir le code d’un chef d’établissement : c’est l’équipe qui administre "
    "CPro qui le lui remet. Demandez-le-lui."
)


def check_address(establishment: Establishment, account: Account) -> str:
    """Return the address that the code of a head's account would be mailed to.

    Raises `HeadCodeUndeliverable` if no address is proved, or if it is the own address of another person's account:
    that person would then receive the head's code.
    """
    address = find_proved_address(establishment)
    if not address:
        raise HeadCodeUndeliverable(BY_THE_PLATFORM)
    other = queries.find_account_with(db.session(), address, besides=account.id)
    if other is not None:
        raise HeadCodeUndeliverable(
            f"L’adresse qui reçoit le code du chef d’établissement, {address}, est aussi celle du compte "
            f"{of_name(other.label)}, qui recevrait ce code. Demandez-le à l’équipe qui administre CPro."
        )
    return address


def mail_code(account: Account, establishment: Establishment, *, by: Actor, now: datetime) -> str:
    """Create a head's code, mail it to the proved address after the commit, and return that address.

    The account's page shows the state of the message. Raises `HeadCodeUndeliverable`.
    """
    address = check_address(establishment, account)
    code = codes.create_code(db.session(), account, now=now)
    link = public_link("/activation", establishment=establishment.code, login=account.login)
    mail = Mail(
        to=address,
        subject="CPro : code d’activation du chef d’établissement",
        body=(
            f"À l’attention {of_name(account.label)}, chef d’établissement\n\n"
            f"Un compte CPro de chef d’établissement est ouvert à votre nom pour {establishment.name}, à la demande "
            f"{of_name(by.label)}.\n\n"
            f"Ouvrez cette adresse :\n{link}\n\n"
            f"Identifiant : {account.login}\n"
            f"Code d’activation, valable 30 jours et une seule fois : {code}\n\n"
            "Vous choisirez vous-même votre mot de passe. Ce compte engage l’établissement : ce code n’est que pour la "
            "personne nommée ci-dessus, et personne d’autre n’a à le demander, pas même l’administrateur de CPro. "
            "Si elle ne dirige pas l’établissement, n’en faites rien et prévenez le chef d’établissement.\n"
        ),
    )
    enqueue(mail, by=by, now=now, about=("account", account.id))
    return address


def mail_code_if_proved(
    account: Account, establishment: Establishment, *, by: Actor, now: datetime
) -> dict[str, tuple[object, object]]:
    """Mail a head's code if an address is proved; return its audit changes, empty if no address is.

    Raises `HeadCodeUndeliverable` if the address is an account's own.
    """
    if not find_proved_address(establishment):
        return {}
    return {"code_mailed_to": (None, mail_code(account, establishment, by=by, now=now))}


def describe_code(account: Account, establishment: Establishment) -> tuple[str, str] | None:
    """Return how a head who has not activated their account gets a code, and the level of the notice; None otherwise.

    This includes a message that the mail server refused: the platform's operator then gives the code.
    """
    if not account.role.has_private_code or account.activated_at is not None or not account.may_sign_in:
        return None
    address = find_proved_address(establishment)
    if not address:
        return BY_THE_PLATFORM, "blocked"
    last = find_last_messages("account", [account.id]).get(str(account.id))
    if last is not None and last.state is MailState.REFUSED:
        return (
            f"Le message qui portait le code n’a pas été accepté à {last.to} : {last.refusal}. L’équipe qui administre "
            "CPro peut remettre un code à la personne : demandez-le-lui.",
            "blocked",
        )
    return f"Le code de cette personne part à {address}, et nulle part ailleurs.", "info"

"""How the screen of accounts describes an account, the actions on it, and where a head's code goes."""

from __future__ import annotations

from collections.abc import Sequence

from cpro.core.web.screens.bulk import name_some
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment
from cpro.users.models import Account
from cpro.users.operations import access
from cpro.users.operations.head_codes import BY_THE_PLATFORM

#: Where to read the state of a message about an account.
FOLLOWED = "la fiche du compte dit où en est l’envoi"
#: What a person who never chose a password needs once their account is reactivated.
_NEW_SHEET = "Pour se connecter après une réactivation, il faudra une nouvelle fiche d’activation."

#: How many names are read before an action is confirmed; as many as a list shows on its longest page.
_CHECKED = 100


def describe_names(labels: Sequence[str]) -> str:
    """Return the names of accounts as a list in a sentence: as many as a person can check one by one."""
    return name_some(labels, _CHECKED)


def why_not_corrected(row: Account) -> str | None:
    """Return why an account cannot be corrected here, or None; one awaiting consent may still be deactivated."""
    if not row.role.has_private_code:
        return None
    if row.is_pending:
        return (
            "Le nom, l’adresse et le rôle d’un chef d’établissement ne se corrigent pas ici. Ce compte attend un "
            "accord : s’il porte une faute, désactivez-le et créez-en un autre."
        )
    return "Le compte d’un chef d’établissement ne change que par lui-même, dans « Mon compte »."


def describe_deactivation(row: Account) -> list[str]:
    """Return the consequences of deactivating one account."""
    effects = [
        "La personne ne pourra plus se connecter ; ses connexions en cours prennent fin.",
        "Ses données restent.",
    ]
    if row.password_hash is None and not row.role.has_private_code:
        effects.append(f"Son code d’activation cesse de servir, s’il lui en a été remis un. {_NEW_SHEET}")
    return effects


def describe_reactivation(row: Account) -> list[str]:
    """Return the consequences of reactivating an account: deactivation voided its code, printed sheets included."""
    waits = ["La personne attendra d’abord l’accord du chef d’établissement."] if access.will_wait(row) else []
    if row.password_hash is None:
        return [*waits, f"Le code d’activation d’avant la désactivation reste sans effet. {_NEW_SHEET}"]
    return [*waits, "La personne pourra à nouveau se connecter, avec le mot de passe qu’elle avait."]


def reactivated(row: Account) -> str:
    """Return the message after a reactivation, and what is left to do: the account's page has the links."""
    done = "réactivé"
    if row.is_pending:
        done += ". Le compte attend l’accord du chef d’établissement"
    if row.password_hash is None:
        sheet = "sa nouvelle fiche d’activation" if row.is_pending else "« Fiche d’activation », sur cette page"
        done += f". Ses anciens codes ne servent plus : {'ensuite, imprimez' if row.is_pending else 'ouvrez'} {sheet}"
    return done


def describe_reset(row: Account) -> list[str]:
    """Return the consequences of resetting an account."""
    first = (
        "Le code d’activation remis auparavant, s’il n’a pas servi, cesse de fonctionner."
        if row.password_hash is None
        else "Son mot de passe actuel cesse de fonctionner et ses connexions prennent fin."
    )
    shown = "Un code d’activation vous est montré une seule fois."
    return [first, where_code_goes() if row.role.has_private_code else shown]


def describe_second_factor_reset(row: Account) -> list[str]:
    """Return the consequences of removing a person's second factor."""
    notice = (
        f"Un message l’en avertit, à l’adresse {row.confirmed_email}."
        if row.confirmed_email
        else "Le compte n’a pas d’adresse électronique qui compte : avertissez la personne vous-même."
    )
    return [
        "Son mot de passe suffira à nouveau pour se connecter ; ses codes de secours ne valent plus rien.",
        "Ne le faites que si la personne vous l’a demandé elle-même : un autre pourrait se faire passer pour elle.",
        notice,
    ]


def where_code_goes() -> str:
    """Return the sentence that says where the code of a head goes."""
    address = find_proved_address(get_current_establishment())
    return f"Son code d’activation part à {address} : {FOLLOWED}." if address else BY_THE_PLATFORM

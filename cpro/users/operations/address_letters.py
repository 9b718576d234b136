"""E-mails about a changed address: to its earlier holder, the heads, the school."""

from __future__ import annotations

from datetime import datetime

from cpro.core.formatting import format_day_of, of_name, of_school
from cpro.core.mail import Mail
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment
from cpro.users.models import Account, AddressChange


def account_notice(
    account: Account, school: Establishment, change: AddressChange, link: str, *, counts_on: datetime
) -> Mail:
    """Return the letter to the earlier address of an account that another person changed, with its link."""
    return Mail(
        to=change.earlier,
        subject="CPro : l’adresse électronique de votre compte a été changée",
        body=(
            f"Bonjour {account.label},\n\n"
            f"{change.requested_by} a changé l’adresse électronique de votre compte CPro ({_named(school)}) :\n\n"
            f"    ancienne adresse : {change.earlier}\n"
            f"    nouvelle adresse : {_shown(change.email)}\n\n"
            "Confirmez ce changement, ou opposez-vous-y, à cette adresse, valable 30 jours :\n"
            f"{link}\n\n"
            f"Sans opposition de votre part, les codes de « Mot de passe oublié » partiront à la nouvelle adresse à "
            f"partir du {format_day_of(counts_on, school.timezone)}.\n"
        ),
    )


def account_change_letter(to: str, account: Account, school: Establishment, *, by: Actor) -> Mail:
    """Return the letter that notifies a head of a changed address."""
    return Mail(
        to=to,
        subject=f"CPro : l’adresse électronique {of_name(account.label)} a été changée",
        body=(
            "Bonjour,\n\n"
            f"{by.label} a changé l’adresse électronique du compte {of_name(account.label)}, "
            f"{account.role.label.lower()} ({_named(school)}) :\n\n"
            f"    adresse qui reçoit ses codes : {_shown(account.confirmed_email)}\n"
            f"    adresse saisie : {_shown(account.email)}\n\n"
            "La nouvelle adresse ne reçoit encore aucun code : il faut d’abord que la personne la confirme. Si ce "
            "changement vous surprend, parlez-en avec elle.\n"
        ),
    )


def own_notice(account: Account, school: Establishment, earlier: str) -> Mail:
    """Return the letter to the earlier address of a person who changed their own."""
    return Mail(
        to=earlier,
        subject="CPro : vous avez changé votre adresse électronique",
        body=(
            f"Bonjour {account.label},\n\n"
            f"Vous avez changé l’adresse électronique de votre compte CPro ({_named(school)}), avec votre mot de "
            "passe :\n\n"
            f"    ancienne adresse : {earlier}\n"
            f"    nouvelle adresse : {_shown(account.email)}\n\n"
            "Si ce n’est pas vous, prévenez aussitôt l’administrateur de CPro dans votre établissement.\n"
        ),
    )


def own_new_notice(to: str) -> Mail:
    """Return the letter to the address that a person gave as their own: it names nobody, as it may be a stranger's."""
    return Mail(
        to=to,
        subject="CPro : cette adresse reçoit désormais vos codes",
        body=(
            "Bonjour,\n\n"
            "Une personne vient de donner cette adresse comme la sienne dans CPro, avec son mot de passe. Le code de "
            "« Mot de passe oublié » de son compte y partira désormais.\n\n"
            "Si c’est vous, l’adresse est juste et il n’y a rien à faire. Sinon, cette personne s’est trompée : "
            "supprimez ce message, et ceux de CPro qui suivraient.\n"
        ),
    )


def school_notice(to: str, school: Establishment, *, earlier: str, codes_to: str, by: Actor, link: str = "") -> Mail:
    """Return the letter about the school's changed address; `link` is only for the address in effect."""
    where = (
        f"Les codes d’un chef d’établissement partent à {codes_to}."
        if codes_to
        else "Aucune adresse n’est confirmée pour recevoir les codes d’un chef d’établissement."
    )
    word = (
        "Confirmez ce changement, ou opposez-vous-y, à cette adresse, valable 30 jours :\n"
        f"{link}\n\n"
        "Un chef d’établissement peut aussi le confirmer, dans Paramètres, onglet Établissement. Sans réponse, rien "
        "ne change pour ces codes.\n"
        if link
        else "Si ce changement vous surprend, prévenez le chef d’établissement.\n"
    )
    return Mail(
        to=to,
        subject="CPro : l’adresse électronique de l’établissement a été changée",
        body=(
            "Bonjour,\n\n"
            f"{by.label} a changé dans CPro l’adresse électronique {of_school(_named(school))} :\n\n"
            f"    ancienne adresse : {_shown(earlier)}\n"
            f"    nouvelle adresse : {_shown(school.email)}\n\n"
            f"{where}\n\n"
            f"{word}"
        ),
    )


def objection(to: str, school: Establishment, account: Account | None, change: AddressChange) -> Mail:
    """Return the letter that notifies a head of an objection to a changed address."""
    whose = f"du compte {of_name(account.label)}" if account else of_school(_named(school))
    follows = (
        "L’ancienne adresse est rétablie."
        if account
        else "Les codes d’un chef d’établissement continuent de partir à l’ancienne adresse. La nouvelle reste "
        "affichée dans Paramètres, onglet Établissement, où vous pouvez la corriger."
    )
    return Mail(
        to=to,
        subject="CPro : opposition à un changement d’adresse",
        body=(
            "Bonjour,\n\n"
            f"Le titulaire de l’adresse {change.earlier} s’est opposé au changement de l’adresse électronique {whose}, "
            f"demandé par {change.requested_by} ({_shown(change.email)}).\n\n"
            f"{follows}\n"
        ),
    )


def _named(school: Establishment) -> str:
    return school.name or school.code


def _shown(address: str) -> str:
    return address or "aucune"

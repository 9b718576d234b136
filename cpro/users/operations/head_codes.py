"""The code of a head never shows on a screen: it is mailed to the establishment's address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from cpro.core.mail import Mail, enqueue, public_link
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.users.errors import HeadCodeUndeliverable
from cpro.users.models import Account
from cpro.users.operations import codes


def check_address(establishment: Establishment) -> str:
    """Return the address that a head's code would be mailed to.

    Raises `HeadCodeUndeliverable` when the establishment has none, or when it is the own address of somebody's
    account: that person would then receive the head's code.
    """
    address = establishment.email
    if not address:
        raise HeadCodeUndeliverable(
            "Le code d’un chef d’établissement part à l’adresse électronique de l’établissement, et elle manque : "
            "complétez Paramètres, onglet Établissement."
        )
    for account in db.session.scalars(select(Account).where(Account.email != "", Account.is_active)):
        if account.email.casefold() == address.casefold():
            raise HeadCodeUndeliverable(
                f"L’adresse de l’établissement, {address}, est aussi celle du compte de {account.label}, qui recevrait "
                "le code du chef d’établissement. Indiquez d’abord une adresse de l’établissement lui-même."
            )
    return address


def mail_code(account: Account, establishment: Establishment, *, by: Actor, now: datetime) -> str:
    """Draw a head's code, mail it to the establishment once committed, and return the address.

    What became of the message is read on the page of the account.

    Raises `HeadCodeUndeliverable`.
    """
    address = check_address(establishment)
    code = codes.draw_code(db.session(), account, now=now)
    link = public_link("/activation", establishment=establishment.code, login=account.login)
    mail = Mail(
        to=address,
        subject="CPro : code d’activation du chef d’établissement",
        body=(
            f"À l’attention de {account.label}, chef d’établissement\n\n"
            f"Un compte CPro de chef d’établissement est ouvert à votre nom pour {establishment.name}.\n\n"
            f"Ouvrez cette adresse :\n{link}\n\n"
            f"Identifiant : {account.login}\n"
            f"Code d’activation, valable 30 jours et une seule fois : {code}\n\n"
            "Vous choisirez vous-même votre mot de passe. Ce compte engage l’établissement : ne transmettez ce code "
            "à personne d’autre.\n"
        ),
    )
    enqueue(mail, by=by, now=now, about=("account", account.id))
    return address

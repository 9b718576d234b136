"""E-mails to inspectors, without any data of another school."""

from __future__ import annotations

from cpro.core.formatting import at_school, format_date, of_school
from cpro.core.mail import Mail, public_link
from cpro.establishments.models import Establishment
from cpro.inspectors.models import Mandate


def opening(mandate: Mandate, school: Establishment, diplomas: list[str], *, code: str | None) -> Mail:
    """Return the message that announces a mandate; with a code, it also asks the inspector to choose a password."""
    how = (
        f"Connectez-vous avec votre compte CPro d’inspecteur, sans indiquer d’établissement :\n"
        f"{public_link('/connexion')}\n"
        if code is None
        else (
            "C’est la première fois que vous utilisez CPro : choisissez d’abord votre mot de passe. "
            "Ouvrez cette adresse :\n"
            f"{public_link('/activation', login=mandate.email)}\n\n"
            "Laissez « Établissement » vide.\n"
            f"Identifiant : {mandate.email}\n"
            f"Code d’activation, valable 7 jours et une seule fois : {code}\n\n"
            "Passé ce délai, demandez un autre code par « Mot de passe oublié ».\n"
        )
    )
    return Mail(
        to=mandate.email,
        subject=f"CPro : {_name(school)} vous ouvre un accès",
        body=(
            f"Bonjour {mandate.inspector_name},\n\n"
            f"Le chef d’établissement {of_school(_name(school))} vous ouvre un accès en lecture seule "
            f"{_days(mandate)}.\n\n"
            f"Diplômes : {', '.join(diplomas) or 'tous les diplômes de l’établissement'}\n"
            f"Objet : {mandate.purpose}\n\n"
            f"{how}\n"
            "Chaque page que vous ouvrirez est inscrite dans le journal de l’établissement, que son chef lit. "
            "Si ce message ne vous est pas destiné, ne faites rien et prévenez l’établissement.\n"
        ),
    )


def extension(mandate: Mandate, school: Establishment) -> Mail:
    """Return the message that announces a later last day."""
    return Mail(
        to=mandate.email,
        subject=f"CPro : votre accès {at_school(_name(school))} est prolongé",
        body=(
            f"Bonjour {mandate.inspector_name},\n\n"
            f"Le chef d’établissement {of_school(_name(school))} prolonge votre accès\u202f: il court désormais "
            f"{_days(mandate)}. Rien d’autre ne change.\n"
        ),
    )


def closing(mandate: Mandate, school: Establishment) -> Mail:
    """Return the message that announces that a mandate is closed; the reason stays in the school."""
    return Mail(
        to=mandate.email,
        subject=f"CPro : votre accès {at_school(_name(school))} est fermé",
        body=(
            f"Bonjour {mandate.inspector_name},\n\n"
            f"Le chef d’établissement {of_school(_name(school))} a fermé votre accès. "
            "Votre compte et les accès ouverts par d’autres établissements ne changent pas.\n"
        ),
    )


def _name(school: Establishment) -> str:
    return school.name or school.code


def _days(mandate: Mandate) -> str:
    return f"du {format_date(mandate.starts_on)} au {format_date(mandate.ends_on)} compris"

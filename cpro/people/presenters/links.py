"""The consequences of linking an account to its pupil, and of unlinking it."""

from __future__ import annotations

from cpro.core.formatting import of_name
from cpro.students.accounts import links, queries
from cpro.students.accounts.operations import account_names
from cpro.students.models import Student
from cpro.users.models import Account

#: The consequences of unlinking an account from its pupil.
UNLINKED = [
    "Le compte n’ouvre plus aucun parcours : rien de ce qui concerne l’élève n’y reste.",
    "Ses connexions prennent fin et ses codes d’activation pas encore utilisés cessent de servir.",
    "Les fiches, les évaluations et les bilans de l’élève restent ; vous pourrez lui ouvrir un compte.",
    "Le chef d’établissement en est averti.",
]


def describe_link(account: Account, student: Student) -> list[str]:
    """Return the consequences of linking an account to a pupil."""
    whose = of_name(queries.name_in_sentence(student))
    return [
        f"Ce compte ouvrira le parcours {whose} : ses fiches, ses évaluations et ses bilans.",
        *(
            [f"Il prendra le nom de l’élève ; son identifiant reste {account.login}."]
            if any(getattr(account, key) != value for key, value in account_names(student).items())
            else []
        ),
        *(
            ["Son adresse électronique est effacée : l’élève donnera la sienne dans « Mon compte »."]
            if account.email or account.confirmed_email
            else []
        ),
        "Ses connexions prennent fin et ses codes d’activation pas encore utilisés cessent de servir.",
        *(
            [
                "Ce compte a déjà servi : son mot de passe est annulé, et un nouveau code d’activation vous est "
                "montré une seule fois, à remettre à l’élève."
            ]
            if links.was_ever_opened(account)
            else []
        ),
        "Le chef d’établissement en est averti.",
    ]

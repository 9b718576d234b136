"""Refusals of sign-ins and codes, with messages that reveal nothing."""

from __future__ import annotations

import math
from datetime import timedelta

from cpro.core.errors import Conflict, DomainError, Forbidden
from cpro.core.formatting import of_name, plural
from cpro.core.permissions import Permission, Role


class SignInRefused(DomainError):
    """Raised without revealing which of school, login or password was wrong, nor whether the account exists."""

    message = (
        "Connexion refusée : l’établissement, l’identifiant et le mot de passe ne vont pas ensemble. "
        "Vérifiez les trois ; les majuscules comptent dans le mot de passe."
    )


class CodeRefused(DomainError):
    """Raised for a wrong code, without revealing whether the account exists."""

    message = (
        "Activation refusée : l’établissement, l’identifiant et le code ne vont pas ensemble, "
        "ou le code a déjà servi. Vérifiez les trois sur votre fiche."
    )


class CodeExpired(DomainError):
    """Raised for a right but expired code: shown only to a person who knows the code."""

    message = "Ce code a expiré. Demandez-en un nouveau à l’administrateur de votre établissement."


class AccountDisabled(Forbidden):
    """Raised for a disabled account: shown only to a person who knows the password or the code."""

    message = "Ce compte est désactivé. Adressez-vous à l’administrateur de votre établissement."


class RoleClosed(Forbidden):
    """Raised if the account's role is closed: shown only to a person who knows the password or the code."""

    def __init__(self, role: Role) -> None:
        whom = "à l’équipe qui administre CPro" if role.can(Permission.USERS_CONSENT) else "au chef d’établissement"
        super().__init__(
            "L’accès à CPro est fermé pour le moment, par mesure de sécurité. Votre compte et ce que vous avez "
            f"enregistré sont conservés. Adressez-vous {whom}, qui peut le rouvrir."
        )


class SignInEnded(Conflict):
    """Raised if another person ended a sign-in at the instant it was opened."""

    message = (
        "Cette connexion vient d’être fermée aussitôt ouverte\u202f: quelqu’un a désactivé ce compte ou terminé ses "
        "connexions à cet instant. Connectez-vous à nouveau."
    )


class TooManyAttempts(DomainError):
    """Raised after repeated failures, whether or not the account exists; the message asks to wait."""

    status = 429
    seconds: int
    #: the alternative to waiting, as the end of the sentence
    way_on = ", ou utilisez « Mot de passe oublié »"

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        shown = (
            plural(self.seconds, "seconde", "secondes")
            if self.seconds < 90
            else plural(math.ceil(self.seconds / 60), "minute", "minutes")
        )
        super().__init__(f"Trop d’essais sans succès. Réessayez dans {shown}{self.way_on}.")


class TooManyCodes(TooManyAttempts):
    """Raised after repeated wrong codes of a second factor; another password would not help."""

    way_on = ""


class UnknownAccount(DomainError):
    """Raised by a command that names an account that does not exist."""

    status = 404


class MaybeMistyped(DomainError):
    """An address looks mistyped: the same call with `confirmed` takes it all the same."""

    def __init__(self, email: str, meant: str) -> None:
        super().__init__(
            f"Cette adresse finit par «\u202f{email.rpartition('@')[2]}\u202f»\u202f: est-ce plutôt "
            f"«\u202f{meant}\u202f»\u202f? Corrigez-la\u202f; si elle est juste, laissez-la. Puis tapez votre "
            "mot de passe et enregistrez-la.",
            field="email",
        )


class LoginTaken(DomainError):
    """Raised for a login that another account of the school has just taken."""

    def __init__(self, login: str) -> None:
        super().__init__(
            f"L’identifiant « {login} » vient d’être pris par un autre compte : validez à nouveau, "
            "CPro en proposera un autre."
        )


class NotByAdministrator(Forbidden):
    """Raised when anyone except the head, or the command line, acts on the account of a head."""


class OwnAccount(Forbidden):
    """Raised on an action that people may not do to their own account."""


class LastAdministrator(DomainError):
    """Raised on an action that would leave a school without an administrator."""

    message = (
        "C’est le dernier administrateur actif de l’établissement : sans lui, plus personne ne pourrait "
        "configurer CPro. Ouvrez d’abord le compte d’un autre administrateur, avec l’accord du chef "
        "d’établissement."
    )


class ConsentImpossible(DomainError):
    """Raised on creating an account that needs consent if there is no head to give it."""

    message = (
        "Un second administrateur ne s’ouvre qu’avec l’accord du chef d’établissement, et aucun compte de chef "
        "d’établissement n’est actif : créez d’abord celui-ci."
    )
    field = "role"


class ConsentPending(DomainError):
    """Raised on creating a code for an account that is waiting for the head's consent."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"Le compte {of_name(label)} attend l’accord du chef d’établissement : aucun code ne peut être créé avant."
        )


class RoleRefused(DomainError):
    """Raised for a role, or a change of role, that the users' screens do not allow."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="role")


class InactiveAccount(DomainError):
    """Raised on creating a code for a deactivated account."""

    def __init__(self, label: str) -> None:
        super().__init__(f"Le compte {of_name(label)} est désactivé : réactivez-le avant de créer un code.")


class HeadCodeUndeliverable(DomainError):
    """Raised on creating a head's code if no mailbox of the establishment can receive it."""

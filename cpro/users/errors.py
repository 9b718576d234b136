"""Refusals of the sign-in and of codes, with the sentence that gives nothing away."""

from __future__ import annotations

import math
from datetime import timedelta

from cpro.core.errors import DomainError, Forbidden
from cpro.core.formatting import plural

_ONE_SENTENCE = (
    "Connexion refusée : l’établissement, l’identifiant et le mot de passe ne vont pas ensemble. "
    "Vérifiez les trois ; les majuscules comptent dans le mot de passe."
)


class SignInRefused(DomainError):
    """Refuse without saying which of school, login or password was wrong, nor whether the account exists."""

    def __init__(self) -> None:
        super().__init__(_ONE_SENTENCE)


class CodeRefused(DomainError):
    """Refuse a code without saying whether the account exists."""

    def __init__(self) -> None:
        super().__init__(
            "Activation refusée : l’établissement, l’identifiant et le code ne vont pas ensemble, "
            "ou le code a déjà servi. Vérifiez les trois sur votre fiche."
        )


class CodeExpired(DomainError):
    """Say that the code was right and is too old: told only to who knows the code."""

    def __init__(self) -> None:
        super().__init__("Ce code a expiré. Demandez-en un nouveau à l’administrateur de votre établissement.")


class AccountDisabled(Forbidden):
    """Say that the account is disabled: told only to who knows the password or the code."""

    def __init__(self) -> None:
        super().__init__("Ce compte est désactivé. Adressez-vous à l’administrateur de votre établissement.")


class TooManyAttempts(DomainError):
    """Ask to wait after repeated failures, whether or not the account exists."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        shown = (
            plural(self.seconds, "seconde", "secondes")
            if self.seconds < 90
            else plural(math.ceil(self.seconds / 60), "minute", "minutes")
        )
        super().__init__(f"Trop d’essais sans succès. Réessayez dans {shown}, ou utilisez « Mot de passe oublié ».")


class UnknownAccount(DomainError):
    """Tell a command that the account it names does not exist."""

    status = 404

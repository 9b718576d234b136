"""Errors of the feature, with the French sentences shown to users."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, NotFound
from cpro.core.formatting import plural


class ModuleOff(Conflict):
    """Refuse to export a passport while the module is switched off."""

    message = (
        "Le module « Passeport » est désactivé dans cet établissement : aucun passeport ne peut être exporté. Rien "
        "n’est perdu ; le chef d’établissement peut le réactiver, dans l’onglet Modules des paramètres."
    )


class NoStudentToIssue(DomainError):
    """Refuse to export the passports of a division without pupils."""

    message = "Cette division n’a aucun apprenant présent : il n’y a pas de passeport à exporter."


class UnknownCode(NotFound):
    """Report that no passport has this code."""

    message = (
        "Aucun passeport n’a été émis sous ce code. Vérifiez-le, lettre par lettre : il compte seize lettres et "
        "chiffres."
    )


class UnusableCopy(DomainError):
    """Refuse a copy that cannot be compared."""


class TooManyChecks(DomainError):
    """Ask to wait before checking another passport; `seconds` says how long."""

    status = 429

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        shown = (
            plural(seconds, "seconde", "secondes") if seconds < 90 else plural(-(-seconds // 60), "minute", "minutes")
        )
        super().__init__(f"Trop de vérifications depuis votre réseau. Réessayez dans {shown}.")

"""Errors of actions on transfers."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, NotFound
from cpro.core.formatting import plural


class NoSuchTransfer(NotFound):
    """Report that the school has no such transfer."""

    message = "Ce transfert n’existe pas."


class NotNow(Conflict):
    """Refuse an action that the state of a transfer does not allow, or no longer does."""


class ChangedMeanwhile(NotNow):
    """Refuse a decision on a transfer that changed since its page was shown."""

    message = (
        "Ce transfert a changé pendant que vous lisiez sa page : rien n’a été fait. Lisez-le tel qu’il est, puis "
        "décidez."
    )


class TransfersOff(Conflict):
    """Refuse a copy while one of the two schools has not activated transfers."""

    def __init__(self, other_school: str = "") -> None:
        who = f"{other_school[:1].upper()}{other_school[1:]}"
        super().__init__(
            f"{who} n’a pas activé les transferts : rien ne peut être copié d’ici là."
            if other_school
            else "Votre établissement n’a pas activé les transferts : activez-les d’abord, dans l’onglet Transferts."
        )


class EvaluatedUpon(Conflict):
    """Report that received fiches were evaluated here since: cancelling must be requested again, keeping them.

    `count` is the number of fiches; the same action with `keep_evaluated=True` keeps them as the school's own.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        what = plural(count, "fiche reçue a servi", "fiches reçues ont servi")
        super().__init__(
            f"{what} à une évaluation faite dans votre établissement. Annuler la laisserait sans appui : demandez à "
            "conserver ce qui a été évalué, qui restera alors à votre établissement."
            if count == 1
            else f"{what} à des évaluations faites dans votre établissement. Annuler les laisserait sans appui : "
            "demandez à conserver ce qui a été évalué, qui restera alors à votre établissement."
        )


class IdentityDiffers(Conflict):
    """Report that the other school gives the chosen pupil another identity; the same action, confirmed, links them."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"L’élève choisi ne correspond pas tout à fait à celui qui est proposé : {what}. Vérifiez, puis confirmez."
        )


class WithdrawalImpossible(DomainError):
    """Refuse to undo what caused transfers, once the copied records were evaluated upon."""

    status = 409

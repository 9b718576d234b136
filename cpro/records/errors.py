"""Refusals of the feature, in the French sentences that people read."""

from __future__ import annotations

from datetime import date

from cpro.core.errors import Conflict, FieldErrors, Forbidden
from cpro.core.formatting import format_date, plural


class NotYourPupil(Forbidden):
    """Refuse the records of a pupil whom the person neither is, nor teaches, nor heads."""

    message = "Vous ne suivez pas cet apprenant : ses fiches, ses évaluations et ses bilans ne vous sont pas ouverts."


class NotYourDivision(Forbidden):
    """Refuse to evaluate a division that one does not teach."""

    message = "Cette division n’est pas une des vôtres."


class NotYours(Forbidden):
    """Refuse to change what another person wrote."""

    def __init__(self, author: str) -> None:
        super().__init__(f"Seul l’auteur peut modifier ou supprimer ce texte : {author}.")


class Frozen(Conflict):
    """Refuse to write about a pupil who has left."""

    def __init__(self, departed_on: date | None) -> None:
        when = f" le {format_date(departed_on)}" if departed_on else ""
        super().__init__(
            f"Cet apprenant a quitté l’établissement{when} : ses fiches, ses évaluations et ses bilans sont figés. "
            "Ils se lisent, ils ne se modifient plus."
        )


class ReadOnlyCopy(Conflict):
    """Refuse to change a copy received from another school."""

    def __init__(self, origin_school: str) -> None:
        super().__init__(
            f"Ceci est une copie reçue d’un autre établissement ({origin_school}) : elle se lit seulement."
        )


class AlreadyValidated(Conflict):
    """Refuse to change a fiche that a teacher validated."""

    def __init__(self, validated_by: str) -> None:
        super().__init__(
            f"Cette fiche a été validée par {validated_by} : elle ne se modifie plus, "
            "sauf si un enseignant la rend à son auteur."
        )


class NotSubmitted(Conflict):
    """Refuse to validate a fiche whose author has not handed it in."""

    message = "Cette fiche est encore un brouillon : son auteur ne l’a pas soumise."


class AlreadyDraft(Conflict):
    """Refuse to hand back a fiche that its author already has."""

    message = "Cette fiche est déjà entre les mains de son auteur."


class FicheInUse(Conflict):
    """Refuse to delete a fiche that évaluations are about."""

    def __init__(self, evaluations: int) -> None:
        counted = plural(evaluations, "évaluation porte", "évaluations portent")
        super().__init__(f"Cette fiche ne peut pas être supprimée : {counted} sur elle.")


class LevelsGivenMeanwhile(FieldErrors):
    """Refuse levels, {field: sentence}, in cells where another one was given since the page was drawn."""

    status = 409

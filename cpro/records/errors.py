"""Errors of the feature, with the French sentences shown to people."""

from __future__ import annotations

from datetime import date

from cpro.core.errors import Conflict, FieldErrors, Forbidden
from cpro.core.formatting import format_date, plural


class NotYourPupil(Forbidden):
    """The person is not the pupil, does not teach them and is not the head."""

    message = "Vous ne suivez pas cet apprenant : ses fiches, ses évaluations et ses bilans ne vous sont pas ouverts."


class NotYourDivision(Forbidden):
    """The teacher does not teach the division to evaluate."""

    message = "Cette division n’est pas une des vôtres."


class NotYours(Forbidden):
    """The record was written by another person and cannot be changed."""

    def __init__(self, author: str) -> None:
        super().__init__(f"Seul l’auteur peut modifier ou supprimer ce texte : {author}.")


class Frozen(Conflict):
    """The pupil has left: their records are frozen."""

    def __init__(self, departed_on: date | None) -> None:
        when = f" le {format_date(departed_on)}" if departed_on else ""
        super().__init__(
            f"Cet apprenant a quitté l’établissement{when} : ses fiches, ses évaluations et ses bilans sont figés. "
            "Ils se lisent, ils ne se modifient plus."
        )


class ReadOnlyCopy(Conflict):
    """The record is a copy received from another school and cannot be changed."""

    def __init__(self, origin_school: str) -> None:
        super().__init__(
            f"Ceci est une copie reçue d’un autre établissement ({origin_school}) : elle se lit seulement."
        )


class AlreadyValidated(Conflict):
    """A teacher validated the fiche, which cannot be changed any more."""

    def __init__(self, validated_by: str) -> None:
        super().__init__(
            f"Cette fiche a été validée par {validated_by} : elle ne se modifie plus, "
            "sauf si un enseignant la rend à son auteur."
        )


class NotSubmitted(Conflict):
    """The fiche cannot be validated: its author has not submitted it."""

    message = "Cette fiche est encore un brouillon : son auteur ne l’a pas soumise."


class AlreadyDraft(Conflict):
    """The fiche is already a draft and cannot be sent back."""

    message = "Cette fiche est déjà entre les mains de son auteur."


class FicheInUse(Conflict):
    """The fiche cannot be deleted: évaluations refer to it."""

    def __init__(self, evaluations: int) -> None:
        counted = plural(evaluations, "évaluation porte", "évaluations portent")
        super().__init__(f"Cette fiche ne peut pas être supprimée : {counted} sur elle.")


class LevelsGivenMeanwhile(FieldErrors):
    """Other levels, {field: sentence}, were given in these cells since the page was rendered."""

    status = 409

"""How the gestures on students, divisions and diplomas read in the journal."""

from __future__ import annotations

from cpro.audit import labels


def name_gestures() -> None:
    """Register the words of the room."""
    labels.register(
        actions={
            "diploma:changed": "a modifié un diplôme",
            "diploma:created": "a ajouté un diplôme",
            "diploma:deleted": "a supprimé un diplôme",
            "division:changed": "a modifié une division",
            "division:created": "a créé une division",
            "student:changed": "a modifié un élève",
            "student:created": "a créé un élève",
        },
        objects={"diploma": "Diplôme", "division": "Division", "student": "Élève"},
        fields={
            "diploma": {"code": "Code", "label": "Intitulé", "short_label": "Intitulé court"},
            "division": {"code": "Code", "label": "Intitulé", "diploma": "Diplôme"},
            "student": {
                "last_name": "Nom de famille",
                "usage_name": "Nom d’usage",
                "first_name": "Prénom",
                "birth_date": "Date de naissance",
                "ine": "INE",
                "division": "Division",
                "is_active": "Présent dans l’établissement",
                "left_on": "Parti le",
            },
        },
    )

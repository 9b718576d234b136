"""French labels of the audited actions on competence lists."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature; lists are recorded under the name of their diploma."""
    labels.register(
        actions={
            "competences:changed": "a modifié la liste des compétences d’un diplôme",
            "competences:emptied": "a vidé la liste des compétences d’un diplôme",
        },
        subjects={"competences": "Diplôme"},
        fields={
            "diploma": {
                "competences_added": "Compétences ajoutées",
                "competences_corrected": "Compétences corrigées",
                "competences_deleted": "Compétences retirées",
                "competences_moved": "Compétences changées de place",
            }
        },
    )

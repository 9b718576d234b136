"""French labels of the audited actions on records: which action, about whom; never the content."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "bilan:changed": "a modifié un bilan",
            "bilan:created": "a rédigé un bilan",
            "bilan:deleted": "a supprimé un bilan",
            "establishment:retention:changed": "a réglé la durée de conservation",
            "evaluation:changed": "a modifié une évaluation",
            "evaluation:created": "a évalué un apprenant",
            "evaluation:deleted": "a supprimé une évaluation",
            "evaluation:division": "a évalué une division",
            "fiche:changed": "a modifié une fiche",
            "fiche:created": "a écrit une fiche",
            "fiche:deleted": "a supprimé une fiche",
            "fiche:sent-back": "a rendu une fiche à son auteur",
            "fiche:submitted": "a soumis une fiche",
            "fiche:validated": "a validé une fiche",
            "records:expired": "a supprimé des données arrivées au terme de leur conservation",
        },
        objects={"pupil_records": "Parcours d’un apprenant"},
        subjects=dict.fromkeys(("bilan", "evaluation", "fiche", "records"), "Parcours d’un apprenant"),
        fields={
            "division": {
                "evaluated": "Évalués",
                "given": "Niveaux donnés",
                "corrected": "Niveaux corrigés",
                "cleared": "Niveaux effacés",
            },
            "establishment": {"retention_years": "Conservation après le départ"},
            "pupil_records": {
                "pupils": "Anciens apprenants",
                "fiches": "Fiches supprimées",
                "evaluations": "Évaluations supprimées",
                "bilans": "Bilans supprimés",
            },
        },
        values={"establishment": {"retention_years": describe_years}},
    )


def describe_years(years: int) -> str:
    """Return a number of years in words: « 1 an », « 3 ans »."""
    return f"{years} an" if years == 1 else f"{years} ans"

"""French labels of the audited actions on students, divisions, diplomas and courses."""

from __future__ import annotations

from cpro.audit import labels


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "account:linked": "a relié un compte à un élève",
            "account:unlinked": "a délié un compte de son élève",
            "accounts:links:seen": "a lu quels comptes ont été reliés",
            "accounts:opened": "a ouvert des comptes d’élèves",
            "diploma:changed": "a modifié un diplôme",
            "diploma:created": "a ajouté un diplôme",
            "diploma:deleted": "a supprimé un diplôme",
            "mef:changed": "a modifié une formation (MEF)",
            "mef:created": "a ajouté une formation (MEF)",
            "mef:deleted": "a supprimé une formation (MEF)",
            "division:changed": "a modifié une division",
            "division:created": "a créé une division",
            "division:deleted": "a supprimé une division",
            "division:joined": "a changé des élèves de division",
            "student:changed": "a modifié un élève",
            "student:created": "a créé un élève",
            "student:departed": "a noté le départ d’un élève",
            "student:merged": "a réuni un doublon à la fiche d’un élève",
            "student:returned": "a noté le retour d’un élève",
        },
        objects={"diploma": "Diplôme", "division": "Division", "mef": "Formation (MEF)", "student": "Élève"},
        fields={
            "account": {"student": "Élève", "password_voided": "Mot de passe annulé"},  # pragma: allowlist secret
            "accounts": {"links": "Changements lus", "opened": "Comptes ouverts"},
            "diploma": {"code": "Code", "label": "Intitulé", "short_label": "Intitulé court"},
            "division": {
                "code": "Code",
                "label": "Intitulé",
                "diploma": "Diplôme",
                "moved": "Élèves arrivés",
                "names": "Leurs noms",
            },
            "mef": {
                "code": "Code",
                "label": "Intitulé",
                "diploma": "Diplôme",
                "other_years": "Autres années rattachées",
                "divisions": "Divisions qui ont changé de diplôme",
            },
            "student": {
                "last_name": "Nom de famille",
                "usage_name": "Nom d’usage",
                "first_name": "Prénom",
                "birth_date": "Date de naissance",
                "ine": "INE",
                "division": "Division",
                "mef_code": "Formation (MEF)",
                "duplicate": "Doublon réuni",
                "fiches": "Fiches reprises",
                "evaluations": "Évaluations reprises",
                "bilans": "Bilans repris",
                "passports": "Passeports repris",
                "is_active": "Présent dans l’établissement",
                "left_on": "Parti le",
            },
        },
    )

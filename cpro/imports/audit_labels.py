"""French labels of the audited actions on imports."""

from __future__ import annotations

from cpro.audit import labels
from cpro.imports.models import REFUSALS_CUT, REFUSED_DEPOSIT, RunKind
from cpro.students.models import Origin

_ACTIONS = {
    "abandoned": "a abandonné un import",
    "answered": "a répondu aux questions d’un import",
    "applied": "a appliqué un import",
    "chosen": "a choisi les désactivations d’un import",
    "deposited": "a déposé des fichiers à importer",
    "expired": "a laissé périmer un import",
    "undone": "a annulé un import",
}
_COUNTS = {
    "created": "créés",
    "changed": "modifiés",
    "deactivated": "désactivés",
    "reactivated": "réactivés",
    "unchanged": "inchangés",
    "refused": "refusés ou sans réponse",
    "without_ine": "sans INE",
}


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            REFUSED_DEPOSIT: "a déposé un fichier refusé",
            REFUSALS_CUT: "a déposé d’autres fichiers refusés, qui ne sont plus écrits ici pendant une heure",
        }
        | {
            f"import:{kind.value}:{action}": f"{words} {kind.label}"
            if action != "deposited"
            else f"{words} ({kind.label})"
            for kind in RunKind
            for action, words in _ACTIONS.items()
        },
        objects={"import_run": "Import", "import_deposit": "Dépôt refusé"},
        subjects={"import": "Import"},
        fields={
            "import_run": {
                **{f"students_{name}": f"Élèves {label}" for name, label in _COUNTS.items()},
                **{f"staff_{name}": f"Personnels {label}" for name, label in _COUNTS.items()},
                "divisions_created": "Divisions créées",
                "divisions_changed": "Divisions modifiées",
                "mefs_created": "Formations (MEF) créées",
                "mefs_changed": "Formations (MEF) modifiées",
                "accounts_opened": "Comptes d’élèves ouverts",
                "answers_columns": "Réponses sur des colonnes",
                "answers_other": "Réponses « une autre personne »",
                "answers_same": "Réponses « la même personne »",
                "files": "Fichiers",
                "state": "État",
            },
            "student": {
                "came_by": "Provenance",
                "local_id": "Numéro dans l’établissement",
                "mef_code": "Formation (MEF)",
                "siecle_id": "Numéro ELEVE_ID",
            },
            "import_deposit": {"refusal": "Refus"},
            "account": {"sts_key": "Numéro dans le fichier", "services": "Divisions selon le fichier"},
            "division": {"diploma_id": "Diplôme"},
            "mef": {"diploma_id": "Diplôme"},
        },
        values={"student": {"came_by": lambda value: Origin(value).label}},
    )

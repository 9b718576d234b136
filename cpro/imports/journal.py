"""How the gestures on imports read in the journal."""

from __future__ import annotations

from cpro.audit import labels

_COUNTS = {
    "created": "créés",
    "changed": "modifiés",
    "deactivated": "désactivés",
    "reactivated": "réactivés",
    "unchanged": "inchangés",
    "refused": "refusés",
    "without_ine": "sans INE",
}


def name_gestures() -> None:
    """Register the words of the room."""
    labels.register(
        actions={
            "import:siecle:applied": "a appliqué un import",
            "import:siecle:deposited": "a déposé des fichiers à importer",
            "import:siecle:undone": "a annulé un import",
        },
        objects={"import_run": "Import", "mef": "Formation (MEF)"},
        fields={
            "import_run": {
                **{f"students_{name}": f"Élèves {label}" for name, label in _COUNTS.items()},
                **{f"staff_{name}": f"Personnels {label}" for name, label in _COUNTS.items()},
                "accounts_opened": "Comptes d’élèves ouverts",
                "files": "Fichiers",
                "state": "État",
            }
        },
    )

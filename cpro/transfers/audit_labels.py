"""French labels of the audited actions on transfers: figures, never what was copied."""

from __future__ import annotations

from cpro.audit import labels

_FIGURES = {
    "pupils": "Élèves",
    "fiches": "Fiches",
    "bilans": "Bilans",
    "evaluations": "Évaluations",
    "kept": "Fiches conservées",
    "reason": "Raison",
    "identities": "Identités essayées en un jour",
}


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "transfer:accepted": "a accepté les données d’un élève",
            "transfer:agreed": "a donné son accord à un transfert",
            "transfer:asked": "a redemandé un transfert",
            "transfer:cancelled": "a annulé un transfert",
            "transfer:checked": "a vérifié le premier transfert avec un établissement",
            "transfer:confirmed": "a confirmé l’identité d’un élève à transférer",
            "transfer:guessed": "a essayé plusieurs identités sous l’INE d’un élève",
            "transfer:expired": "a laissé expirer une proposition de transfert",
            "transfer:names-forgotten": "a effacé les noms des transferts dont la conservation est échue",
            "transfer:offer-received": "propose les données d’élèves",
            "transfer:offered": "a proposé les données d’élèves à un établissement",
            "transfer:received": "a reçu par transfert les données d’élèves",
            "transfer:refused": "a refusé un transfert",
            "transfer:sent": "a transmis par transfert les données d’élèves",
            "transfer:withdrawn": "a repris une proposition de transfert",
            "transfer:withdrawn-by-import": "a annulé un transfert en annulant l’import qui l’avait causé",
        },
        objects={"transfer": "Transfert", "transfers": "Transferts"},
        fields={"transfer": _FIGURES, "transfers": _FIGURES},
    )

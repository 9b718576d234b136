"""French labels of the audited actions on accounts, signing in included."""

from __future__ import annotations

from cpro.audit import labels
from cpro.core.permissions import Role

_FIELDS = {
    "civility": "Civilité",
    "confirmed_email": "Adresse qui reçoit les codes",
    "code_mailed_to": "Code envoyé à",
    "consent": "Accord du chef d’établissement",
    "consent_needed": "Attend l’accord du chef d’établissement",
    "device": "Appareil",
    "discipline": "Discipline",
    "divisions": "Divisions",
    "email": "Adresse électronique",
    "failures": "Essais refusés de suite",
    "first_name": "Prénom",
    "is_active": "Compte actif",
    "last_name": "Nom",
    "login": "Identifiant",
    "name": "Nom",
    "passkey": "Clé d’accès",
    "role": "Rôle",
    "sign_ins": "Sessions terminées",
}


def register_audit_labels() -> None:
    """Register the audit labels of the feature."""
    labels.register(
        actions={
            "account:address:confirmed": "a confirmé la nouvelle adresse d’un compte",
            "account:address:counted": "la nouvelle adresse d’un compte reçoit désormais ses codes",
            "account:address:refused": "a refusé la nouvelle adresse d’un compte",
            "account:changed": "a modifié un compte",
            "account:consent:granted": "a donné son accord à un compte",
            "account:consent:revoked": "a retiré son accord à un compte",
            "account:created": "a créé un compte",
            "account:disabled": "a désactivé un compte",
            "account:enabled": "a réactivé un compte",
            "account:passkey:added": "a ajouté une clé d’accès",
            "account:passkey:removed": "a supprimé une clé d’accès",
            "account:password:changed": "a choisi un mot de passe",
            "account:reset": "a réinitialisé un compte",
            "account:sign-in-refused": "a échoué plusieurs fois à se connecter à un compte",
            "account:second-factor:codes": "a créé de nouveaux codes de secours",
            "account:second-factor:off": "a retiré son second facteur",
            "account:second-factor:on": "a activé son second facteur",
            "account:second-factor:reset": "a réinitialisé le second facteur d’un compte",
            "account:sign-in:ended": "a mis fin à une de ses sessions",
            "account:sign-ins:ended": "a mis fin à ses autres sessions",
            "account:signed-in": "a ouvert une session",
            "account:signed-out": "a fermé sa session",
            "accounts:sheets:drawn": "a préparé des fiches d’activation",
            "accounts:sheets:reset": "a réinitialisé des comptes et préparé leurs fiches",
            "establishment:access:locked": "a fermé d’urgence des accès",
            "establishment:access:reopened": "a rouvert des accès",
            "accounts:teachers:code": "a préparé un code pour des enseignants qui utilisent déjà leur compte",
            "accounts:teachers:seen": "a vu des comptes d’enseignants ouverts ou remis en service par l’administrateur",
            "school:entered": "a rejoint l’établissement",
            "school:left": "a quitté l’établissement",
        },
        objects={"account": "Compte", "accounts": "Comptes", "platform_account": "Compte de la plateforme"},
        subjects={"accounts": "Compte", "school": "Établissement"},
        fields={
            "establishment": {
                "ended": "Sessions terminées",
                "locked_roles": "Rôles fermés",
                "reopened_roles": "Rôles rouverts",
                "voided": "Codes annulés",
            },
            "accounts": {
                "passwords_voided": "Mots de passe annulés",  # pragma: allowlist secret
                "seen": "Comptes vus",
                "sheets": "Fiches préparées",
                "teachers": "Enseignants",
            },
            **dict.fromkeys(("account", "platform_account"), _FIELDS),
        },
        values={kind: {"role": _role} for kind in ("account", "platform_account")},
    )


def _role(value: str) -> str:
    return Role(value).label

"""What the team that administers CPro can do for a school, for its page: each power with the commands that do it."""

from __future__ import annotations

#: Each power, and the commands of `docs/commandes.md` that give it.
OPERATOR_POWERS = (
    ("ouvrir CPro à un établissement, et remettre le premier code à son administrateur", ("establishments create",)),
    (
        "remettre son code d’activation à un chef d’établissement, ou dire à quelle adresse il part",
        ("users reset", "establishments set-head-email"),
    ),
    (
        "réinitialiser un second facteur, quand ni l’application ni un code de secours ne restent",
        ("users reset-second-factor", "platform-users reset-second-factor"),
    ),
    (
        "fermer d’urgence l’accès d’un établissement, et le rouvrir quand plus aucun chef ne le peut",
        ("establishments lock", "establishments unlock"),
    ),
    (
        "désactiver ou réactiver un compte, même celui d’un chef ; donner un accord quand plus aucun chef ne le peut",
        ("users disable", "users enable", "users consent"),
    ),
    ("corriger un code UAI, même verrouillé", ("establishments set-uai",)),
    ("remettre un code à un inspecteur ou au support", ("platform-users create", "platform-users reset")),
    (
        "relancer un traitement interrompu, et restaurer une sauvegarde de toute la plateforme",
        ("jobs retry", "restore"),
    ),
)

"""The pages of help: their order and titles; each has a template of its name in `templates/help/`."""

from __future__ import annotations

#: The pages of help, in the order shown: the address `/aide/<slug>`, also the name of the template, and the title.
HELP_PAGES = {
    "etablissement": "Les renseignements de l’établissement",
    "transferts": "Comment fonctionne un transfert",
    "declaration-cnil": "La déclaration CNIL et ce qui l’a remplacée",
    "logo": "Le logo et le cachet",
    "listes": "Chercher dans une liste, la garder, choisir ses colonnes",
    "utilisateurs": "Les comptes des utilisateurs",
    "rentree": "Préparer la rentrée",
    "urgence": "Fermer d’urgence, rouvrir",
    "masques": "Les masques de saisie",
    "competences": "Les listes de compétences",
    "scenarios": "Les scénarios",
    "parcours": "Les fiches, les évaluations et les bilans",
    "conservation": "La conservation des données",
    "inspecteurs": "L’accès des inspecteurs",
    "imports": "Les imports",
    "passeport": "Le passeport professionnel",
    "mots": "Les mots de CPro",
}

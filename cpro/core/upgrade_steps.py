"""What each migration does, in French, for the operator who runs `db upgrade`; their docstrings are for developers.

A published migration is never edited: its sentence is written here.
"""

from __future__ import annotations

#: By revision: the text after « Migration 00NN : ».
STEPS = {
    "0001": "les premières tables\u202f: écoles, comptes, élèves, masques, images, journal",
    "0002": "sur PostgreSQL, la base elle-même sépare les écoles",
    "0003": "la base refuse de changer ou d’effacer une ligne du journal",
    "0004": "ce qu’il faut aux imports\u202f: l’origine d’un élève, les fichiers gardés, les questions posées",
    "0005": "compétences, scénarios, fiches des élèves, passeports délivrés, durées de conservation",
    "0006": "les transferts entre écoles",
    "0007": "index des comptes\u202f: annuler un import devient rapide",
    "0008": "sur PostgreSQL, la séparation des écoles est jugée une fois par requête",
    "0009": "les messages attendent dans la base, les traitements peuvent attendre une heure donnée",
    "0010": "l’adresse où part le code d’un chef, distincte de ce que l’école écrit",
    "0011": "un élève n’a qu’un compte",
    "0012": "brouillons des longs formulaires",
    "0013": "les fiches d’activation sont gardées une demi-heure, chiffrées",
    "0014": "une adresse changée compte une fois confirmée\u202f; le chef lit quels enseignants ont été ajoutés",
    "0015": "un élève saisi deux fois est réuni en une seule ligne",
    "0016": "les échecs de connexion s’oublient un à un",
    "0017": "un transfert dont les identités diffèrent ne nomme plus l’autre école",
    "0018": "une seule forme pour chaque code de division",
    "0019": "chaque connexion dit de quel navigateur et de quelle adresse elle vient",
    "0020": "les mots par lesquels on cherche dans les listes (le plus long sur une grande base)",
    "0021": "les services de traitement disent chaque minute qu’ils vivent",
    "0022": "ce que retrouve le même fichier d’élèves une fois son import appliqué",
    "0023": "le second facteur",
    "0024": "un index par filtre des listes",
    "0025": "un transfert dit que les identités diffèrent, sans dire en quoi",
    "0026": "un numéro que le journal nomme n’est jamais redonné",
    "0027": "quand un code du second facteur a été donné pour la dernière fois",
    "0028": "les identités essayées sous l’INE d’un élève d’une autre école, en empreintes",
    "0029": "les comptes d’enseignants saisis attendent l’accord du chef, sauf s’il en décide autrement",
    "0030": "la base connaît l’empreinte de la clé du serveur",
    "0031": "clés d’accès (WebAuthn)",
    "0032": "recherches et élèves partis lus dans un index seul",
    "0033": "rôles fermés d’urgence, puis rouverts",
    "0034": "index des comptes sans mot de passe",
    "0035": "ce que les pages d’erreur ont dit, gardé trente jours",
    "0036": "les étapes de la rentrée, et son bilan",
    "0037": "le CAP Électricien porte son code officiel, 50025524",
    "0038": "chacun garde ses recherches sous un nom, et choisit ses colonnes",
    "0039": "index des chiffres d’une année scolaire",
    "0040": "jusqu’où chacun a lu ce qui s’est passé pour lui",
    "0041": "la dernière ligne du journal que chacun a lue dans ses nouveautés",
    "0042": "les problèmes que l’on décrit sont gardés pour le support",
    "0043": "les listes se trient par division, date de naissance et dernière connexion",
    "0044": "jusqu’à quand l’appareil d’une session est de confiance",
}

"""The terms that pages explain in place, and that `/aide/mots` lists: the only place where they are defined."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import g


@dataclass(frozen=True)
class Word:
    """A term, its expansion if it is an acronym, and its meaning here."""

    word: str
    stands_for: str
    meaning: str

    @property
    def slug(self) -> str:
        """Return its anchor on the page of terms."""
        return self.word.lower()


WORDS = (
    Word("CFA", "centre de formation d’apprentis", "Où un apprenti suit ses cours."),
    Word(
        "CNIL",
        "Commission nationale de l’informatique et des libertés",
        "Les transferts demandent la référence d’une déclaration à la CNIL, ou celle du registre qui l’a remplacée.",
    ),
    Word(
        "DPD",
        "délégué à la protection des données",
        "La personne à qui poser une question sur les données personnelles que tient l’établissement.",
    ),
    Word(
        "DREETS",
        "direction régionale de l’économie, de l’emploi, du travail et des solidarités",
        "Le service de l’État dont dépendent les contrats d’apprentissage.",
    ),
    Word(
        "GRETA",
        "groupement d’établissements pour la formation d’adultes",
        "Des établissements publics réunis pour former des adultes.",
    ),
    Word(
        "INE",
        "identifiant national élève",
        "Onze caractères qu’un élève garde toute sa scolarité. Il ne se saisit pas dans CPro\u202f: un import "
        "l’apporte, de SIECLE ou, sans SIECLE, de votre tableau des élèves. Sans lui, aucun transfert automatique.",
    ),
    Word(
        "MCPFA",
        "mission de contrôle pédagogique des formations par apprentissage",
        "Elle contrôle, dans chaque académie, la formation des apprentis.",
    ),
    Word(
        "MEF",
        "module élémentaire de formation",
        "Le code d’une année d’une formation dans les fichiers du ministère, onze caractères. Chaque MEF mène à un "
        "diplôme.",
    ),
    Word(
        "PFMP",
        "période de formation en milieu professionnel",
        "Les semaines qu’un élève passe en entreprise.",
    ),
    Word(
        "RNE",
        "répertoire national des établissements",
        "L’ancien nom du numéro UAI d’un établissement.",
    ),
    Word(
        "SIECLE",
        "système d’information pour les élèves en collège et lycée et pour les établissements",
        "L’application du ministère où l’établissement inscrit ses élèves\u202f; CPro lit ses exports.",
    ),
    Word(
        "STS",
        "structures et services (STS-Web)",
        "L’application du ministère qui dit quels enseignants ont quelles divisions\u202f; CPro lit ses exports.",
    ),
    Word(
        "UAI",
        "unité administrative immatriculée",
        "Le numéro d’un établissement\u202f: sept chiffres et une lettre, par exemple 0570109J.",
    ),
)
_KNOWN = {each.word: each for each in WORDS}
_ANY = re.compile(rf"\b({'|'.join(_KNOWN)})\b")


def find_words(text: object) -> list[tuple[Word, str]]:
    """Return the explained terms found in a text, in order, each with an id unique to the page."""
    found = [_KNOWN[word] for word in dict.fromkeys(_ANY.findall(str(text)))]
    return [(word, f"mot-{word.slug}-{_next_number()}") for word in found]


def _next_number() -> int:
    g.words_explained = g.get("words_explained", 0) + 1
    number: int = g.words_explained
    return number

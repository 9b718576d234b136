"""Findings of an analysis about one line of one file."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """What happens to the line; values are the French labels."""

    REFUSED = "refusé"
    #: left out unless the user answers the question about it
    QUESTION = "question"
    IGNORED = "ignoré"
    WARNING = "avertissement"


class FindingCode(enum.Enum):
    """All kinds of findings; values are the French labels of the filter."""

    ID_MISSING = "sans identifiant"
    ID_DUPLICATE = "identifiant en double"
    NAME_MISSING = "nom ou prénom absent"
    NAME_REFUSED = "nom ou prénom illisible"
    INE_MALFORMED = "INE mal formé"
    INE_DUPLICATE = "INE en double"
    DATE_MALFORMED = "date illisible"
    DIVISION_MALFORMED = "code de division illisible"
    DIVISION_ALTERED = "code de division changé par le tableur"
    CELL_REFUSED = "cellule illisible"
    LINE_TOO_LONG = "trop de valeurs sur la ligne"
    DIVISION_ALIKE = "code de division proche"
    DIVISION_SEVERAL = "plusieurs divisions possibles"
    DIVISION_NAMED = "division au nom long"
    DIVISION_DOUBTFUL = "code de division douteux"
    MERGED = "doublon déjà réuni"
    INE_MISSING = "sans INE"
    INE_FILLER = "INE fictif"
    INE_DOUBTFUL = "clé de l’INE douteuse"
    BIRTH_DATE_MISSING = "sans date de naissance"
    AGE_UNLIKELY = "âge invraisemblable"
    LEAVING_LATER = "départ à venir"
    WITHOUT_CLASS = "sans division"
    TWO_DIVISIONS = "deux divisions"
    INACTIVE_DIVISION = "division des inactifs"
    MEF_MALFORMED = "code MEF illisible"
    LABEL_REFUSED = "libellé illisible"
    TEXT_REPAIRED = "texte mal encodé, réparé"
    WITHOUT_FUNCTION = "fonction absente ou inconnue"
    UNKNOWN_PERSON = "service d’une personne absente"
    EMAIL_REFUSED = "adresse électronique illisible"
    UNREAD_COLUMN = "colonne non reprise"
    OTHER_SHEET = "feuille non lue"
    HIDDEN_LINE = "ligne masquée"
    HIDDEN_COLUMN = "colonne masquée"
    MERGED_CELLS = "cellules fusionnées"
    FILE_LEFT = "fichier laissé de côté"
    UNKNOWN_DIVISION = "groupe d’une division absente"

    @property
    def severity(self) -> Severity:
        """Return what happens to a line with this finding."""
        if self in _REFUSING:
            return Severity.REFUSED
        return Severity.IGNORED if self in _IGNORING else Severity.WARNING


_IGNORING = (
    FindingCode.WITHOUT_FUNCTION,
    FindingCode.MERGED,
    FindingCode.FILE_LEFT,
    FindingCode.UNREAD_COLUMN,
    FindingCode.OTHER_SHEET,
)
_REFUSING = frozenset(
    {
        FindingCode.ID_MISSING,
        FindingCode.ID_DUPLICATE,
        FindingCode.NAME_MISSING,
        FindingCode.NAME_REFUSED,
        FindingCode.INE_MALFORMED,
        FindingCode.INE_DUPLICATE,
        FindingCode.DATE_MALFORMED,
        FindingCode.DIVISION_MALFORMED,
        FindingCode.DIVISION_ALTERED,
        FindingCode.DIVISION_SEVERAL,
        FindingCode.CELL_REFUSED,
        FindingCode.LINE_TOO_LONG,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding; its sentence names no one and contains no INE, so that it can be stored and shown to every role."""

    code: FindingCode
    #: line of the XML file or of the table, from 1
    line: int
    sentence: str

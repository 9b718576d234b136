"""Columns of the two tables: the titles of the templates, and the titles recognised."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cpro.core.formatting import join_french
from cpro.core.spreadsheets import csv_lines, xlsx_file
from cpro.core.validators import fold
from cpro.imports.errors import MissingColumns, UnknownFile


class WorksheetKind(enum.Enum):
    """Whom a table is about; values are the French labels."""

    STUDENTS = "Élèves (tableau)"
    STAFF = "Personnels (tableau)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title in the template, and other titles in use, folded."""

    key: str
    title: str
    other_titles: tuple[str, ...] = ()
    is_required: bool = False

    def is_named(self, folded_title: str) -> bool:
        """Return whether a folded title is one of this column's."""
        return folded_title == fold_title(self.title) or folded_title in self.other_titles


#: Answers about columns are stored by position in this tuple: append new columns at the end.
COLUMNS: dict[WorksheetKind, tuple[Column, ...]] = {
    WorksheetKind.STUDENTS: (
        Column("last_name", "Nom de famille", ("nom", "nom de naissance"), is_required=True),
        Column("usage_name", "Nom d’usage", ("nom usage", "nom usuel")),
        Column("first_name", "Prénom", ("prenoms", "prenom s", "premier prenom"), is_required=True),
        Column("birth_date", "Date de naissance", ("ne le", "nee le", "ne e le", "naissance")),
        Column(
            "ine", "INE", ("n ine", "numero ine", "identifiant national", "n national", "numero national", "ine rnie")
        ),
        Column("division", "Division", ("classe", "code classe", "code division"), is_required=True),
        Column("mef", "Code MEF", ("mef", "formation mef")),
        Column("departed_on", "Date de sortie", ("sortie", "sorti le", "situation")),
        Column("number", "Numéro", ("matricule", "identifiant", "numero interne", "n")),
    ),
    WorksheetKind.STAFF: (
        Column("civility", "Civilité", ("titre",)),
        Column("last_name", "Nom", ("nom de famille", "nom d usage", "nom usuel"), is_required=True),
        Column("first_name", "Prénom", ("prenoms", "prenom s", "premier prenom"), is_required=True),
        Column("function", "Fonction", ("code fonction", "role"), is_required=True),
        Column("discipline", "Discipline", ("disciplines", "matiere")),
        Column(
            "email",
            "Adresse électronique",
            (
                *("e mail", "email", "courriel", "mel", "adresse e mail", "mail", "adresse mail", "adresse courriel"),
                "adresse electronique saisie",  # the title of our own list of accounts
            ),
        ),
        Column("divisions", "Divisions", ("classe", "classes", "division")),
        Column("number", "Numéro", ("matricule", "identifiant", "numero interne", "n")),
    ),
}

#: Titles of our own lists of pupils and accounts, folded, that are ignored in tables without asking the user.
OUR_TITLES = frozenset({"provenance", "adresse qui recoit les codes", "active le", "derniere connexion"})


def fold_title(title: str) -> str:
    """Return a title without case, accents, punctuation or superfluous blanks."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold(title)).split())


def recognise_titles(titles: Sequence[str]) -> WorksheetKind:
    """Return the kind of table that recognises most of its titles. Raises UnknownFile below two.

    A column that only one kind has is decisive; a function alone means that a table is about staff.
    """
    known = {kind: _known_columns(kind, titles) for kind in WorksheetKind}
    staff, students = known[WorksheetKind.STAFF], known[WorksheetKind.STUDENTS]
    if "function" in staff or len(staff - students) > len(students - staff):
        return WorksheetKind.STAFF
    if len(students) >= 2:
        return WorksheetKind.STUDENTS
    raise UnknownFile


def _known_columns(kind: WorksheetKind, titles: Sequence[str]) -> set[str]:
    folded = {fold_title(title) for title in titles}
    return {column.key for column in COLUMNS[kind] if any(column.is_named(title) for title in folded)}


def find_columns(kind: WorksheetKind, titles: Sequence[str]) -> dict[str, int]:
    """Return the position of each known column; others are ignored.

    Raises MissingColumns naming the required columns that are missing, or a column that appears twice.
    """
    folded = [fold_title(title) for title in titles]
    places: dict[str, int] = {}
    for column in COLUMNS[kind]:
        found = [place for place, title in enumerate(folded) if column.is_named(title)]
        exact = [place for place in found if folded[place] == fold_title(column.title)]
        found = exact or found
        if len(found) > 1:
            raise MissingColumns(f"La colonne « {column.title} » figure deux fois : n’en gardez qu’une.")
        if found:
            places[column.key] = found[0]
    if "role" in folded and kind is WorksheetKind.STAFF:
        _read_as_accounts(folded, places)
    missing = [f"« {column.title} »" for column in COLUMNS[kind] if column.is_required and column.key not in places]
    if missing:
        absent = "colonne absente" if len(missing) == 1 else "colonnes absentes"
        raise MissingColumns(f"{kind.value} : {absent}, {join_french(missing)}. Reprenez les titres du modèle.")
    return places


def _read_as_accounts(folded: Sequence[str], places: dict[str, int]) -> None:
    """Map « Identifiant » and « État » of our list of accounts to a login and whether it is deactivated."""
    if "number" in places and folded[places["number"]] == "identifiant":
        places["login"] = places.pop("number")
    if "etat" in folded:
        places["state"] = folded.index("etat")


def template_csv(kind: WorksheetKind) -> bytes:
    """Return the titles only, as CSV: semicolons, UTF-8 with BOM. An example line would end up imported."""
    return "".join(csv_lines([template_titles(kind)])).encode()


def template_xlsx(kind: WorksheetKind) -> bytes:
    """Return the titles only, as a workbook."""
    return xlsx_file([template_titles(kind)], title=kind.value)


def template_titles(kind: WorksheetKind) -> list[str]:
    """Return the titles in the order of the template."""
    return [column.title for column in COLUMNS[kind]]

"""Parse a competence list from a CSV file: two columns, `code` and `intitulé`, in the order of the list.

Separators `;`, `,` or tab; UTF-8 with or without BOM, or Windows-1252. Every error is reported, line by line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cpro.core.errors import DomainError
from cpro.core.formatting import format_count
from cpro.core.validators import clean_text, fold

#: Maximum lengths of the columns.
CODE_LENGTH, LABEL_LENGTH = 16, 250
#: More competences than any diploma has.
MAX_RECORDS = 200
#: Maximum characters of a file: far more than `MAX_RECORDS` lines need.
MAX_SIZE = 200_000
#: Maximum bytes of a file.
MAX_BYTES = MAX_SIZE * 4
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
#: Accepted titles of the label column, folded.
LABEL_TITLES = frozenset({"intitule", "libelle", "competence"})
#: Signatures of refused files, and the reason: a workbook is an archive.
REFUSED_STARTS = (
    (
        re.compile(rb"PK"),
        "Ce fichier est un classeur, non un fichier CSV\u202f: dans le tableur, choisissez « Enregistrer sous », "
        "puis « CSV ».",
    ),
)
#: Prefix that our own files put before a cell that a spreadsheet would take for a formula.
_DEFUSED = re.compile(r"^'(?=[=+\-@])")
_MOST_REPORTED = 20


@dataclass(frozen=True)
class CompetenceRecord:
    """One line of a list."""

    code: str
    label: str


class UnreadableList(DomainError):
    """The file is not a competence list; lists each line to correct."""

    def __init__(self, message: str, lines: tuple[str, ...] = (), *, field: str = "file") -> None:
        super().__init__(message, field=field)
        #: « Ligne 3 : … », one sentence each
        self.lines = lines


def decode(content: bytes) -> str:
    """Return the text of a file. Raises `UnreadableList` when it is not text, or too long."""
    if len(content) > MAX_BYTES:
        raise UnreadableList("Ce fichier est trop long pour une liste de compétences\u202f: vérifiez que c’est le bon.")
    for beginning, sentence in REFUSED_STARTS:
        if beginning.match(content):
            raise UnreadableList(sentence)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        raise UnreadableList(
            "Ce fichier n’est pas un texte lisible\u202f: enregistrez-le au format CSV (UTF-8)."
        ) from None


def read_list(text: str) -> list[CompetenceRecord]:
    """Return the records of a list, in order. Raises `UnreadableList` naming each line to correct."""
    if len(text) > MAX_SIZE or "\x00" in text:
        raise UnreadableList("Ce fichier n’est pas une liste de compétences\u202f: deux colonnes, code et intitulé.")
    lines = _lines(text)
    _line, titles = next(lines, (0, []))
    columns = _columns(titles)
    records: list[CompetenceRecord] = []
    wrong: list[str] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
        record, sentence = read_record([cells[index] if index < len(cells) else "" for index in columns])
        first = seen.setdefault(record.code.casefold(), line) if record.code else line
        if not sentence and first != line:
            sentence = f"le code {record.code} est déjà celui de la ligne {first}."
        if sentence:
            wrong.append(f"Ligne {line}\u202f: {sentence}")
        records.append(record)
    _refuse(records, wrong)
    return records


def _refuse(records: list[CompetenceRecord], wrong: list[str]) -> None:
    if wrong:
        more = len(wrong) - _MOST_REPORTED
        reported = (*wrong[:_MOST_REPORTED], *((f"et {format_count(more)} autres lignes.",) if more > 0 else ()))
        raise UnreadableList(
            "Rien n’a été changé\u202f: corrigez ces lignes du fichier, puis déposez-le à nouveau.", reported
        )
    if not records:
        raise UnreadableList("Ce fichier ne contient aucune compétence sous sa ligne de titres.")
    check_count(records)


def check_count(records: Sequence[CompetenceRecord], *, field: str = "file") -> None:
    """Raise `UnreadableList` for more competences than a diploma may have."""
    if len(records) > MAX_RECORDS:
        raise UnreadableList(
            f"Cette liste contient {format_count(len(records))} compétences, le maximum est {MAX_RECORDS} par diplôme.",
            field=field,
        )


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the non-blank lines, with their number in the file."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            values = [_DEFUSED.sub("", cell.strip()) for cell in cells]
            if any(values):
                yield start, values
            start = reader.line_num + 1
    except csv.Error:
        raise UnreadableList(f"Ligne {start}\u202f: les guillemets de cette ligne ne se ferment pas.") from None


def _columns(titles: list[str]) -> tuple[int, int]:
    names = [fold(title) for title in titles]
    code = names.index("code") if "code" in names else -1
    label = next((index for index, name in enumerate(names) if name in LABEL_TITLES), -1)
    if min(code, label) < 0:
        raise UnreadableList(
            "La première ligne du fichier doit nommer ses deux colonnes\u202f: code et intitulé. "
            "Partez du modèle proposé."
        )
    return code, label


def read_record(cells: Sequence[str]) -> tuple[CompetenceRecord, str]:
    """Return the record of a code and a label, and why it is refused, "" when it is valid."""
    code, label = cells
    if not code:
        return CompetenceRecord("", ""), "il manque le code."
    if len(code) > CODE_LENGTH or not _CODE.fullmatch(code):
        shown = code[: CODE_LENGTH + 1]
        return CompetenceRecord(
            "", ""
        ), f"le code « {shown} » doit compter de 1 à {CODE_LENGTH} lettres sans accent ou chiffres."
    try:
        label = clean_text(label, max_length=LABEL_LENGTH)
    except DomainError as refusal:
        return CompetenceRecord(code, ""), f"{refusal.message[0].lower()}{refusal.message[1:]}"
    return CompetenceRecord(code, label), "" if label else f"il manque l’intitulé de la compétence {code}."

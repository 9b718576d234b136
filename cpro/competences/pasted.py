"""Parse a competence list pasted from a référentiel into competences, blocs and lines left aside.

A PDF gives lines as laid out on its pages: codes with or without dots, bullets, labels over two lines, page numbers,
table cells. Nothing is silently guessed: each line becomes a competence, a bloc or the end of a label, or is left aside
with the reason. Lines of a CSV file (`C1;Étudier`) are accepted too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cpro.competences.reader import (
    LABEL_TITLES,
    MAX_SIZE,
    CompetenceRecord,
    UnreadableList,
    check_count,
    read_record,
)
from cpro.core.validators import fold

_CODE = r"(?:[A-Z]{1,3}[ -]?\d{1,2}(?:[.-]\d{1,2}){0,3}|\d{1,2}(?:\.\d{1,2}){1,3})"
#: A competence: its code, the separator, the label; the code may be alone on its line.
_COMPETENCE = re.compile(rf"({_CODE})\.?(?:\s*[:;|–—-]\s*|\s+|$)(.*)")
#: What follows the letters of a code when another competence begins on the same line, as in a table cell.
_NEXT = r"\d{1,2}(?:\.\d{1,2}){0,3}\s*[:–—-]?\s+[A-ZÀ-Ý]"
_BULLET = re.compile(r"^[•·▪◦‣●○■□➢\uf0b7*]\s*|^[–—-]\s+")
_BLOCK = re.compile(r"(?:bloc|pole)\b(?:.*\d|\s*:|.*competence)")
_PAGE = re.compile(r"(?:page\s*)?\d{1,4}(?:\s*(?:/|sur)\s*\d{1,4})?")
_CROSSES = re.compile(r"(?:[xX✓✔]\s*)+")
#: A quoted cell, its own quotes doubled, as in CSV files.
_QUOTED = re.compile(r'(?:^|(?<=;))"((?:[^"]|"")*)"(?=;|$)')
_ENDS = " .;,"


@dataclass(frozen=True)
class LeftAside:
    """A line that is not part of the list, and the reason."""

    line: int
    text: str
    reason: str


@dataclass
class PastedList:
    """Parsed text: the competences in order, the blocs above them, what was left aside, the faults."""

    records: list[CompetenceRecord] = field(default_factory=list)
    #: the bloc above a competence, by the index of the competence
    blocks: dict[int, str] = field(default_factory=dict)
    left_aside: list[LeftAside] = field(default_factory=list)
    #: sentences, one for each competence that cannot be kept as it is
    faults: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Raise `UnreadableList` when the list cannot be stored; `faults` names the competences to correct."""
        if self.faults:
            raise UnreadableList("Corrigez dans le texte les compétences ci-dessous, puis relisez-le.", field="text")
        if not self.records:
            raise UnreadableList(
                "Aucune compétence n’a été trouvée\u202f: chacune commence par son code, comme "
                "«\u202fC1.1 – Rechercher une information\u202f».",
                field="text",
            )
        check_count(self.records, field="text")


@dataclass
class _Open:
    """The competence being parsed: its label may continue on the next lines."""

    code: str
    line: int
    label: str = ""


def read_pasted(text: str) -> PastedList:
    """Parse a pasted text. Raises `UnreadableList` when it is not the text of a list."""
    if len(text) > MAX_SIZE or "\x00" in text:
        raise UnreadableList(
            "Ce texte est trop long pour une liste de compétences\u202f: collez-en la partie utile.", field="text"
        )
    reading = _Reading()
    for number, line in _lines(text):
        reading.take(number, line)
    reading.close()
    return reading.found


class _Reading:
    """Parser that takes lines one after the other."""

    def __init__(self) -> None:
        self.found = PastedList()
        self._open: _Open | None = None
        self._broken = False  # a blank line ends a label, but not the wait for one
        self._seen: dict[str, int] = {}
        self._headed = 0  # the line of the last bloc

    def take(self, number: int, line: str) -> None:
        """Parse one line."""
        if not line:
            self._broken = True
            return
        text = _BULLET.sub("", line)
        if reason := _why_not(text):
            self._leave(number, line, reason)
        elif _BLOCK.match(fold(text)):
            self._head(number, text.strip(_ENDS))
        elif match := _COMPETENCE.fullmatch(text):
            self._begin(number, match[1], match[2])
        elif self._goes_on(text) and text == line:
            self._extend(text)
        else:
            self._leave(number, line, "ni code, ni suite d’un intitulé")
        self._broken = False

    def close(self) -> None:
        """Store the competence being parsed."""
        if self._open is None:
            return
        begun, self._open = self._open, None
        if not begun.label or _CROSSES.fullmatch(begun.label):
            self._leave(begun.line, f"{begun.code} {begun.label}".strip(), "un code sans intitulé")
            return
        record, fault = read_record([begun.code, begun.label.rstrip(_ENDS)])
        code = begun.code.casefold()
        if code in self._seen:
            again = f"le code {begun.code} est déjà celui de la ligne {self._seen[code]}"
            self._leave(begun.line, f"{begun.code} {begun.label}", again)
            return
        self._seen[code] = begun.line
        if fault:
            self.found.faults.append(f"Ligne {begun.line}\u202f: {fault}")
        self.found.records.append(record if record.label else CompetenceRecord(begun.code, begun.label))

    def _head(self, number: int, block: str) -> None:
        """Begin a bloc; a bloc without competences is replaced by the next one."""
        self.close()
        place = len(self.found.records)
        if place in self.found.blocks:
            self._leave(self._headed, self.found.blocks[place], "un bloc sans compétence")
        self.found.blocks[place], self._headed = block, number

    def _begin(self, number: int, code: str, label: str) -> None:
        self.close()
        self._open = _Open(code.replace(" ", ""), number, label.strip())

    def _extend(self, text: str) -> None:
        assert self._open is not None
        joint = "" if self._open.label.endswith("-") or not self._open.label else " "
        self._open.label += joint + text

    def _goes_on(self, text: str) -> bool:
        """Return whether a line continues the current label: the label itself, or text without a capital first."""
        if self._open is None:
            return False
        return not self._open.label or (not self._broken and not text[0].isupper())

    def _leave(self, number: int, text: str, reason: str) -> None:
        self.found.left_aside.append(LeftAside(number, text, reason))


def _why_not(text: str) -> str:
    """Return why a line is left aside whatever its context, or ""."""
    words = set(re.split(r"[\s;,|]+", fold(text)))
    if _PAGE.fullmatch(text.casefold()):
        return "un numéro de page"
    if _CROSSES.fullmatch(text):
        return "une case de tableau"
    return "un titre de colonne" if words <= {"code", "codes", "competences", *LABEL_TITLES} else ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, splitting lines with several competences: their codes have the same letters."""
    for number, line in enumerate(text.splitlines(), 1):
        plain = " ".join(_unquoted(line).split())
        begun = _BULLET.sub("", plain)
        competence = _COMPETENCE.fullmatch(begun)
        letters = competence[1].rstrip("0123456789.- ") if competence else ""
        yield from ((number, each) for each in (re.split(rf"\s+(?={letters}{_NEXT})", begun) if letters else [plain]))


def _unquoted(line: str) -> str:
    """Return a line with the quotes of CSV cells removed."""
    return _QUOTED.sub(lambda cell: cell[1].replace('""', '"'), line.strip())


def list_by_block(found: PastedList) -> Sequence[tuple[str, Sequence[CompetenceRecord]]]:
    """Return the competences grouped by bloc, "" for those above the first one."""
    starts = sorted({0, *found.blocks})
    ends = [*starts[1:], len(found.records)]
    groups = [(found.blocks.get(start, ""), found.records[start:end]) for start, end in zip(starts, ends, strict=True)]
    return [(block, records) for block, records in groups if block or records]

"""Divisions as written in tables of schools without SIECLE: by code, approximately, or by a longer name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from sqlalchemy import select

from cpro.core.codes import NOT_IN_CODES, fold_code
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.records import StaffRecord, StudentRecord
from cpro.imports.parse.siecle.structures import SIECLEDivision
from cpro.imports.parse.values import DIVISION_CODE_MAX_LENGTH
from cpro.students.models import Division

#: What 2E1, 2E3 or 2E5 become in a spreadsheet: 20, 2000, 200000; 12E3 becomes 12000.
_POWER_OF_TEN = re.compile(r"[1-9]0+|[1-9][0-9]0{3,}")


class _Read(NamedTuple):
    code: str
    sentence: str = ""
    finding: FindingCode = FindingCode.DIVISION_ALIKE


class DivisionCodes:
    """Map the divisions of tables to the school's, and report once how each new spelling is understood.

    A code that differs from exactly one by case, accents or blanks is that one; a name is that of the division so
    named. A line whose code may match several is refused: accepting it would create another.
    """

    def __init__(self) -> None:
        self._codes: set[str] = set()
        self._alike: dict[str, list[str]] = defaultdict(list)
        self._named: dict[str, list[str]] = defaultdict(list)
        self._read: dict[str, _Read] = {}
        #: those to create that were given by name, with the name as label
        self.described: dict[str, SIECLEDivision] = {}
        for code, label in db.session.execute(select(Division.code, Division.label).order_by(Division.id)):
            self._know(code, label)

    def read_student(self, record: StudentRecord) -> StudentRecord:
        """Return a record with the code of its division.

        DIVISION_ALIKE, DIVISION_NAMED, DIVISION_DOUBTFUL, DIVISION_SEVERAL.
        """
        text = record.division_code
        if not text or text in self._codes:
            return record
        if (several := self._list_candidates(text))[1:]:
            findings = (*record.findings, Finding(FindingCode.DIVISION_SEVERAL, record.line, _refusing(text, several)))
            return record._replace(division_code="", findings=findings)
        found = self._read.get(text)
        if found is None:
            found = self._find(text)
            if found is None and record.is_refused:
                return record._replace(division_code=text[:DIVISION_CODE_MAX_LENGTH])  # creates nothing
            found = found or self._create(text, record.line)
            self._read[text] = found
            if found.sentence:
                findings = (*record.findings, Finding(found.finding, record.line, found.sentence))
                record = record._replace(findings=findings)
        return record._replace(division_code=found.code)

    def read_staff(self, record: StaffRecord) -> StaffRecord:
        """Return a record with the codes of its divisions; a table of staff creates none."""
        codes = tuple(dict.fromkeys(self._find_code(text) for text in record.division_codes))
        return record._replace(division_codes=codes)

    def _find_code(self, text: str) -> str:
        found = None if text in self._codes else self._find(text)
        return found.code if found else text

    def _find(self, text: str) -> _Read | None:
        """Return the only division that a text may refer to, or None."""
        found = self._list_candidates(text)
        if len(found) != 1:
            return None
        if fold_code(found[0]) != fold_code(text):
            return _Read(found[0])  # by its name
        return _Read(
            found[0],
            f"La division « {text} » est lue comme « {found[0]} », qui ne s’en distingue que par {NOT_IN_CODES}.",
        )

    def _list_candidates(self, text: str) -> Sequence[str]:
        """Return the codes of the divisions that a text may refer to: those equivalent to it, else by their name."""
        folded = fold_code(text)
        return self._alike.get(folded) or self._named.get(folded) or ()

    def _create(self, text: str, line: int) -> _Read:
        if len(text) > DIVISION_CODE_MAX_LENGTH:
            code = self._shorten(text)
            self.described[code] = SIECLEDivision(line, code, text, ())
            self._know(code, text)
            return _Read(
                code,
                f"« {text} » dépasse {DIVISION_CODE_MAX_LENGTH} caractères : la division est créée avec le code court "
                f"« {code} », et garde ce nom pour intitulé.",
                FindingCode.DIVISION_NAMED,
            )
        self._know(text, "")
        if _POWER_OF_TEN.fullmatch(text):
            return _Read(
                text,
                f"Aucune division ne porte le code « {text} » : un tableur l’a peut-être calculé d’un code comme 2E5. "
                "Si c’est le cas, mettez la colonne au format Texte, puis retapez le code.",
                FindingCode.DIVISION_DOUBTFUL,
            )
        return _Read(text)

    def _shorten(self, name: str) -> str:
        """Return an unused code: the initials of words, with words of capitals or digits only kept whole."""
        words = re.findall(r"[A-Za-z0-9]+", re.sub("[^A-Za-z0-9 ]", " ", _plain(name)))
        short = "".join(word[0] if re.search("[a-z]", word) else word for word in words).upper()
        short = short[:DIVISION_CODE_MAX_LENGTH] or "DIVISION"
        for number in count(2):
            if fold_code(short) not in self._alike:
                return short
            end = str(number)
            short = short[: DIVISION_CODE_MAX_LENGTH - len(end)].rstrip("0123456789") + end
        raise AssertionError("numbers do not end")

    def _know(self, code: str, label: str) -> None:
        self._codes.add(code)
        self._alike[fold_code(code)].append(code)
        if label:
            self._named[fold_code(label)].append(code)


def _refusing(text: str, codes: Sequence[str]) -> str:
    """Return why a line is refused whose division may be one of several."""
    return (
        f"La division « {text} » peut être {' ou '.join(f'« {code} »' for code in codes)} : écrivez le code exact de "
        "la bonne."
    )


def _plain(name: str) -> str:
    """Return a name without accents, keeping its capitals."""
    return "".join(fold(letter).upper() if letter.isupper() else fold(letter) for letter in name)

"""People and services of `sts_emp_<UAI>_<year>.xml` (`STS_EDT`).

A person's key is (ID, TYPE): an `epp` and a `local` may share an ID. There is no e-mail address. Early in September
the services are still last year's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from cpro.core.validators import InvalidText
from cpro.imports.parse.checks import check_id, check_label, check_names
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.records import StaffRecord
from cpro.imports.parse.siecle.structures import SIECLEDivision, check_mef_codes, check_size, check_structure_code
from cpro.imports.parse.values import clean_id, clean_label
from cpro.imports.parse.xml.document import Element, child_texts, get_line, iter_records
from cpro.imports.parse.xml.encoding import Encoding

_CIVILITIES = {"1": "M.", "2": "Mme", "3": "Mme"}
_EPP, _LOCAL = "epp", "local"
_FUNCTION_MAX_LENGTH = 8

PersonKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class STSContents:
    """The contents of the file; `findings` are those not about a particular person."""

    people: tuple[StaffRecord, ...]
    divisions: tuple[SIECLEDivision, ...]
    findings: tuple[Finding, ...]


def read_sts(stream: IO[bytes], encoding: Encoding | None = None) -> STSContents:
    """Return the people and divisions of STS-Web's export. Pure; raises FileRefused subclasses."""
    draft = _Draft()
    for element in iter_records(stream, ("INDIVIDU", "DIVISION", "GROUPE"), depth=4, encoding=encoding):
        if element.tag == "INDIVIDU":
            draft.note_person(element)
        elif element.tag == "DIVISION":
            draft.note_division(element)
        else:
            draft.note_group(element)
    draft.spread_groups()
    return STSContents(tuple(draft.finished_people()), tuple(draft.divisions.values()), tuple(draft.findings))


@dataclass(slots=True)
class _Person:
    line: int
    sts_id: str
    sts_type: str
    civility: str
    names: tuple[str, str]
    function: str
    disciplines: tuple[str, ...]
    findings: list[Finding]


@dataclass(slots=True)
class _Draft:
    """The file while it is read: services refer to people and divisions that may come later."""

    people: list[_Person] = field(default_factory=list)
    lines: dict[PersonKey, list[int]] = field(default_factory=dict)
    divisions: dict[str, SIECLEDivision] = field(default_factory=dict)
    #: (line, divisions, teachers) of each group
    groups: list[tuple[int, tuple[str, ...], tuple[PersonKey, ...]]] = field(default_factory=list)
    taught: dict[PersonKey, dict[str, None]] = field(default_factory=dict)
    #: line of the first service that refers to each person
    service_lines: dict[PersonKey, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def note_person(self, element: Element) -> None:
        """Record a person, under their usage name, or else their birth name."""
        check_size(len(self.people))
        line, findings = get_line(element), list[Finding]()
        key = _key(element)
        texts = child_texts(element, "CIVILITE", "NOM_USAGE", "NOM_PATRONYMIQUE", "PRENOM", "FONCTION")
        last_name, _, first_name = check_names(
            line, texts.get("NOM_USAGE") or texts.get("NOM_PATRONYMIQUE", ""), "", texts.get("PRENOM", ""), findings
        )
        function = texts.get("FONCTION", "").upper()[:_FUNCTION_MAX_LENGTH]
        if not function and key[1] == _EPP:
            sentence = "Cette personne n’a plus de fonction dans l’établissement : elle n’est pas reprise."
            findings.append(Finding(FindingCode.WITHOUT_FUNCTION, line, sentence))
        civility = _CIVILITIES.get(texts.get("CIVILITE", ""), "")
        disciplines = tuple(dict.fromkeys(_disciplines(element)))
        self.lines.setdefault(key, []).append(line)
        self.people.append(_Person(line, *key, civility, (last_name, first_name), function, disciplines, findings))

    def note_division(self, element: Element) -> None:
        """Record a division, and its teachers."""
        line = get_line(element)
        code = check_structure_code(line, element.get("CODE", ""), self.findings)
        if not code:
            return
        check_size(len(self.divisions))
        label = check_label(line, child_texts(element, "LIBELLE_LONG").get("LIBELLE_LONG", ""), self.findings)
        mefs = [mef.get("CODE", "") for mef in element.iterfind("MEFS_APPARTENANCE/MEF_APPARTENANCE")]
        division = SIECLEDivision(line, code, label, check_mef_codes(line, mefs, self.findings))
        self.divisions.setdefault(code, division)
        for key in self._teachers(element):
            self.taught.setdefault(key, {})[code] = None

    def note_group(self, element: Element) -> None:
        """Record a group's teachers and divisions, for the end."""
        check_size(len(self.groups))
        path = "DIVISIONS_APPARTENANCE/DIVISION_APPARTENANCE"
        codes = tuple(division.get("CODE", "").strip() for division in element.iterfind(path))
        self.groups.append((get_line(element), codes, tuple(self._teachers(element))))

    def spread_groups(self) -> None:
        """Assign each group's divisions to its teachers; find UNKNOWN_DIVISION for those missing from the file."""
        for line, codes, teachers in self.groups:
            for code in codes:
                if code not in self.divisions:
                    sentence = "Un groupe compte une division que le fichier ne décrit pas : elle est laissée de côté."
                    self.findings.append(Finding(FindingCode.UNKNOWN_DIVISION, line, sentence))
                    continue
                for key in teachers:
                    self.taught.setdefault(key, {})[code] = None

    def finished_people(self) -> Iterator[StaffRecord]:
        """Yield all people with their divisions; find UNKNOWN_PERSON for services of people missing from the file."""
        for key, line in self.service_lines.items():
            if key not in self.lines:
                sentence = "Un service nomme une personne que le fichier ne décrit pas : il est laissé de côté."
                self.findings.append(Finding(FindingCode.UNKNOWN_PERSON, line, sentence))
        for person in self.people:
            key = person.sts_id, person.sts_type
            lines = self.lines[key] if len(self.lines[key]) > 1 else ()
            number = clean_id(person.sts_id) if person.sts_type in (_EPP, _LOCAL) else None
            check_id(person.line, number, lines, "ID de STS-Web", person.findings, bearers="personnes")
            yield StaffRecord(
                person.line,
                person.sts_id,
                person.sts_type,
                person.civility,
                *person.names,
                person.function,
                person.disciplines,
                tuple(self.taught.get(key, ())),
                "",
                tuple(person.findings),
            )

    def _teachers(self, element: Element) -> Iterator[PersonKey]:
        for teacher in element.iterfind("SERVICES/SERVICE/ENSEIGNANTS/ENSEIGNANT"):
            key = _key(teacher)
            check_size(len(self.service_lines))
            self.service_lines.setdefault(key, get_line(teacher))
            yield key


def _key(element: Element) -> PersonKey:
    return element.get("ID", "").strip(), element.get("TYPE", "").strip().lower()


def _disciplines(element: Element) -> Iterator[str]:
    for discipline in element.iterfind("DISCIPLINES/DISCIPLINE/LIBELLE_COURT"):
        try:
            label = clean_label(discipline.text or "")
        except InvalidText:
            continue  # a label that cannot be displayed does not affect the person
        if label:
            yield label

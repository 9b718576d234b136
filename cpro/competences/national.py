"""The national lists, shipped with the program in `lists/`: one file per diploma, named by the diploma's code.

A file begins with the metadata of the diploma and its source, one line each (`# source : …`); then comes its list, in
the order and the wording of the official text (référentiel), in the format that a school deposits. How to add one:
`docs/how-to/add-a-national-diploma.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import takewhile
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.competences.queries import list_competences
from cpro.competences.reader import CompetenceRecord, decode, read_list
from cpro.core.parsing import read_day
from cpro.core.transactions import platform_unit_of_work
from cpro.students.models import Diploma

_FOLDER = Path(__file__).with_name("lists")


@dataclass(frozen=True)
class Source:
    """The source of a list: a public document, its date and address; a note for the reader, or ""."""

    title: str
    dated: date
    address: str
    reserve: str = ""


@dataclass(frozen=True)
class NationalDiploma:
    """A diploma as a file of `lists/` describes it."""

    code: str
    label: str
    short_label: str
    source: Source
    competences: Sequence[CompetenceRecord]


@dataclass(frozen=True)
class Loaded:
    """What loading changed."""

    diplomas: int = 0
    added: int = 0
    corrected: int = 0


def load_lists() -> Loaded:
    """Load the national lists in a separate unit of work."""
    with platform_unit_of_work("national competence lists") as work:
        return load(work.session)


def load(session: Session) -> Loaded:
    """Create the missing national diplomas and competences and correct the others; delete nothing.

    `session` is a platform session with a unit of work open. Idempotent.
    """
    created = added = corrected = 0
    for each in list_national():
        diploma = session.scalars(
            select(Diploma).where(Diploma.code == each.code, Diploma.establishment_id.is_(None))
        ).one_or_none()
        if diploma is None:
            diploma = Diploma(code=each.code, label=each.label, short_label=each.short_label)
            session.add(diploma)
            session.flush()
            created += 1
        counts = _load_list(session, diploma, each.competences)
        added, corrected = added + counts[0], corrected + counts[1]
    session.flush()
    return Loaded(created, added, corrected)


@cache
def list_national() -> Sequence[NationalDiploma]:
    """Return the national diplomas, by code."""
    return [_read(path) for path in sorted(_FOLDER.glob("*.csv"))]


def find_source(diploma: Diploma) -> Source | None:
    """Return the source of a national diploma's list; None for a school's own diploma."""
    if diploma.establishment_id is not None:
        return None
    return next((each.source for each in list_national() if each.code == diploma.code), None)


def _load_list(session: Session, diploma: Diploma, records: Sequence[CompetenceRecord]) -> tuple[int, int]:
    stored = {each.code: each for each in list_competences(diploma.id, session)}
    added = corrected = 0
    for position, record in enumerate(records, 1):
        competence = stored.get(record.code)
        if competence is None:
            session.add(Competence(diploma_id=diploma.id, code=record.code, label=record.label, position=position))
            added += 1
        elif (competence.label, competence.position) != (record.label, position):
            competence.label, competence.position = record.label, position
            corrected += 1
    return added, corrected


def _read(path: Path) -> NationalDiploma:
    lines = decode(path.read_bytes()).splitlines(keepends=True)
    head = list(takewhile(lambda line: line.startswith("#"), lines))
    said = dict(_split(head))
    dated = read_day(said["date"])
    assert dated is not None, f"{path.name} says no day"
    source = Source(said["source"], dated, said["adresse"], said.get("réserve", ""))
    records = read_list("".join(lines[len(head) :]))
    return NationalDiploma(path.stem, said["intitulé"], said["intitulé court"], source, records)


def _split(head: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in head:
        name, _colon, value = line.removeprefix("#").partition(" : ")
        yield name.strip(), value.strip()

"""The national lists, shipped with the program in `lists/`: one CSV file per diploma, named by its code.

Their order and words are those of the official texts (référentiel); `diplomas.csv` names the diplomas themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.competences.queries import list_competences
from cpro.competences.reader import CompetenceRecord, decode, read_list
from cpro.core.transactions import platform_unit_of_work
from cpro.students.models import Diploma

_FOLDER = Path(__file__).with_name("lists")
_DIPLOMAS = _FOLDER / "diplomas.csv"


@dataclass(frozen=True)
class Loaded:
    """What loading changed."""

    diplomas: int = 0
    added: int = 0
    corrected: int = 0


def load_lists() -> Loaded:
    """Load the national lists in a unit of work of its own."""
    with platform_unit_of_work("national competence lists") as work:
        return load(work.session)


def load(session: Session) -> Loaded:
    """Create the national diplomas and competences that are missing and correct the others; delete nothing.

    `session` is a platform session with a unit of work open. Loading twice changes nothing.
    """
    created = added = corrected = 0
    for code, label, short_label in _diplomas():
        diploma = session.scalars(
            select(Diploma).where(Diploma.code == code, Diploma.establishment_id.is_(None))
        ).one_or_none()
        if diploma is None:
            diploma = Diploma(code=code, label=label, short_label=short_label)
            session.add(diploma)
            session.flush()
            created += 1
        counts = _load_list(session, diploma, _read_records(code))
        added, corrected = added + counts[0], corrected + counts[1]
    session.flush()
    return Loaded(created, added, corrected)


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


def _diplomas() -> list[tuple[str, str, str]]:
    with _DIPLOMAS.open(encoding="utf-8", newline="") as file:
        return [(record[0], record[1], record[2]) for record in list(csv.reader(file, delimiter=";"))[1:]]


def _read_records(code: str) -> list[CompetenceRecord]:
    path = _FOLDER / f"{code}.csv"
    return read_list(decode(path.read_bytes())) if path.exists() else []

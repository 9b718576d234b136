"""Divisions and courses (MEF) of the files compared with the school's, and the diploma each leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from cpro.extensions import db
from cpro.imports.analysis.proposals import Changes, MatchCode, Note, Proposal, Yielded
from cpro.imports.models import ChangeAction
from cpro.imports.siecle.structures import SIECLEDivision
from cpro.students.models import MEF, Diploma, Division

#: Course (3), specialty (3), order (2), length (1): what the years of one course have in common.
_COURSE_LENGTH = 9
#: Courses whose diploma is public knowledge: Bac pro MELEC in three years (siecle prefixes 24725510 3).
_KNOWN_COURSES = {"247255103": "40025520"}


@dataclass
class Found:
    """What the files say of divisions and courses."""

    #: those that Structures or STS-Web describe, by code
    described: dict[str, SIECLEDivision]
    #: labels of MEFs, from the Nomenclature
    mef_labels: dict[str, str]
    #: MEF codes of each division that has pupils in the file
    mefs_of_pupils: Mapping[str, set[str]]
    lines_of_mef: Mapping[str, int]
    file_kind: str


def compare_divisions(found: Found) -> Iterator[Yielded]:
    """Yield the courses and divisions to create or correct, courses first."""
    mefs_of = _mefs_of_divisions(found)
    known_mefs = {mef.code: mef for mef in db.session.scalars(select(MEF).order_by(MEF.id))}
    diplomas = _diplomas_of_mefs(set().union(*mefs_of.values()), known_mefs)
    yield from _compare_mefs(found, diplomas, known_mefs)
    known = {division.code: division for division in db.session.scalars(select(Division).order_by(Division.id))}
    for code in sorted(mefs_of):
        described = found.described.get(code)
        line = described.line if described else 0
        leads_to = {diploma for mef in mefs_of[code] if (diploma := diplomas.get(mef)) is not None}
        if len(leads_to) > 1:
            sentence = "Une classe mêle des formations de plusieurs diplômes : son diplôme n’est pas changé."
            yield Note(MatchCode.SEVERAL_DIPLOMAS, found.file_kind, line, sentence)
        label, diploma_id = described.label if described else "", leads_to.pop() if len(leads_to) == 1 else None
        yield from _compare_division(code, label, diploma_id, known.get(code))


def _compare_division(code: str, label: str, diploma_id: int | None, known: Division | None) -> Iterator[Proposal]:
    wanted = {"label": label, "diploma_id": diploma_id}
    if known is None:
        changes: Changes = {"code": (None, code)}
        changes |= {name: (None, value) for name, value in wanted.items() if value}
        yield Proposal("division", None, code, code, ChangeAction.CREATE, changes)
        return
    changes = {
        name: (getattr(known, name), value) for name, value in wanted.items() if value and value != getattr(known, name)
    }
    if changes:
        yield Proposal("division", known.id, code, code, ChangeAction.CHANGE, changes)


def _mefs_of_divisions(found: Found) -> dict[str, set[str]]:
    """Return the courses of each division; what pupils follow says more than what was planned."""
    mefs_of = {code: set(division.mef_codes) for code, division in found.described.items()}
    for code, mefs in found.mefs_of_pupils.items():
        mefs_of[code] = set(mefs) or mefs_of.get(code, set())
    return mefs_of


def _compare_mefs(found: Found, diplomas: Mapping[str, int | None], known: Mapping[str, MEF]) -> Iterator[Yielded]:
    for code in sorted(diplomas):
        label, diploma_id = found.mef_labels.get(code, ""), diplomas[code]
        stored = known.get(code)
        if diploma_id is None:
            sentence = f"La formation {code} n’est rattachée à aucun diplôme : rattachez-la."
            yield Note(MatchCode.MEF_UNLINKED, found.file_kind, found.lines_of_mef.get(code, 0), sentence)
        if stored is None:
            values = {"code": code, "label": label, "diploma_id": diploma_id}
            changes: Changes = {name: (None, value) for name, value in values.items() if value}
            yield Proposal("mef", None, code, label or code, ChangeAction.CREATE, changes)
        elif label and label != stored.label:
            yield Proposal("mef", stored.id, code, label, ChangeAction.CHANGE, {"label": (stored.label, label)})


def _diplomas_of_mefs(codes: set[str], known: Mapping[str, MEF]) -> dict[str, int | None]:
    """Return the diploma of each course: as it was linked, as another year of it was, or as everybody knows."""
    by_course: dict[str, set[int]] = {}
    for mef in known.values():
        if mef.diploma_id is not None:
            by_course.setdefault(mef.code[:_COURSE_LENGTH], set()).add(mef.diploma_id)
    national = _find_national(sorted(set(_KNOWN_COURSES.values())))
    diplomas: dict[str, int | None] = {}
    for code in codes:
        course = code[:_COURSE_LENGTH]
        stored = known.get(code)
        if stored is not None:
            diplomas[code] = stored.diploma_id
        elif len(by_course.get(course, ())) == 1:
            diplomas[code] = next(iter(by_course[course]))
        else:
            diplomas[code] = national.get(_KNOWN_COURSES.get(course, ""))
    return diplomas


def _find_national(codes: Sequence[str]) -> dict[str, int]:
    rows = db.session.execute(
        select(Diploma.code, Diploma.id).where(Diploma.code.in_(codes), Diploma.establishment_id.is_(None))
    )
    return {code: id_ for code, id_ in rows}

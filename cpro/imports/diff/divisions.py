"""Compare the divisions and courses (MEF) of the files with the school's, and find the diploma each leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from cpro.core.codes import NOT_IN_CODES, fold_code
from cpro.core.formatting import format_count, join_french
from cpro.extensions import db
from cpro.imports.changes import Pair, creating
from cpro.imports.diff.proposals import MatchCode, Note, Proposal, Yielded
from cpro.imports.models import ChangeAction
from cpro.imports.parse.siecle.structures import SIECLEDivision
from cpro.students.mefs import deduce_diplomas, diploma_of_division
from cpro.students.models import MEF, Division

_TO_CHOOSE = (
    "Cette division mêle des formations de plusieurs diplômes : choisissez le sien dans la liste des divisions, une "
    "fois l’import appliqué. Les imports suivants garderont ce choix."
)
#: A class has about thirty pupils: above this, a column was probably filled down by mistake.
_LARGEST_DIVISION = 60


@dataclass
class Found:
    """The divisions and courses found in the files."""

    #: those described by Structures or STS-Web, by code
    described: dict[str, SIECLEDivision]
    #: labels of MEFs, from the Nomenclature
    mef_labels: dict[str, str]
    #: MEF codes of each division that has pupils in the file
    mefs_of_pupils: Mapping[str, set[str]]
    #: how many pupils of the file are in each division
    sizes: Mapping[str, int]
    lines_of_mef: Mapping[str, int]
    file_kind: str


def compare_divisions(found: Found) -> Iterator[Yielded]:
    """Yield the courses and divisions to create or correct, courses first."""
    mefs_of = _mefs_of_divisions(found)
    known_mefs = {mef.code: mef for mef in db.session.scalars(select(MEF).order_by(MEF.id))}
    diplomas = deduce_diplomas(set().union(*mefs_of.values()))
    yield from _compare_mefs(found, diplomas, known_mefs)
    known = {division.code: division for division in db.session.scalars(select(Division).order_by(Division.id))}
    alike = _list_alike({*known, *mefs_of})
    for code in sorted(mefs_of):
        described = found.described.get(code)
        line = described.line if described else 0
        leads_to = {diploma for mef in mefs_of[code] if (diploma := diplomas.get(mef)) is not None}
        stored = known.get(code)
        if len(leads_to) > 1 and (stored is None or stored.diploma_id not in leads_to):
            yield Note(MatchCode.SEVERAL_DIPLOMAS, found.file_kind, line, _TO_CHOOSE, code)
        size = found.sizes.get(code, 0)
        if size > _LARGEST_DIVISION:
            sentence = f"Le fichier met {format_count(size)} élèves dans cette division : vérifiez leur division."
            yield Note(MatchCode.LARGE_DIVISION, found.file_kind, line, sentence, code)
        others = alike[fold_code(code)] - {code}
        if stored is None and others:
            sentence = (
                f"Ce code ne se distingue de {join_french([f'« {each} »' for each in sorted(others)])} que par "
                f"{NOT_IN_CODES} : s’il s’agit de la même division, corrigez-le là où le fichier a "
                "été fait, ou il y en aura deux."
            )
            yield Note(MatchCode.DIVISION_TWIN, found.file_kind, line, sentence, code)
        yield from _compare_division(code, described.label if described else "", leads_to, stored)


def _list_alike(codes: Iterable[str]) -> Mapping[str, set[str]]:
    """Return the equivalent codes, grouped together."""
    alike: dict[str, set[str]] = defaultdict(set)
    for code in codes:
        alike[fold_code(code)].add(code)
    return alike


def _compare_division(code: str, label: str, leads_to: set[int], known: Division | None) -> Iterator[Proposal]:
    wanted = {"label": label, "diploma_id": diploma_of_division(known.diploma_id if known else None, leads_to)}
    if known is None:
        yield Proposal("division", None, code, code, ChangeAction.CREATE, creating({"code": code} | wanted))
        return
    changes = {
        name: Pair(getattr(known, name), value)
        for name, value in wanted.items()
        if value and value != getattr(known, name)
    }
    if changes:
        yield Proposal("division", known.id, code, code, ChangeAction.CHANGE, changes)


def _mefs_of_divisions(found: Found) -> dict[str, set[str]]:
    """Return the courses of each division; the courses pupils follow take precedence over those planned."""
    mefs_of = {code: set(division.mef_codes) for code, division in found.described.items()}
    for code, mefs in found.mefs_of_pupils.items():
        mefs_of[code] = set(mefs) or mefs_of.get(code, set())
    return mefs_of


def _compare_mefs(found: Found, diplomas: Mapping[str, int | None], known: Mapping[str, MEF]) -> Iterator[Yielded]:
    for code in sorted(diplomas):
        label, diploma_id = found.mef_labels.get(code, ""), diplomas[code]
        stored = known.get(code)
        if diploma_id is None:
            when = "rattachez-la" if stored else "rattachez-la une fois l’import appliqué"
            sentence = f"La formation {code} n’est rattachée à aucun diplôme : {when}."
            yield Note(MatchCode.MEF_UNLINKED, found.file_kind, found.lines_of_mef.get(code, 0), sentence)
        if stored is None:
            values = {"code": code, "label": label, "diploma_id": diploma_id}
            yield Proposal("mef", None, code, label or code, ChangeAction.CREATE, creating(values))
        elif label and label != stored.label:
            yield Proposal("mef", stored.id, code, label, ChangeAction.CHANGE, {"label": Pair(stored.label, label)})

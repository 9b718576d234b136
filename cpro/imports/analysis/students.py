"""Pupils of a SIECLE file compared with those of the school: by INE, then by ELEVE_ID, never by name alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.analysis.proposals import Changes, MatchCode, Note, Proposal, Tally, Yielded, notes_of
from cpro.imports.models import ChangeAction
from cpro.imports.rows import StudentRow
from cpro.imports.siecle.header import ExportKind
from cpro.students.models import Division, Student

_CHUNK, _PAGE = 1000, 5000
_KIND = ExportKind.STUDENTS.label
_TWO_PEOPLE = (
    "L’INE et le numéro ELEVE_ID désignent deux élèves différents de l’établissement : à vérifier avant de reprendre "
    "la ligne."
)
_OTHER_PERSON = (
    "Le numéro est celui d’un élève de l’établissement dont ni le nom ni la date de naissance ne correspondent : à "
    "vérifier avant de reprendre la ligne."
)
_TWICE = "Deux lignes désignent le même élève de l’établissement : la seconde est à vérifier."
_NAMESAKE = (
    "Un élève de l’établissement porte ce nom et cette date de naissance, sans numéro qui le confirme : dites s’il "
    "s’agit de la même personne."
)
_HOMONYM = "Un autre élève porte le même nom, le même prénom et la même date de naissance."
_INE_CHANGED = "L’INE diffère de celui que l’établissement connaissait pour cet élève : le nouveau est repris."


class Known(NamedTuple):
    """A pupil as the school has them."""

    id: int
    siecle_id: str | None
    ine: str | None
    last_name: str
    usage_name: str
    first_name: str
    birth_date: dt.date | None
    mef_code: str
    division_id: int | None
    is_active: bool
    left_on: dt.date | None


_COLUMNS = tuple(getattr(Student, name) for name in Known._fields)


class StudentAnalysis:
    """One reading of a file of pupils; `run` yields, then `tally`, `mefs_of_division` and `lines_of_mef` are known."""

    def __init__(self, *, today: dt.date) -> None:
        self.tally = Tally()
        #: MEF codes of the pupils of each division of the file
        self.mefs_of_division: dict[str, set[str]] = {}
        #: where each MEF is first met
        self.lines_of_mef: dict[str, int] = {}
        #: pupils met in the file, refused or not
        self.rows = 0
        self._today = today
        self._seen: set[int] = set()
        self._created: set[int] = set()
        self._namesakes: list[tuple[StudentRow, list[Known]]] = []
        self._codes: dict[int | None, str] = {None: ""}
        self._is_empty = True

    def run(self, rows: Iterable[StudentRow]) -> Iterator[Yielded]:
        """Yield what each row changes, then what becomes of the pupils the file does not name."""
        self._codes |= {id_: code for id_, code in db.session.execute(select(Division.id, Division.code))}
        self._is_empty = db.session.scalar(select(Student.id).limit(1)) is None
        counted = select(func.count(Student.id)).where(Student.is_active)
        self.tally.active_before = db.session.scalar(counted) or 0
        remaining = iter(rows)
        while chunk := list(islice(remaining, _CHUNK)):
            self.rows += len(chunk)
            yield from self._run_chunk(chunk)
        yield from self._settle_namesakes()
        if self.rows:
            yield from self._absent()

    def _run_chunk(self, rows: list[StudentRow]) -> Iterator[Yielded]:
        by_id, by_ine = self._look_up(rows)
        unknown: list[StudentRow] = []
        for row in rows:
            yield from notes_of(row.findings, _KIND)
            own = by_id.get(row.siecle_id)
            others = by_ine.get(row.ine, ()) if row.ine else ()
            if row.is_refused:
                self._seen.update(known.id for known in (own, *others) if known)
                self.tally.add("refused")
                continue
            known, objection = _choose(row, own, others)
            if known is not None and not objection and known.id in self._seen:
                objection = _TWICE
            if objection:
                self._seen.update(each.id for each in (own, *others) if each)
                yield self._to_confirm(row, objection)
            elif known is not None:
                self._seen.add(known.id)
                yield from self._compare(row, known)
            elif row.has_left or not row.division_code:
                self.tally.ignored += 1
            else:
                unknown.append(row)
        yield from self._judge_unknown(unknown)

    def _look_up(self, rows: list[StudentRow]) -> tuple[dict[str | None, Known], dict[str | None, list[Known]]]:
        by_ine: dict[str | None, list[Known]] = {}
        if self._is_empty:
            return {}, by_ine
        ids = [row.siecle_id for row in rows if row.siecle_id]
        by_id = {known.siecle_id: known for known in _select(Student.siecle_id.in_(ids))}
        ines = [
            row.ine for row in rows if row.ine and ((own := by_id.get(row.siecle_id)) is None or own.ine != row.ine)
        ]
        if ines:
            for known in _select(Student.ine.in_(ines)):
                by_ine.setdefault(known.ine, []).append(known)
        return by_id, by_ine

    def _compare(self, row: StudentRow, known: Known) -> Iterator[Yielded]:
        if row.ine and known.ine and row.ine != known.ine:
            yield Note(MatchCode.INE_CHANGED, _KIND, row.line, _INE_CHANGED)
        if row.has_left:
            if known.is_active:
                yield self.tally.note(_deactivation(known, row.left_on or self._today))
            else:
                self.tally.add("unchanged")
            return
        if not known.is_active and not row.division_code:
            self.tally.ignored += 1
            return
        self._note_presence(row, row.ine or known.ine)
        changes = self._differences(row, known)
        action = ChangeAction.CHANGE
        if not known.is_active:
            action = ChangeAction.REACTIVATE
            changes["is_active"] = (False, True)
            changes["left_on"] = (_plain(known.left_on), None)
        if changes:
            label = f"{row.first_name} {row.last_name}"
            yield self.tally.note(Proposal("student", known.id, row.siecle_id, label, action, changes))
        else:
            self.tally.add("unchanged")

    def _differences(self, row: StudentRow, known: Known) -> Changes:
        """Return what the file changes; what it does not say (INE, birth date, MEF) is kept."""
        wanted = (
            row.last_name,
            row.usage_name,
            row.first_name,
            row.birth_date or known.birth_date,
            row.ine or known.ine,
            row.siecle_id,
            row.division_code,
            row.mef_code or known.mef_code,
        )
        have = (
            known.last_name,
            known.usage_name,
            known.first_name,
            known.birth_date,
            known.ine,
            known.siecle_id,
            self._codes[known.division_id],
            known.mef_code,
        )
        if wanted == have:
            return {}
        pairs = zip(_FIELDS, have, wanted, strict=True)
        return {name: (_plain(old), _plain(new)) for name, old, new in pairs if old != new}

    def _judge_unknown(self, rows: list[StudentRow]) -> Iterator[Yielded]:
        keys = {_name_key(row) for row in rows}
        found: dict[tuple[str, dt.date | None], list[Known]] = {}
        if keys and not self._is_empty:
            full = {_search_key(row) for row in rows}
            for known in _select(Student.search_key.in_(keys | full)):
                found.setdefault((fold(f"{known.last_name} {known.first_name}"), known.birth_date), []).append(known)
        for row in rows:
            namesakes = found.get((_name_key(row), row.birth_date))
            if namesakes:
                self._namesakes.append((row, namesakes))
            else:
                yield from self._create(row)

    def _settle_namesakes(self) -> Iterator[Yielded]:
        """Tell homonyms from people to confirm, once it is known whom the file names by a number."""
        for row, namesakes in self._namesakes:
            doubtful = [known for known in namesakes if known.id not in self._seen and not (known.ine and row.ine)]
            if doubtful:
                self._seen.update(known.id for known in doubtful)
                yield self._to_confirm(row, _NAMESAKE)
            else:
                yield Note(MatchCode.HOMONYM, _KIND, row.line, _HOMONYM)
                yield from self._create(row)

    def _create(self, row: StudentRow) -> Iterator[Yielded]:
        self._note_presence(row, row.ine)
        person = hash((row.last_name, row.first_name, row.birth_date))
        if person in self._created:
            yield Note(MatchCode.HOMONYM, _KIND, row.line, _HOMONYM)
        self._created.add(person)
        values: dict[str, Any] = {
            "last_name": row.last_name,
            "usage_name": row.usage_name,
            "first_name": row.first_name,
            "birth_date": _plain(row.birth_date),
            "ine": row.ine,
            "siecle_id": row.siecle_id,
            "division": row.division_code,
            "mef_code": row.mef_code,
        }
        changes = {name: (None, value) for name, value in values.items() if value}
        label = f"{row.first_name} {row.last_name}"
        yield self.tally.note(Proposal("student", None, row.siecle_id, label, ChangeAction.CREATE, changes))

    def _note_presence(self, row: StudentRow, ine: str | None) -> None:
        if not ine:
            self.tally.add("without_ine")
        mefs = self.mefs_of_division.setdefault(row.division_code, set()) if row.division_code else set()
        if row.mef_code:
            mefs.add(row.mef_code)
            self.lines_of_mef.setdefault(row.mef_code, row.line)

    def _to_confirm(self, row: StudentRow, sentence: str) -> Note:
        self.tally.add("refused")
        return Note(MatchCode.TO_CONFIRM, _KIND, row.line, sentence)

    def _absent(self) -> Iterator[Proposal]:
        """Yield the deactivation of each active pupil the file does not name; pages, because writing goes between."""
        after = 0
        while page := _active_ids(after):
            after = page[-1]
            absent = [id_ for id_ in page if id_ not in self._seen]
            for known in _select(Student.id.in_(absent)) if absent else ():
                yield self.tally.note(_deactivation(known, self._today))


_FIELDS = ("last_name", "usage_name", "first_name", "birth_date", "ine", "siecle_id", "division", "mef_code")


def _active_ids(after: int) -> list[int]:
    wanted = select(Student.id).where(Student.is_active, Student.id > after).order_by(Student.id).limit(_PAGE)
    return list(db.session.scalars(wanted))


def _select(condition: ColumnElement[bool]) -> list[Known]:
    rows = db.session.execute(select(*_COLUMNS).where(condition).order_by(Student.id))
    return [Known._make(row) for row in rows]


def _choose(row: StudentRow, own: Known | None, others: Iterable[Known]) -> tuple[Known | None, str]:
    """Return the pupil of the school that a row is about, and why that must be confirmed, "" if it need not be."""
    if own and own.ine and own.ine == row.ine:
        return own, "" if _looks_alike(row, own) else _OTHER_PERSON
    found = {known.id: known for known in others}
    if len(found) > 1 or (found and own and own.id not in found):
        return None, _TWO_PEOPLE
    known = next(iter(found.values()), own)
    if known is None:
        return None, ""
    return known, "" if _looks_alike(row, known) else _OTHER_PERSON


def _looks_alike(row: StudentRow, known: Known) -> bool:
    """Tell whether the birth date or the family name agrees: both may be corrected, not both at once."""
    if row.birth_date == known.birth_date or row.birth_date is None or known.birth_date is None:
        return True
    return row.last_name == known.last_name or fold(row.last_name) == fold(known.last_name)


def _deactivation(known: Known, left_on: dt.date) -> Proposal:
    changes: Changes = {"is_active": (True, False), "left_on": (_plain(known.left_on), left_on.isoformat())}
    label = f"{known.first_name} {known.last_name}"
    return Proposal("student", known.id, known.siecle_id or "", label, ChangeAction.DEACTIVATE, changes)


def _name_key(row: StudentRow) -> str:
    return fold(f"{row.last_name} {row.first_name}")


def _search_key(row: StudentRow) -> str:
    return fold(f"{row.last_name} {row.first_name} {row.usage_name}").strip()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value

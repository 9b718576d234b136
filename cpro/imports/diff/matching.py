"""Match the records of files with the pupils of the school: by their numbers, never by name alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, select

from cpro.core.among import is_among
from cpro.core.formatting import format_date
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.parse.records import StudentRecord
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.students import namesakes
from cpro.students.models import Origin, Student

TWO_PEOPLE = (
    "L’INE et le numéro désignent deux élèves différents de l’établissement : dites duquel il s’agit, ou corrigez la "
    "ligne."
)
_OTHER_PERSON = (
    "d’un élève de l’établissement dont le nom ou la date de naissance ne correspondent pas : dites s’il s’agit de la "
    "même personne."
)
OTHER_BY_NUMBER = f"Le numéro est celui {_OTHER_PERSON}"
OTHER_BY_INE = f"L’INE est celui {_OTHER_PERSON}"
OTHER_BY_BOTH = f"L’INE et le numéro sont ceux {_OTHER_PERSON}"
TWICE = "Deux lignes désignent le même élève de l’établissement : la seconde n’est pas reprise."
NAMESAKE = (
    "Un élève de l’établissement porte ce nom et cette date de naissance, sans numéro qui le confirme : dites s’il "
    "s’agit de la même personne."
)
OTHER_INE = (
    "Un élève de l’établissement porte ce nom et cette date de naissance, mais un autre INE\u202f: dites s’il s’agit "
    "de la même personne."
)
SAME_NAME = (
    "Un élève de l’établissement porte ce nom, mais sa date de naissance diffère ou manque : dites s’il s’agit de la "
    "même personne."
)
HOMONYM = "Un autre élève porte le même nom, le même prénom et la même date de naissance."
INE_CHANGED = "L’INE diffère de celui que l’établissement connaissait pour cet élève : le nouveau est repris."
GONE = "L’élève est sorti avant d’être connu ici : il n’est pas repris."
NOT_ENROLLED = "Sans division, l’élève n’est pas encore inscrit : il n’est pas repris."
LEFT_OUT = (
    "Vous avez répondu qu’il s’agit d’une autre personne : la ligne est laissée de côté, corrigez ce qui désigne la "
    "première dans le fichier et redéposez-le."
)


@dataclass(frozen=True, slots=True)
class PupilSource:
    """The differences between a file of SIECLE and a table."""

    kind: str
    origin: Origin
    #: the column of `Student` that contains the number of a record
    number: str
    #: whether pupils missing from the file are deactivated, or only proposed
    deactivates: bool


FROM_SIECLE = PupilSource(ExportKind.STUDENTS.label, Origin.SIECLE, "siecle_id", deactivates=True)
FROM_TABLE = PupilSource(WorksheetKind.STUDENTS.value, Origin.TABLE, "local_id", deactivates=False)


class Known(NamedTuple):
    """A pupil as stored by the school; from `siecle_id` to `mef_code`, in the order of `StudentRecord`."""

    id: int
    local_id: str | None
    siecle_id: str | None
    ine: str | None
    last_name: str
    usage_name: str
    first_name: str
    birth_date: dt.date | None
    mef_code: str
    division_id: int | None
    is_active: bool
    departed_on: dt.date | None
    came_by: Origin


_COLUMNS = tuple(getattr(Student, name) for name in Known._fields)
_ID = itemgetter(0)


def select_known(condition: ColumnElement[bool]) -> list[Known]:
    """Return pupils by id, sorted in Python: given an ORDER BY, SQLite would read the whole school."""
    rows = db.session.execute(select(*_COLUMNS).where(condition, Student.is_unmerged()))
    return sorted((Known._make(row) for row in rows), key=_ID)


def list_active_ids(after: int, *, limit: int) -> list[int]:
    """Return the ids of the next active pupils, in order."""
    wanted = select(Student.id).where(Student.is_active, Student.id > after).order_by(Student.id).limit(limit)
    return list(db.session.scalars(wanted))


def look_up(
    records: Collection[StudentRecord], source: PupilSource
) -> tuple[dict[str | None, Known], dict[str | None, list[Known]]]:
    """Return the pupils with the numbers of some records, and those with their INE."""
    number: Any = getattr(Student, source.number)
    numbers = [record.siecle_id for record in records if record.siecle_id]
    found = select_known(is_among(number, numbers)) if numbers else []
    by_id: dict[str | None, Known] = {getattr(known, source.number): known for known in found}
    ines = [
        record.ine
        for record in records
        if record.ine and ((own := by_id.get(record.siecle_id)) is None or own.ine != record.ine)
    ]
    by_ine: dict[str | None, list[Known]] = {}
    if ines:
        for known in select_known(is_among(Student.ine, ines)):
            by_ine.setdefault(known.ine, []).append(known)
    return by_id, by_ine


def list_distinct(*found: Known | None) -> list[Known]:
    """Return each pupil once, in order."""
    return list({known.id: known for known in found if known}.values())


def repeats(record: StudentRecord, known: Known, division: str, came_by: Origin | None) -> bool:
    """Return whether a record of SIECLE equals the stored pupil, without findings.

    This is the case of almost all records in a school's second import: no rule has anything to add, and applying each
    of them would take most of the time of the comparison.
    """
    return (
        record[1:8] == known[2:9]
        and record.division_code == division != ""
        and known.is_active
        and known.came_by == came_by
        and not record.has_departed
        and not record.findings
    )


def choose(record: StudentRecord, own: Known | None, others: Iterable[Known]) -> tuple[Known | None, str]:
    """Return the school's pupil that a record is about, and why that must be confirmed, "" if it need not be."""
    if own and own.ine and own.ine == record.ine:
        return own, "" if _looks_alike(record, own) else OTHER_BY_BOTH
    found = {known.id: known for known in others}
    if len(found) > 1 or (found and own and own.id not in found):
        return None, TWO_PEOPLE
    known = next(iter(found.values()), own)
    if known is None:
        return None, ""
    if _looks_alike(record, known):
        return known, ""
    return known, OTHER_BY_NUMBER if not found else OTHER_BY_BOTH if known is own else OTHER_BY_INE


def find_namesakes(records: Collection[StudentRecord]) -> dict[str, list[Known]]:
    """Return the pupils without usage name who have the name of a record, {folded name: pupils}."""
    keys = {get_name_key(record) for record in records}
    condition = and_(is_among(Student.search_key, keys), Student.usage_name == "")
    return _by_name(select_known(condition)) if keys else {}


def find_with_usage_name() -> dict[str, list[Known]]:
    """Return the pupils with a usage name, few in a school, {folded name without it: pupils}."""
    return _by_name(select_known(Student.usage_name != ""))


def _by_name(pupils: Iterable[Known]) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for known in pupils:
        found.setdefault(fold(f"{known.last_name} {known.first_name}"), []).append(known)
    return found


def may_be_same(record: StudentRecord, known: Known, source: PupilSource) -> bool:
    """Return whether a namesake may be the person of a record that no number matches.

    If birth dates differ or are unknown, different numbers mean two people.
    """
    is_apart = (record.ine and known.ine) or (record.siecle_id and getattr(known, source.number))
    return namesakes.may_be_same(
        record.birth_date, known.birth_date, is_present=known.is_active, has_own_number=bool(is_apart)
    )


def describe_namesakes(record: StudentRecord, namesakes: Sequence[Known]) -> str:
    """Return the sentence of a question about pupils with the name and the birth date of a record."""
    return OTHER_INE if record.ine and all(known.ine for known in namesakes) else NAMESAKE


def repeats_in_words(record: StudentRecord, known: Known, division: str, source: PupilSource) -> bool:
    """Return whether a record says nothing new about a pupil.

    This happens when a table without numbers is deposited again, or an export of ours: no question is needed then.
    """
    return (
        record.birth_date == known.birth_date
        and record.division_code == division
        and record.ine in (None, known.ine)
        and record.siecle_id in ("", getattr(known, source.number))
        and record.mef_code in ("", known.mef_code)
        and record.has_departed != known.is_active
        and keep_case(record.first_name, known.first_name) == known.first_name
        and keep_case(record.last_name, known.last_name) == known.last_name
        and keep_case(record.usage_name, known.usage_name) == known.usage_name
    )


def without_numbers_of_others(
    record: StudentRecord, known: Known, candidates: Iterable[Known], source: PupilSource
) -> StudentRecord:
    """Return a record, attributed to a pupil, without the numbers that belong to another pupil of the school."""
    for other in candidates:
        if other.id != known.id:
            if other.ine == record.ine:
                record = record._replace(ine=known.ine)
            if getattr(other, source.number) == record.siecle_id:
                record = record._replace(siecle_id=getattr(known, source.number) or "")
    return record


def keep_case(text: str, known: str) -> str:
    """Return the stored name if a table only writes it in capitals, as our exports do."""
    return known if text == known.upper() else text


def get_name_key(record: StudentRecord) -> str:
    """Return the name of a record without case or accents."""
    return fold(f"{record.last_name} {record.first_name}")


def describe_record(record: StudentRecord) -> str:
    """Describe the person of a record, for the user asked whether they know them."""
    return _described(
        record.last_name,
        record.first_name,
        record.birth_date,
        record.division_code,
        record.ine,
        _numbered(record.siecle_id),
    )


def describe_known(known: Known, division: str) -> str:
    """Describe a pupil of the school, for the same user."""
    more = _numbered(known.siecle_id or known.local_id), "" if known.is_active else "parti"
    return _described(known.last_name, known.first_name, known.birth_date, division, known.ine, *more)


def _numbered(number: str | None) -> str:
    return f"numéro : {number}" if number else "sans numéro"


def _described(last: str, first: str, born: dt.date | None, division: str, ine: str | None, *more: str) -> str:
    parts = [
        f"{last.upper()} {first}",
        f"naissance : {format_date(born)}" if born else "naissance inconnue",
        f"division : {division}" if division else "sans division",
        f"INE : {ine}" if ine else "sans INE",
        *more,
    ]
    return ", ".join(part for part in parts if part)


def _looks_alike(record: StudentRecord, known: Known) -> bool:
    """Return whether a number that both have is enough to identify one person without asking.

    The full name matches, or the birth date and the first name do: one may be corrected, not both at once. A number
    alone cannot distinguish twins, nor detect a table renumbered after it was sorted again.
    """
    if record.first_name == known.first_name and record.last_name == known.last_name:
        return True
    if not is_near(record.first_name, known.first_name):
        return False
    if record.birth_date and record.birth_date == known.birth_date:
        return True
    names = [name for name in (record.last_name, record.usage_name) if name]
    return any(is_near(name, other) for name in names for other in (known.last_name, known.usage_name) if other)


_WORD = re.compile(r"\w+")
#: Minimum similarity of two spellings of one name: Mohamed and Mohammed reach it, Léa and Léo do not.
_LIKENESS = 0.8


def is_near(one: str, other: str) -> bool:
    """Return whether two names may be the same: same words, words of one among the other's, or nearly the same letters.

    Case, accents and hyphens are ignored.
    """
    if one == other:
        return True
    mine, theirs = _WORD.findall(fold(one)), _WORD.findall(fold(other))
    joined, other_joined = "".join(mine), "".join(theirs)
    if joined == other_joined:
        return True
    fewer, more = sorted((set(mine), set(theirs)), key=len)
    if fewer and fewer <= more:
        return True
    return SequenceMatcher(None, joined, other_joined, autojunk=False).ratio() >= _LIKENESS


def make_question_key(family: str, *said: object) -> str:
    """Return the key of a question from the content of a line: the same line in the next file gets the same answer."""
    return f"{family}:{sha256(repr(said).encode()).hexdigest()[:24]}"

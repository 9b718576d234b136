"""Merge two rows of one pupil, entered twice by mistake.

One row is kept: it receives the other's records, and the details it lacks. The other remains, empty and departed, and
points to it: nothing is deleted. This cannot be undone: nothing marks which record came from which row.

In a school that uses SIECLE, the row that SIECLE knows is kept, as SIECLE describes it. Two rows that it knows are not
merged: the next import would create again the pupil whose number was given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cpro.audit.operations import About, differences, record
from cpro.core import events
from cpro.core.clock import today_in
from cpro.core.errors import Conflict, check_password_given
from cpro.core.formatting import spoken_name
from cpro.core.permissions import Actor
from cpro.core.validators import fold
from cpro.establishments.queries import lock_current_establishment
from cpro.passport.operations import move_issues
from cpro.passport.queries import count_issues
from cpro.records.operations.moving import check_movable, move_records
from cpro.records.queries import Figures, count_records
from cpro.students.accounts.links import unlink_account
from cpro.students.accounts.queries import get_account
from cpro.students.merging import hand_over, is_known_to_siecle, lock_pair
from cpro.students.models import Student
from cpro.students.operations import audit_values, carry_diplomas, check_not_merged, is_kept_by_siecle
from cpro.students.several import list_students
from cpro.transfers.lifecycle import PENDING
from cpro.transfers.models import TransferSide, TransferState
from cpro.transfers.queries import list_transfers_of
from cpro.users.models import Account
from cpro.users.operations.access import deactivate_account


class CannotMerge(Conflict):
    """Raised when two rows of pupils cannot be merged."""


class CorrectedByImport(CannotMerge):
    """Raised when what keeps two rows apart is corrected by importing a file first."""


@dataclass(frozen=True)
class Holding:
    """What belongs to a pupil's row."""

    student: Student
    records: Figures
    passports: int
    transfers: int
    #: whether a transfer followed or received stays tied to the row, which can then only be kept
    is_bound: bool
    account: Account | None

    @property
    def name(self) -> str:
        """Return the pupil's name."""
        return spoken_name(self.student.first_name, self.student.last_name)


#: What makes a row the one to keep, the strongest first: a French reason, and what is compared.
_PREFERENCES: tuple[tuple[str, Callable[[Holding], int]], ...] = (
    ("SIECLE ne connaît qu’elle", lambda held: is_known_to_siecle(held.student)),
    ("un transfert lui reste attaché", lambda held: held.is_bound),
    ("elle porte le numéro de SIECLE", lambda held: bool(held.student.siecle_id)),
    ("elle porte l’INE", lambda held: bool(held.student.ine)),
    ("elle porte le plus de fiches, d’évaluations et de bilans", lambda held: held.records.total),
)


def prefer(one: Holding, other: Holding) -> tuple[Holding, str]:
    """Return which of two rows to keep by default, and why in French; the first one and "" where nothing decides."""
    for why, measure in _PREFERENCES:
        if measure(one) != measure(other):
            return max(one, other, key=measure), why
    return one, ""


def list_identity_differences(one: Student, other: Student) -> list[str]:
    """Return what two rows say differently of who the pupil is, in French; nothing of what one of them does not say."""
    names = [{fold(each.last_name), fold(each.usage_name)} - {""} for each in (one, other)]
    differs = {
        "le nom": names[0].isdisjoint(names[1]),
        "le prénom": fold(one.first_name) != fold(other.first_name),
        "la date de naissance": bool(one.birth_date and other.birth_date and one.birth_date != other.birth_date),
    }
    return [label for label, is_so in differs.items() if is_so]


def is_doubtful(one: Student, other: Student) -> bool:
    """Return whether two rows are more likely two people: more than one typing mistake would be needed."""
    return len(list_identity_differences(one, other)) > 1


def get_holding(student: Student) -> Holding:
    """Return what belongs to a pupil's row."""
    transfers = list_transfers_of(student.id)
    account = get_account(student.account_id) if student.account_id is not None else None
    return Holding(
        student,
        count_records([student.id]).get(student.id, Figures()),
        count_issues(student.id),
        len(transfers),
        _is_bound(transfers),
        account,
    )


def get_pair(kept_id: int, other_id: int) -> tuple[Student, Student]:
    """Return the kept row and the other one. Raises `NotFound`, and as `check_pair`."""
    by_id = {student.id: student for student in list_students([kept_id, other_id])}
    kept, other = by_id[kept_id], by_id[other_id]
    check_pair(kept, other)
    return kept, other


def check_pair(kept: Student, other: Student) -> None:
    """Raise `CannotMerge`, `Merged` or `SameRecordTwice` if two rows cannot be merged; the first is the kept one."""
    if kept.id == other.id:
        raise CannotMerge("Choisissez une autre fiche\u202f: c’est la même.")
    for student in (kept, other):
        check_not_merged(student)
    if is_known_to_siecle(kept) and is_known_to_siecle(other):
        raise CorrectedByImport(
            "SIECLE connaît les deux fiches, sous deux numéros\u202f: pour lui, ce sont deux élèves. Si c’est le même, "
            "corrigez-le dans SIECLE, puis importez le nouvel export\u202f: l’élève qui n’y est plus est noté parti."
        )
    if kept.ine and other.ine and kept.ine != other.ine:
        how = "dans SIECLE, puis importez-le," if is_kept_by_siecle() else "par un tableau"
        raise CorrectedByImport(
            "Les deux fiches ont un INE, et ils diffèrent\u202f: pour le ministère, ce sont deux personnes. Corrigez "
            f"d’abord l’INE {how} s’il est faux."
        )
    transfers = {student.id: list_transfers_of(student.id) for student in (kept, other)}
    if any(side.is_current and side.state in PENDING for sides in transfers.values() for side in sides):
        raise CannotMerge("Un transfert de l’un des deux attend une réponse\u202f: donnez-la, ou retirez-le, d’abord.")
    check_movable(other, kept)
    _check_kept(kept, other, is_kept_bound=_is_bound(transfers[kept.id]), is_other_bound=_is_bound(transfers[other.id]))


def _check_kept(kept: Student, other: Student, *, is_kept_bound: bool, is_other_bound: bool) -> None:
    """Raise `CannotMerge` if the other row is the one to keep, or if each of the two is."""
    if (is_known_to_siecle(kept) and is_other_bound) or (is_known_to_siecle(other) and is_kept_bound):
        raise CannotMerge(
            "SIECLE connaît l’une des deux fiches, et un transfert suivi ou reçu reste attaché à l’autre\u202f: elles "
            "restent deux. L’import note partie celle que SIECLE ne connaît pas."
        )
    if is_known_to_siecle(other):
        raise CannotMerge(
            "SIECLE connaît l’autre fiche, et pas celle-ci\u202f: gardez plutôt l’autre, qu’il tient à jour."
        )
    if is_other_bound and is_kept_bound:
        raise CannotMerge(
            "Un transfert suivi ou reçu reste attaché à chacune des deux fiches\u202f: elles restent deux."
        )
    if is_other_bound:
        raise CannotMerge(
            "L’autre fiche a suivi ou reçu un transfert, qui lui reste attaché\u202f: gardez plutôt celle-là, et "
            "réunissez-lui celle-ci."
        )


def _is_bound(transfers: Iterable[TransferSide]) -> bool:
    return any(side.is_current or side.state is TransferState.DONE for side in transfers)


def merge(kept_id: int, other_id: int, *, password_given: bool = False, by: Actor, now: datetime) -> Student:
    """Merge a row of a pupil into the kept one, and return the kept one.

    Records, passports and missing details move to the kept row; the other row's account is unlinked, and deactivated if
    the kept row has one. Raises `NotFound`, as `check_pair`, and `PasswordNeeded`.
    """
    list_students([kept_id, other_id])
    lock_pair(kept_id, other_id)
    school = lock_current_establishment()  # every writer of pupils takes this lock: nothing changes meanwhile
    kept, other = get_pair(kept_id, other_id)
    held, before = get_holding(other), audit_values(kept) | {"ine": kept.ine}
    check_password_given(password_given, "Pour réunir ces deux fiches", by=by)
    changes: dict[str, tuple[Any, Any]] = {"duplicate": (None, f"fiche n°\u202f{other.id}, {held.name}")}
    changes |= _audit_changes(held)
    move_records(other, kept)
    move_issues(other, kept)
    if hand_over(other, kept, today=today_in(school.timezone, now)):
        changes["is_active"] = (False, True)
    changes |= differences(before, audit_values(kept) | {"ine": kept.ine})
    record("student:merged", About("student", kept.id, get_holding(kept).name), by=by, now=now, changes=changes)
    if held.account is not None:
        unlink_account(held.account, password_given=password_given, by=by, now=now)
        if kept.account_id is not None:
            deactivate_account(held.account, by=by, now=now)
    carry_diplomas([kept.division_id], by=by, now=now)
    events.presence_changed.send("people", student_ids=[kept.id], by=by, now=now)
    return kept


def _audit_changes(held: Holding) -> Mapping[str, tuple[Any, Any]]:
    """Return how much the kept row receives, for the journal: counts, without content."""
    counts = {
        "fiches": held.records.fiches,
        "evaluations": held.records.evaluations,
        "bilans": held.records.bilans,
        "passports": held.passports,
    }
    return {name: (None, count) for name, count in counts.items() if count}

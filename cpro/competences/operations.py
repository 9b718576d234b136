"""Maintain the competence list of a school's own diploma: replaced as a whole from a file, or emptied.

A competence that is in use is never deleted: it stays, after those of the new list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, record
from cpro.competences.models import Competence
from cpro.competences.queries import find_used, list_competences
from cpro.competences.reader import CompetenceRecord
from cpro.core.concurrency import check_fresh
from cpro.core.errors import Conflict, Forbidden
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.students.models import Diploma
from cpro.students.operations import DiplomaInUse


class NationalList(Forbidden):
    """The list belongs to a diploma that all schools share and cannot be changed."""

    message = "La liste des compétences d’un diplôme national est la même pour tous : elle ne se modifie pas ici."


class CompetenceInUse(Conflict):
    """A competence to delete has come into use meanwhile."""

    message = "Une compétence à retirer vient d’être utilisée\u202f: rien n’a été changé, recommencez."


@dataclass(frozen=True)
class Plan:
    """What a new list would change; competences are named by code, in the order of the lists."""

    added: Sequence[CompetenceRecord]
    #: competences whose label changes, with the new one
    corrected: Sequence[tuple[Competence, str]]
    deleted: Sequence[Competence]
    #: absent from the new list, but in use
    kept: Sequence[Competence]
    unchanged: int
    #: whether one that is neither added nor deleted changes position
    moved: bool

    @property
    def changes_nothing(self) -> bool:
        """Return whether the list is already that one."""
        return not (self.added or self.corrected or self.deleted or self.moved)


def get_stored_values(competences: Sequence[Competence]) -> dict[str, Any]:
    """Return the values of a list whose fingerprint detects concurrent changes."""
    return {"list": [[each.code, each.label, each.position] for each in competences]}


def check_not_national(diploma: Diploma) -> None:
    """Raise `NationalList` for a diploma that all schools share."""
    if diploma.establishment_id is None:
        raise NationalList


def plan_list(diploma: Diploma, records: Sequence[CompetenceRecord]) -> Plan:
    """Return the changes that `update_list` would make to a diploma's list. Raises `NationalList`."""
    check_not_national(diploma)
    return _plan(list_competences(diploma.id), records)


def update_list(
    diploma: Diploma, records: Sequence[CompetenceRecord], *, opened_on: str | None, by: Actor, now: datetime
) -> Plan:
    """Replace the list of one of the school's own diplomas and return what changed.

    An existing code keeps its competence and takes the new label. Raises `NationalList`, `StaleForm`,
    `CompetenceInUse`.
    """
    check_not_national(diploma)
    lock_current_establishment()  # one writer of a school's lists at a time
    stored = list_competences(diploma.id)
    check_fresh(get_stored_values(stored), opened_on)
    plan = _plan(stored, records)
    if plan.changes_nothing:
        return plan
    changes = _audit_changes(plan)  # before the labels change
    _write_list(diploma, stored, [*records, *(CompetenceRecord(each.code, each.label) for each in plan.kept)])
    _delete(plan.deleted)
    _record("competences:changed", diploma, changes, by=by, now=now)
    return plan


def _audit_changes(plan: Plan) -> dict[str, tuple[Any, Any]]:
    """Return the audit changes of a plan, with the old labels."""
    return {
        "competences_added": (None, [each.code for each in plan.added]),
        "competences_corrected": (
            [f"{each.code} {each.label}" for each, _new in plan.corrected],
            [f"{each.code} {new}" for each, new in plan.corrected],
        ),
        "competences_deleted": ([each.code for each in plan.deleted], None),
        "competences_moved": (None, plan.moved or None),
    }


def _write_list(diploma: Diploma, stored: Sequence[Competence], records: Sequence[CompetenceRecord]) -> None:
    """Set these competences of a diploma, in this order; those of other codes are unchanged."""
    by_code = {each.code.casefold(): each for each in stored}
    for position, wanted in enumerate(records, 1):
        competence = by_code.get(wanted.code.casefold())
        if competence is None:
            competence = Competence(establishment_id=diploma.establishment_id, diploma_id=diploma.id, code=wanted.code)
            db.session.add(competence)
        competence.label, competence.position = wanted.label, position
    db.session.flush()


def delete_list(diploma: Diploma, *, by: Actor, now: datetime) -> Plan:
    """Delete every unused competence of a diploma's list, and return the changes.

    Raises `NationalList`, `CompetenceInUse`.
    """
    check_not_national(diploma)
    lock_current_establishment()
    plan = _plan(list_competences(diploma.id), [])
    codes = [each.code for each in plan.deleted]
    _delete(plan.deleted)
    if codes:
        _record("competences:emptied", diploma, {"competences_deleted": (codes, None)}, by=by, now=now)
    return plan


def forbid_deletion(sender: object, *, diploma: Diploma, **_more: Any) -> None:
    """Refuse the deletion of a diploma that has competences. Raises `DiplomaInUse`."""
    count = len(list_competences(diploma.id))
    if count:
        what = plural(count, "compétence", "compétences")
        raise DiplomaInUse(f"Ce diplôme a une liste de {what} : videz-la d’abord.")


def _delete(competences: Sequence[Competence]) -> None:
    for each in competences:
        db.session.delete(each)
    try:
        db.session.flush()
    except IntegrityError as error:  # a scenario or an évaluation was saved since the check
        raise CompetenceInUse from error


def _plan(stored: Sequence[Competence], records: Sequence[CompetenceRecord]) -> Plan:
    wanted = {each.code.casefold(): each for each in records}
    known = {each.code.casefold() for each in stored}
    absent = [each for each in stored if each.code.casefold() not in wanted]
    used = find_used([each.id for each in absent])
    stay = [each for each in stored if each.code.casefold() in wanted]
    labels = [(each, wanted[each.code.casefold()].label) for each in stay]
    corrected = [(each, label) for each, label in labels if each.label != label]
    kept = [each for each in absent if each.id in used]
    order = [code for code in wanted if code in known]
    order += [each.code.casefold() for each in kept]
    was = [each.code.casefold() for each in stored if each in stay or each in kept]
    return Plan(
        added=[each for code, each in wanted.items() if code not in known],
        corrected=corrected,
        deleted=[each for each in absent if each.id not in used],
        kept=kept,
        unchanged=len(stay) - len(corrected),
        moved=order != was,
    )


def _record(action: str, diploma: Diploma, changes: dict[str, tuple[Any, Any]], *, by: Actor, now: datetime) -> None:
    record(
        action,
        About("diploma", diploma.id, diploma.code),
        by=by,
        now=now,
        changes={name: pair for name, pair in changes.items() if any(pair)},
    )

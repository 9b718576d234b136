"""Issue passports: record each exported passport with a row and a journal line, never its content."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update

from cpro.audit.operations import About, record
from cpro.core.bulk_writes import bulk_insert
from cpro.core.formatting import spoken_name
from cpro.core.jobs.models import Job
from cpro.core.jobs.operations import enqueue
from cpro.core.permissions import Actor, Permission
from cpro.establishments.gate import require_open_gate
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.passport import queries
from cpro.passport.archives import ARCHIVES
from cpro.passport.errors import ModuleOff, NoStudentToIssue
from cpro.passport.models import PassportIssue
from cpro.passport.pdf import Passport
from cpro.records.errors import NotYourDivision
from cpro.records.queries import list_divisions_of
from cpro.students.models import Division, Student
from cpro.students.queries import list_divisions


def check_can_export(school: Establishment) -> None:
    """Raise `ModuleOff` or `GateClosed` if the school may not export passports."""
    if not is_module_on(school, Module.PASSPORT):
        raise ModuleOff
    require_open_gate(school)


def list_exportable_divisions(by: Actor) -> Sequence[Division]:
    """List the divisions whose passports an actor may export, by code: all for the head, their own for a teacher."""
    if not by.can(Permission.DIVISION_PASSPORTS):
        return []
    if by.can(Permission.SCHOOL_RECORDS_READ):
        return list_divisions()
    return list_divisions_of(by.id) if by.id is not None else []


def issue_passport(passport: Passport, *, by: Actor, now: datetime) -> None:
    """Store a passport as issued, with a journal line. Raises `ModuleOff`, `GateClosed`."""
    _write_down([passport], now=now)
    record(
        "passport:issued",
        About("passport", passport.student_id, passport.student_name),
        by=by,
        now=now,
        changes={"pages": (None, passport.page_count), "entries": (None, passport.entry_count)},
    )


def record_own_data_export(student: Student, passport: Passport | None, *, by: Actor, now: datetime) -> None:
    """Record that a pupil exported their own data, and issue the passport that went with it, if any."""
    if passport:
        issue_passport(passport, by=by, now=now)
    record(
        "personal_data:exported",
        About("student", student.id, spoken_name(student.first_name, student.last_name)),
        by=by,
        now=now,
    )


def issue_division(passports: Sequence[Passport], division: Division, *, by: Actor, now: datetime) -> None:
    """Store the passports of a division as issued, with one journal line. Raises as `issue_passport`."""
    _write_down(passports, now=now)
    record(
        "passports:issued",
        About("division", division.id, division.code),
        by=by,
        now=now,
        changes={
            "passports": (None, len(passports)),
            "pages": (None, sum(each.page_count for each in passports)),
            "entries": (None, sum(each.entry_count for each in passports)),
        },
    )


def request_division(division: Division, *, by: Actor, now: datetime) -> Job:
    """Enqueue the job that exports the passports of a division, or return the unfinished one of the same actor.

    Raises `NotYourDivision`, `ModuleOff`, `GateClosed`, `NoStudentToIssue`.
    """
    if division.id not in [each.id for each in list_exportable_divisions(by)]:
        raise NotYourDivision
    check_can_export(get_current_establishment())
    if not queries.list_pupils_present(division.id):
        raise NoStudentToIssue
    for job in ARCHIVES.list_own(by=by):
        if not job.state.is_finished and job.arguments["division_id"] == division.id:
            return job
    return enqueue(ARCHIVES.kind, {"division_id": division.id, "division": division.code}, by=by, now=now)


def _write_down(passports: Sequence[Passport], *, now: datetime) -> None:
    school = get_current_establishment()
    check_can_export(school)
    bulk_insert(
        db.session(),
        PassportIssue,
        [
            {
                "student_id": each.student_id,
                "code": each.code,
                "school_name": school.name,
                "school_uai": school.uai,
                "issued_at": now,
                "page_count": each.page_count,
                "entry_count": each.entry_count,
                "sha256": each.sha256,
            }
            for each in passports
        ],
    )


def move_issues(source: Student, target: Student) -> None:
    """Move the issued passports of a duplicate pupil to the pupil kept; the passports stay as printed."""
    db.session.execute(
        update(PassportIssue).where(PassportIssue.student_id == source.id).values(student_id=target.id),
        execution_options={"synchronize_session": False},
    )

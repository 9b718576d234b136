"""Erase the names from old transfers when the pupil's records are deleted; dates, schools and figures are kept.

A side names its pupil, who decided and why. These are kept for as long as the school keeps the records of departed
pupils (Paramètres, Conservation). A transfer that still waits for a decision keeps its name, and so does one whose
pupil left on an unknown day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core import tenancy
from cpro.core.clock import latest_today, today_in
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.core.transactions import lock_schools
from cpro.establishments.models import Establishment
from cpro.students.models import Student
from cpro.students.queries import is_past_retention, kept_since
from cpro.transfers.copies import CopiedRecords
from cpro.transfers.lifecycle import PENDING
from cpro.transfers.models import TransferSide
from cpro.transfers.recording import audit_changes
from cpro.transfers.verdicts import make_search_key

FORGOTTEN = "ancien élève"
#: Transfers anonymised in one transaction, which locks the school's row.
AT_ONCE = 500


def list_schools_to_forget(now: datetime) -> Sequence[int]:
    """Return the ids of the schools with old transfers (as of today) that still name a pupil."""
    with tenancy.platform_session("transfers: names at the end of their period") as session:
        return session.scalars(
            select(TransferSide.establishment_id)
            .outerjoin(Student, Student.id == TransferSide.student_id)
            .join(Establishment, Establishment.id == TransferSide.establishment_id)
            .where(is_past_retention(_is_old, latest_today(now)))
            .distinct()
            .order_by(TransferSide.establishment_id)
        ).all()


def forget_names(session: Session, establishment_id: int, *, by: Actor, now: datetime) -> int:
    """Erase the names from some of a school's old transfers, in a platform session; return how many were anonymised.

    At most `AT_ONCE`, to keep the lock short: call it again until it returns 0. The setting is read under the school's
    lock. A second call with nothing left to erase changes and records nothing.
    """
    lock_schools(session, [establishment_id])
    years, timezone = session.execute(
        select(Establishment.retention_years, Establishment.timezone).where(Establishment.id == establishment_id)
    ).one()
    since = kept_since(years, today_in(timezone, now))
    rows = session.execute(
        select(TransferSide.id, TransferSide.other_name, TransferSide.other_uai)
        .outerjoin(Student, Student.id == TransferSide.student_id)
        .where(TransferSide.establishment_id == establishment_id, _is_old(since))
        .order_by(TransferSide.id)
        .limit(AT_ONCE)
    ).all()
    if not rows:
        return 0
    unnamed = {"student_id": None, "student_label": FORGOTTEN, "decided_by": "", "reason": ""}
    session.execute(
        update(TransferSide),
        [{"id": id_, **unnamed, "search_key": make_search_key(FORGOTTEN, name, uai)} for id_, name, uai in rows],
    )
    record(
        "transfer:names-forgotten",
        About("transfers", establishment_id, plural(len(rows), "transfert ancien", "transferts anciens")),
        by=by,
        now=now,
        changes=audit_changes(len(rows), CopiedRecords()),
        establishment_id=establishment_id,
        session=session,
    )
    return len(rows)


def _is_old(since: date) -> ColumnElement[bool]:
    """Return the condition selecting sides that still name a pupil, closed and whose pupil left before a day."""
    is_gone = and_(Student.is_active.is_(False), Student.departed_on < since)
    return and_(
        TransferSide.student_label != FORGOTTEN,
        TransferSide.state.not_in(PENDING),
        TransferSide.changed_at < datetime.combine(since, time(), UTC),
        or_(TransferSide.student_id.is_(None), is_gone),
    )

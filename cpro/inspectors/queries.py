"""Queries of mandates: a school's own, and the schools open to an inspector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from cpro.core.clock import end_of, today_in
from cpro.core.errors import NotFound
from cpro.core.open_schools import OpenSchool
from cpro.core.permissions import Permission
from cpro.core.tenancy import Scope, platform_session
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.modules import is_module_on
from cpro.extensions import db
from cpro.inspectors.models import Mandate, MandateDiploma, MandateState
from cpro.students.models import Diploma, Division
from cpro.users.emergency.queries import shuts_school_to
from cpro.users.models import Account

#: Loader option for a mandate's diplomas.
WITH_DIPLOMAS = selectinload(Mandate.diplomas).joinedload(MandateDiploma.diploma)


def get_mandate(mandate_id: int) -> Mandate:
    """Return a mandate of the school with its diplomas, or raise `NotFound`."""
    found = db.session.scalars(select(Mandate).where(Mandate.id == mandate_id).options(WITH_DIPLOMAS)).one_or_none()
    if found is None:
        raise NotFound("Cet accès inspecteur n’existe pas.")
    return found


def list_mandates(state: MandateState, today: date, *, limit: int) -> Sequence[Mandate]:
    """Return the mandates of a state with their diplomas, the latest first."""
    return db.session.scalars(
        select(Mandate)
        .where(is_in_state(state, today))
        .options(WITH_DIPLOMAS)
        .order_by(Mandate.starts_on.desc(), Mandate.id.desc())
        .limit(limit)
    ).all()


def list_open_mandates(today: date, *, limit: int) -> Sequence[Mandate]:
    """Return the running and future mandates with their diplomas, ordered by last day."""
    return db.session.scalars(
        select(Mandate)
        .where(is_in_state(MandateState.RUNNING, today) | is_in_state(MandateState.TO_COME, today))
        .options(WITH_DIPLOMAS)
        .order_by(Mandate.ends_on, Mandate.id)
        .limit(limit)
    ).all()


def list_past_mandates(since: datetime, today: date, *, limit: int) -> Sequence[Mandate]:
    """Return the mandates closed or ended since an instant with their diplomas, latest first day first."""
    ended = is_in_state(MandateState.ENDED, today) & (Mandate.ends_on >= since.date())
    return db.session.scalars(
        select(Mandate)
        .where(ended | (Mandate.closed_at >= since))
        .options(WITH_DIPLOMAS)
        .order_by(Mandate.starts_on.desc(), Mandate.id.desc())
        .limit(limit)
    ).all()


def select_ending(today: date | ColumnElement[date], until: date | ColumnElement[date]) -> Select[int]:
    """Return the ids of the running mandates whose last day is between `today` and `until`."""
    return select(Mandate.id).where(is_in_state(MandateState.RUNNING, today), Mandate.ends_on <= until)


def count_mandates(state: MandateState, today: date) -> int:
    """Return how many mandates are in a state."""
    return db.session.scalar(select(func.count(Mandate.id)).where(is_in_state(state, today))) or 0


def select_times_opened(establishment_id: int) -> Select[datetime]:
    """Return the statement that selects when a school opened its mandates, closed ones included."""
    return select(Mandate.opened_at).where(Mandate.establishment_id == establishment_id)


def is_in_state(state: MandateState, today: date | ColumnElement[date]) -> ColumnElement[bool]:
    """Return the condition for mandates in a state; `Mandate.state_on` is the same rule for one mandate."""
    if state is MandateState.CLOSED:
        return Mandate.closed_at.is_not(None)
    days = {
        MandateState.TO_COME: Mandate.starts_on > today,
        MandateState.RUNNING: (Mandate.starts_on <= today) & (Mandate.ends_on >= today),
        MandateState.ENDED: Mandate.ends_on < today,
    }
    return Mandate.closed_at.is_(None) & days[state]


def find_overlapping(
    session: Session,
    inspector_id: int,
    *,
    establishment_id: int,
    starts_on: date,
    ends_on: date,
    besides: int | None = None,
) -> Mandate | None:
    """Return a mandate of the inspector in the school, not closed, that shares a day with these, or None."""
    return session.scalars(
        select(Mandate)
        .where(
            Mandate.establishment_id == establishment_id,
            Mandate.inspector_id == inspector_id,
            Mandate.closed_at.is_(None),
            Mandate.starts_on <= ends_on,
            Mandate.ends_on >= starts_on,
            Mandate.id != (besides or 0),
        )
        .limit(1)
    ).first()


def list_heads() -> Sequence[Account]:
    """Return the heads of the school who can sign in or activate their account."""
    return db.session.scalars(
        select(Account)
        .where(
            Account.holds(Permission.MANDATES_MANAGE),
            Account.is_active,
            ~Account.consent_needed | Account.consented_at.is_not(None),
        )
        .order_by(Account.id)
    ).all()


def list_prepared_diplomas() -> Sequence[Diploma]:
    """Return the diplomas prepared in the school's divisions, by label."""
    prepared = select(Division.diploma_id).where(Division.diploma_id.is_not(None))
    return db.session.scalars(
        select(Diploma).where(Diploma.id.in_(prepared)).order_by(Diploma.short_label, Diploma.id)
    ).all()


def list_open_schools(inspector_id: int, now: datetime) -> Sequence[OpenSchool]:
    """Return the schools open to an inspector at an instant, by name: a running mandate, module on, not locked."""
    around = timedelta(days=1)  # no school's time zone is further from UTC
    with platform_session("the schools open to an inspector") as session:
        rows = session.execute(
            select(Mandate, Establishment)
            .join(Establishment, Establishment.id == Mandate.establishment_id)
            .where(
                Mandate.inspector_id == inspector_id,
                Mandate.closed_at.is_(None),
                Mandate.starts_on <= now.date() + around,
                Mandate.ends_on >= now.date() - around,
                ~shuts_school_to(Permission.MANDATE_ENTER),
            )
            .options(selectinload(Mandate.diplomas).options(joinedload(MandateDiploma.diploma)))
            .order_by(Establishment.name, Establishment.id)
        ).all()
        return [_as_open(mandate, school) for mandate, school in rows if _is_open(mandate, school, now)]


def find_name_in_school(inspector_id: int, establishment_id: int) -> str | None:
    """Return the name of an inspector as a school typed it in its latest mandate, or None."""
    with platform_session("how a school calls an inspector") as session:
        return session.scalars(
            select(Mandate.inspector_name)
            .where(Mandate.inspector_id == inspector_id, Mandate.establishment_id == establishment_id)
            .order_by(Mandate.id.desc())
            .limit(1)
        ).first()


def _is_open(mandate: Mandate, school: Establishment, now: datetime) -> bool:
    is_running = mandate.state_on(today_in(school.timezone, now)) is MandateState.RUNNING
    return is_running and is_module_on(school, Module.INSPECTORS)


def _as_open(mandate: Mandate, school: Establishment) -> OpenSchool:
    named = None if mandate.all_diplomas else frozenset(each.diploma_id for each in mandate.diplomas)
    return OpenSchool(
        establishment_id=school.id,
        name=school.name or school.code,
        uai=school.uai or "",
        city=school.city,
        starts_on=mandate.starts_on,
        ends_on=mandate.ends_on,
        diplomas=() if mandate.all_diplomas else tuple(each.diploma.short_label for each in mandate.diplomas),
        scope=Scope(school.id, diploma_ids=named, read_only=True, until=end_of(mandate.ends_on, school.timezone)),
    )

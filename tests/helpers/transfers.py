"""Transfers in tests: pupils who move, their records, and what every table must contain afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.audit import chain
from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import CNILKind, Establishment
from cpro.extensions import db
from cpro.records.models import KINDS, Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import Origin, Student
from cpro.transfers.models import Direction, SchoolPair, Transfer, TransferSide, TransferState
from cpro.transfers.runs import RunFigures, run
from tests.factories import NOW, TESTER, make_establishment, make_student

#: Columns that a copy shares with the original record.
_KEPT = {
    Fiche: ("title", "place", "place_name", "starts_on", "ends_on", "tasks", "state", "validated_at"),
    Bilan: ("starts_on", "ends_on", "body"),
    Evaluation: ("competence_code", "competence_label", "diploma_code", "level", "evaluated_on", "scenario_title"),
}
_KEPT_BY_ALL = ("origin_uid", "author_label", "created_at", "changed_at")


class Exchange:
    """Schools that activated transfers, and the pupils who go from one to another."""

    def __init__(self, app: Flask, schools: dict[str, int]) -> None:
        self.app, self.ids = app, schools
        self.now = NOW
        self._day = date(2026, 9, 1)
        self._ine = 0

    @classmethod
    def open(cls, app: Flask, schools: dict[str, int], *, others: int = 0) -> Exchange:
        """Activate transfers in the schools given, and add `others` more, named "c", "d"…; return the exchange."""
        exchange = cls(app, dict(schools))
        with exchange.write() as session:
            for number in range(others):
                name = chr(ord("c") + number)
                school = make_establishment(code=f"ecole-{name}", uai=f"099900{number}A", name=f"Lycée {name}")
                session.add(school)
                session.flush()
                exchange.ids[name] = school.id
        for name in exchange.ids:
            exchange.switch(name, on=True)
        return exchange

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a platform session in a unit of work."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            yield work.session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """Yield a platform session."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            yield session

    @contextmanager
    def at(self, school: str, *, writing: bool = False) -> Iterator[Session]:
        """Yield the session of a school."""
        with self.app.app_context():
            tenancy.enter(tenancy.Scope(self.ids[school]))
            if writing:
                with unit_of_work() as work:
                    yield work.session
            else:
                yield db.session()

    def switch(self, school: str, *, on: bool, siecle: bool = True) -> None:
        """Switch the transfers of a school, bypassing its settings."""
        with self.write() as session:
            found = session.get_one(Establishment, self.ids[school])
            found.cnil_kind, found.cnil_reference = CNILKind.REGISTER, "Registre, fiche 12"
            found.transfers_enabled, found.uses_siecle = on, siecle

    def ine(self) -> str:
        """Return an unused INE."""
        self._ine += 1
        return f"99{self._ine:08d}A"

    def enrol(self, school: str, ine: str | None, **values: Any) -> int:
        """Add a pupil, present by default, imported from SIECLE; return the id."""
        with self.write() as session:
            pupil = make_student(
                self.ids[school],
                **{
                    "ine": ine,
                    "last_name": "Topaze",
                    "first_name": "Lou",
                    "birth_date": date(2009, 2, 28),
                    "came_by": Origin.SIECLE,
                    **values,
                },
            )
            session.add(pupil)
            session.flush()
            return pupil.id

    def depart(self, student_id: int) -> None:
        """Make a pupil leave; each departure is on a different day."""
        self._day += timedelta(days=1)
        self.set(student_id, is_active=False, departed_on=self._day)

    def set(self, student_id: int, **values: Any) -> None:
        """Set columns of a pupil."""
        with self.write() as session:
            pupil = session.get_one(Student, student_id)
            for name, value in values.items():
                setattr(pupil, name, value)

    def back(self, student_id: int) -> None:
        """Make a pupil present again."""
        self.set(student_id, is_active=True, departed_on=None)

    def add(self, *records: Any) -> None:
        """Add records."""
        with self.write() as session:
            for record in records:
                session.add(record)
                session.flush()
                session.expunge(record)  # stays readable by the test

    def fill(self, school: str, student_id: int, *, fiches: int = 2, evaluations: int = 2, bilans: int = 1) -> None:
        """Create records of a pupil: validated fiches, évaluations on the first of them, bilans."""
        made = [self.fiche(school, student_id) for _ in range(fiches)]
        marks = [
            self.evaluation(school, student_id, fiche_uid=made[0].origin_uid if made else None)
            for _ in range(evaluations)
        ]
        self.add(*made, *marks, *(self.bilan(school, student_id) for _ in range(bilans)))

    def fiche(self, school: str, student_id: int, **values: Any) -> Fiche:
        """Return an unsaved validated fiche."""
        common = {"title": "Câblage d’une armoire", "place": Place.COMPANY, "tasks": "<p>Câbler</p>"}
        days = {"starts_on": date(2026, 3, 1), "ends_on": date(2026, 3, 5)}
        state = {"state": FicheState.VALIDATED, "validated_at": NOW, "validated_by_label": "Inès QUARTZ"}
        return Fiche(**{**self._birth(school, student_id), **common, **days, **state, **values})

    def evaluation(self, school: str, student_id: int, **values: Any) -> Evaluation:
        """Return an unsaved évaluation."""
        what = {"competence_code": "C1", "competence_label": "Analyser", "diploma_code": "40025520"}
        rest = {"diploma_label": "Bac pro MELEC", "level": 3, "evaluated_on": date(2026, 3, 6)}
        return Evaluation(**{**self._birth(school, student_id), **what, **rest, **values})

    def bilan(self, school: str, student_id: int, **values: Any) -> Bilan:
        """Return an unsaved bilan."""
        days = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 6, 30)}
        return Bilan(**{**self._birth(school, student_id), "body": "<p>Bon trimestre</p>", **days, **values})

    def _birth(self, school: str, student_id: int) -> dict[str, Any]:
        return {
            "establishment_id": self.ids[school],
            "student_id": student_id,
            "origin_uid": str(uuid.uuid4()),
            "author_label": "Inès QUARTZ",
            "created_at": NOW,
            "changed_at": NOW,
        }

    def run(self, school: str | None = None) -> RunFigures:
        """Run the transfers, as the head of a school, or for all schools."""
        by = self.head(school) if school else TESTER
        with self.app.app_context():
            return run(by=by, clock=lambda: self.now, establishment_id=self.ids[school] if school else None)

    def act(self, action: Any, school: str, **arguments: Any) -> Any:
        """Run an action as a school's head and return the value of its state, or its result."""
        with self.write() as session:
            done = action(session, establishment_id=self.ids[school], by=self.head(school), now=self.now, **arguments)
            return done.state.value if isinstance(done, TransferSide) else [each.id for each in done]

    def head(self, school: str) -> Actor:
        """Return the head of a school, as an actor of the journal."""
        return Actor("account", 1, f"Chef de {school}", "head", f"192.0.2.{ord(school)}")

    def records(self, student_id: int) -> set[str]:
        """Return the origins of the records of a pupil."""
        with self.look() as session:
            return {
                uid
                for kind in KINDS
                for uid in session.scalars(select(kind.origin_uid).where(kind.student_id == student_id))
            }

    def sides(self, school: str) -> list[TransferSide]:
        """Return the sides of a school, oldest first."""
        with self.look() as session:
            return list(
                session.scalars(
                    select(TransferSide)
                    .where(TransferSide.establishment_id == self.ids[school])
                    .order_by(TransferSide.id)
                )
            )

    def side(self, school: str) -> TransferSide:
        """Return the only side of a school."""
        sides = self.sides(school)
        assert len(sides) == 1, [(side.state, side.direction) for side in sides]
        return sides[0]

    def states(self, school: str) -> list[str]:
        """Return the states of the sides of a school, oldest first."""
        return [side.state.value for side in self.sides(school)]


def check_soundness(session: Session) -> None:
    """Raise AssertionError unless every table meets the invariants of transfers, even after an interruption."""
    transfers = {row.id: row for row in session.scalars(select(Transfer))}
    sides = {row.id: row for row in session.scalars(select(TransferSide))}
    _check_rows(transfers, sides, set(session.scalars(select(SchoolPair.transfer_id))))
    held = _check_records(session, sides)
    pupils = {row.id: row for row in session.scalars(select(Student))}
    for transfer in transfers.values():
        source = pupils[transfer.source_student_id]
        went_back = source.is_active or source.departed_on != transfer.departed_on  # the next run handles it
        if transfer.state is not TransferState.DONE or not transfer.is_current or went_back:
            continue
        for kind, by_pupil in held.items():
            there = by_pupil.get((transfer.source_id, transfer.source_student_id), set())
            here = by_pupil.get((transfer.destination_id, transfer.destination_student_id or 0), set())
            assert there <= here, f"transfer {transfer.id} is done, {len(there - here)} {kind.__name__} are missing"
    assert list(chain.check(session)) == [], "the journal is broken"


def check_complete(session: Session) -> None:
    """Raise AssertionError unless every pair that may be copied was, and both journals recorded all of it."""
    source, destination = Student.__table__.alias(), Student.__table__.alias()
    on = select(Establishment.id).where(Establishment.transfers_enabled)
    pairs = session.execute(
        select(source.c.id, destination.c.id).where(
            source.c.ine == destination.c.ine,
            ~source.c.is_active,
            destination.c.is_active,
            source.c.establishment_id != destination.c.establishment_id,
            source.c.establishment_id.in_(on),
            destination.c.establishment_id.in_(on),
        )
    )
    current = {
        (row.source_student_id, row.destination_student_id): row
        for row in session.scalars(select(Transfer))
        if row.is_current
    }
    for pair in pairs:
        assert tuple(pair) in current, "a pair was forgotten"
    missing = session.scalar(
        select(func.count()).where(Transfer.done_at.is_not(None), Transfer.recorded_at.is_(None)).select_from(Transfer)
    )
    assert missing == 0, f"{missing} transfers are in no journal of the source school"


def _check_rows(transfers: dict[int, Transfer], sides: dict[int, TransferSide], named: set[int]) -> None:
    by_transfer: dict[int, list[TransferSide]] = {}
    for side in sides.values():
        by_transfer.setdefault(side.transfer_id, []).append(side)
    pairs = [(row.source_student_id, row.destination_student_id) for row in transfers.values() if row.is_current]
    known = [pair for pair in pairs if pair[1] is not None]
    assert len(known) == len(set(known)), "a pair has two current transfers"
    for transfer in transfers.values():
        own = by_transfer.get(transfer.id, [])
        if transfer.id in named and not transfer.is_current and not own:
            continue  # forgotten, kept only as the first between two schools
        waits = transfer.state in (TransferState.WAITING_SOURCE, TransferState.WAITING_DESTINATION)
        assert len(own) == (1 if waits else 2), f"transfer {transfer.id} has {len(own)} sides"
        for side in own:
            is_source = side.direction is Direction.SOURCE
            assert side.establishment_id == (transfer.source_id if is_source else transfer.destination_id)
            assert side.state is transfer.state, "a side says otherwise than its transfer"
            assert side.is_current == transfer.is_current


def _check_records(session: Session, sides: dict[int, TransferSide]) -> dict[Any, dict[tuple[int, int], set[str]]]:
    held: dict[Any, dict[tuple[int, int], set[str]]] = {}
    copied: dict[tuple[int, str], int] = {}
    for kind, name in ((Fiche, "fiches"), (Bilan, "bilans"), (Evaluation, "evaluations")):
        rows = session.scalars(select(kind)).all()
        own = {row.origin_uid: row for row in rows if row.received_in is None}
        found = held.setdefault(kind, {})
        for row in rows:
            # A fiche that was not validated is not transferred.
            if not isinstance(row, Fiche) or row.state is FicheState.VALIDATED:
                uids = found.setdefault((row.establishment_id, row.student_id), set())
                assert row.origin_uid not in uids, "a record is there twice"
                uids.add(row.origin_uid)
            if row.received_in is None:
                continue
            side = sides[row.received_in]
            copied[side.id, name] = copied.get((side.id, name), 0) + 1
            assert (side.direction, side.establishment_id) == (Direction.DESTINATION, row.establishment_id)
            assert side.student_id == row.student_id
            assert side.state is TransferState.DONE, f"a copy of a transfer {side.state}"
            assert row.author_id is None
            assert row.origin_school != ""
            born = own.get(row.origin_uid)
            for column in (*_KEPT[kind], *_KEPT_BY_ALL) if born else ():
                assert getattr(row, column) == getattr(born, column), f"a copy of {kind.__name__} differs by {column}"
    for side in sides.values():
        if side.direction is Direction.DESTINATION and side.state is TransferState.DONE:
            for name in ("fiches", "bilans", "evaluations"):
                assert getattr(side, name) == copied.get((side.id, name), 0), f"side {side.id} miscounts {name}"
    return held

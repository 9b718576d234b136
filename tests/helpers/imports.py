"""Imports in tests: files written by the test, deposited and applied in a school, and their result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.imports.apply.application import apply_now
from cpro.imports.apply.reversal import undo
from cpro.imports.models import ImportFinding, ImportRun
from cpro.imports.runs.deposits import analyse, foresee, receive
from cpro.students.models import Division, Student
from cpro.users.models import Account
from tests.factories import NOW, World
from tests.helpers.siecle import FILES, structures, student, students_xml

SAMPLES = (
    FILES / "ElevesSansAdresses.xml",
    FILES / "Structures.xml",
    FILES / "Nomenclature.xml",
    FILES / "sts_emp_0999001W_2026.xml",
)
EVERYTHING = ("deactivations", "year")


class Desk:
    """Import files into school "a"; the factories' pupil has left, so that it starts empty."""

    def __init__(self, app: Flask, world: World, folder: Path) -> None:
        self.app, self.world, self._folder = app, world, folder
        self.by = Actor("account", world.a.account_ids["administrator"], "Alix GRANITE", "administrator", "127.0.0.1")
        self._files = 0
        with self.open() as session:
            session.get_one(Student, world.a.student_id).is_active = False

    @contextmanager
    def open(self, school: str = "a") -> Iterator[Session]:
        """Yield the school's session in a unit of work."""
        with self.app.app_context():
            tenancy.enter(tenancy.Scope(self.world.school(school).id))
            with unit_of_work() as work:
                yield work.session

    @contextmanager
    def look(self, school: str = "a") -> Iterator[Session]:
        """Yield the school's session, read-only."""
        with self.app.app_context():
            tenancy.enter(tenancy.Scope(self.world.school(school).id))
            yield db.session()

    def write(self, text: str, encoding: str = "iso-8859-15") -> Path:
        """Write a file and return its path."""
        self._files += 1
        path = self._folder / f"{self._files}.xml"
        path.write_text(text, encoding=encoding)
        return path

    def file_of(self, *pupils: dict[str, str], uai: str = "0999001W", year: int = 2026) -> Path:
        """Write a SIECLE export of pupils: {id, division, ine, and elements of ELEVE}."""
        texts, rows = [], []
        for number, pupil in enumerate(pupils, 1):
            values = dict(pupil)
            siecle_id, division = values.pop("id", str(number)), values.pop("division", "2MELEC")
            texts.append(student(siecle_id, values.pop("ine", ""), **values))
            rows += [structures(siecle_id, division)] if division else []
        text = students_xml("\n".join(texts), "\n".join(rows))
        text = text.replace("0999001W", uai).replace("<ANNEE_SCOLAIRE>2026<", f"<ANNEE_SCOLAIRE>{year}<")
        return self.write(text)

    def foresee(self, *paths: Path, school: str = "a", now: datetime = NOW) -> Any:
        """Return an analysis without storing anything."""
        with self.look(school), receive([(path.name, path) for path in paths], now=now) as sources:
            return foresee(sources, now=now)

    def analyse(self, *paths: Path, accounts: bool = False, school: str = "a", now: datetime = NOW) -> int:
        """Analyse files and return the import's id."""
        with self.look(school), receive([(path.name, path) for path in paths], now=now) as sources:
            return analyse(sources, opens_student_accounts=accounts, by=self.by, now=now)

    def apply(self, run_id: int, confirm: Sequence[str] = (), school: str = "a", now: datetime = NOW) -> Any:
        """Apply an analysed import and return its figures."""
        with self.look(school):
            return apply_now(run_id, confirmations=confirm, by=self.by, clock=lambda: now)

    def import_files(
        self, *paths: Path, confirm: Sequence[str] = (), accounts: bool = False, now: datetime = NOW
    ) -> Any:
        """Analyse and apply files; return the figures."""
        return self.apply(self.analyse(*paths, accounts=accounts, now=now), confirm, now=now)

    def undo(self, now: datetime = NOW) -> None:
        """Undo the last import."""
        with self.look():
            undo(by=self.by, clock=lambda: now)

    def students(self, school: str = "a") -> dict[str, dict[str, Any]]:
        """Return the imported pupils, by ELEVE_ID: their columns, the division by its code."""
        with self.look(school) as session:
            codes = {None: "", **{id_: code for id_, code in session.execute(select(Division.id, Division.code))}}
            return {
                pupil.siecle_id or "": {**_columns(pupil), "division": codes[pupil.division_id]}
                for pupil in session.scalars(select(Student).where(Student.siecle_id.is_not(None)))
            }

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Return the school's accounts by login."""
        with self.look() as session:
            return {account.login: _columns(account) for account in session.scalars(select(Account))}

    def state(self) -> dict[str, Any]:
        """Return everything that an import may change in the school, without the timestamps."""
        with self.look() as session:
            divisions = [_columns(row) for row in session.scalars(select(Division).order_by(Division.id))]
        return {"students": self.students(), "accounts": self.accounts(), "divisions": divisions}

    def findings(self, run_id: int) -> list[tuple[str, int]]:
        """Return the codes and lines of the findings."""
        with self.look() as session:
            rows = session.execute(
                select(ImportFinding.code, ImportFinding.line)
                .where(ImportFinding.run_id == run_id)
                .order_by(ImportFinding.id)
            )
            return [(code, line) for code, line in rows]

    def run(self, run_id: int) -> ImportRun:
        """Return an import as currently stored."""
        with self.look() as session:
            return session.get_one(ImportRun, run_id)


MakeDesk = Callable[[], Desk]


def _columns(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
    return {name: getattr(value, "value", value) for name, value in values.items()}

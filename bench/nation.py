"""Fill a PostgreSQL database with a nation of schools: `python -m bench.nation [--schools 2500] [--pupils 260]`.

Each school has divisions, teachers, accounts of its pupils, fiches, évaluations, bilans and a journal; by default 20
million rows in all. `CPRO_DATABASE_URL` says where: an empty database is migrated first, schools that are there stay.

Rows are made by the server itself (INSERT … SELECT of series): under row-level security PostgreSQL refuses COPY, and
this way nothing goes through the network. Everybody is invented, and the digests of the journal are left empty: its
chain is not one that `journal verify` would accept.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from cpro import create_app
from cpro.audit.models import AuditEntry, AuditHead
from cpro.core.transactions import platform_unit_of_work
from cpro.core.validators import uai_key
from cpro.establishments.models import Establishment
from cpro.extensions import Model, db
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.students.models import Division, Student, TeacherDivision
from cpro.users.models import Account

#: Schools filled in one transaction.
SLICE = 250
PUPILS_OF_A_DIVISION, PUPILS_OF_A_TEACHER = 26, 13
_NOW = "timestamptz '2026-09-15 08:00+02'"
_LAST_NAMES = (
    "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia David "
    "Bertrand Roux Vincent Fournier Morel Girard André Lefèvre Mercier Dupont Lambert Bonnet François Martinez Legrand "
    "Garnier Faure Rousseau Blanc Guérin Muller Henry Roussel Nicolas Perrin Morin Mathieu Clément Gauthier Dumont"
).split()
_FIRST_NAMES = (
    "Léa Hugo Inès Théo Manon Lucas Chloé Nathan Camille Enzo Sarah Louis Zoé Jules Lina Adam Maëlys Noé Jade Gabriel "
    "Alice Raphaël Rose Arthur Anna Maël Louise Liam Emma Ethan Yaël Sacha Nour Ilyès Aïcha Mohamed Fatou Youssef"
).split()


@dataclass(frozen=True)
class Nation:
    """How much of everything there is."""

    schools: int = 2500
    pupils: int = 260
    #: of each pupil
    fiches: int = 6
    evaluations: int = 12
    bilans: int = 2
    #: lines of the journal of each school
    lines: int = 2000

    @property
    def rows(self) -> int:
        """Return about how many rows that is, each pupil with an account."""
        of_a_pupil = 2 + self.fiches + self.evaluations + self.bilans
        return self.schools * (self.pupils * of_a_pupil + self.lines)


def fill(nation: Nation) -> None:
    """Add the nation to the database of the current application, a slice of schools after another."""
    added = 0
    while added < nation.schools:
        number = min(SLICE, nation.schools - added)
        with platform_unit_of_work("bench") as work:
            schools = _add_schools(work.session, number)
            _fill_schools(work.session, nation, schools)
        added += number
        print(f"  {added} schools", flush=True)


def _add_schools(session: Session, number: int) -> tuple[int, int]:
    """Add schools, and return the first and the last of their ids."""
    before = session.scalar(select(func.max(Establishment.id))) or 0
    session.execute(insert(Establishment), list(_new_schools(before, number)))
    last = session.scalar(select(func.max(Establishment.id))) or 0
    return before + 1, last


def _new_schools(before: int, number: int) -> Iterator[dict[str, Any]]:
    for rank in range(before + 1, before + number + 1):
        digits = f"{100_0000 + rank:07}"
        yield {
            "code": f"ecole{rank}",
            "name": f"Lycée professionnel n° {rank}",
            "uai": digits + uai_key(digits),
            "email": f"ecole{rank}@cpro.example",
            "created_at": datetime(2026, 9, 1, 8, tzinfo=UTC),
            "search_key": f"lycee professionnel n° {rank}",
        }


def _fill_schools(session: Session, nation: Nation, schools: tuple[int, int]) -> None:
    """Fill the schools of a range of ids."""
    of_range = f"BETWEEN {schools[0]} AND {schools[1]}"
    divisions, teachers = -(-nation.pupils // PUPILS_OF_A_DIVISION), -(-nation.pupils // PUPILS_OF_A_TEACHER)
    each = f"FROM establishment e, generate_series(1, {{}}) n WHERE e.id {of_range}"
    _insert(
        session,
        Division,
        {"establishment_id": "e.id", "code": "'D' || n", "label": "'Division ' || n"},
        each.format(divisions),
    )
    named = f"e.id AS school, n, {_pick(_LAST_NAMES, 7)} AS last_name, {_pick(_FIRST_NAMES, 11)} AS first_name"
    for role, first, count in (("teacher", 0, teachers), ("student", teachers, nation.pupils)):
        _insert(
            session,
            Account,
            {
                "establishment_id": "p.school",
                "login": f"'p' || (p.n + {first})",
                "role": f"'{role}'",
                "last_name": "p.last_name",
                "first_name": "p.first_name",
                "search_key": f"{_fold('p.last_name', 'p.first_name')} || ' p' || (p.n + {first})",
                "created_at": _NOW,
            },
            f"FROM (SELECT {named} {each.format(count)}) p",
        )
    _insert(
        session,
        TeacherDivision,
        {"establishment_id": "a.establishment_id", "account_id": "a.id", "division_id": "d.id"},
        f"FROM account a JOIN division d ON d.establishment_id = a.establishment_id "
        f"AND d.code = 'D' || (1 + substr(a.login, 2)::int % {divisions}) "
        f"WHERE a.role = 'teacher' AND a.establishment_id {of_range}",
    )
    rank = f"(substr(a.login, 2)::int - {teachers})"
    _insert(
        session,
        Student,
        {
            "establishment_id": "a.establishment_id",
            "last_name": "a.last_name",
            "first_name": "a.first_name",
            "birth_date": f"date '2008-01-01' + {rank} % 1500",
            "ine": "lpad(a.id::text, 9, '0') || 'ZZ'",
            "siecle_id": f"(100000 + {rank})::text",
            "came_by": "'siecle'",
            "mef_code": f"(24725510310 + 10 * ({rank} % 3))::text",
            "division_id": "d.id",
            "account_id": "a.id",
            "search_key": _fold("a.last_name", "a.first_name"),
            "created_at": _NOW,
        },
        f"FROM account a JOIN division d ON d.establishment_id = a.establishment_id AND d.code = "
        f"'D' || (1 + {rank} % {divisions}) WHERE a.role = 'student' AND a.establishment_id {of_range} ORDER BY a.id",
    )
    _fill_records(session, nation, of_range)
    _fill_journal(session, nation, of_range, each)


def _fill_records(session: Session, nation: Nation, of_range: str) -> None:
    each = f"FROM student s, generate_series(1, {{}}) n WHERE s.establishment_id {of_range}"
    record = {
        "establishment_id": "s.establishment_id",
        "student_id": "s.id",
        "origin_uid": "gen_random_uuid()::text",
        "author_label": "'Camille Durand'",
        "created_at": _NOW,
        "changed_at": _NOW,
    }
    period = {"starts_on": "date '2026-09-15' - 30 * n::int", "ends_on": "date '2026-09-29' - 30 * n::int"}
    place = {"title": "'Pose d’un tableau n° ' || n", "place": "'company'", "place_name": "'Électricité Durand'"}
    work = {"tasks": "'<p>Repérer, poser, raccorder et contrôler une installation domestique.</p>'"}
    _insert(session, Fiche, record | period | place | work | {"state": "'validated'"}, each.format(nation.fiches))
    _insert(
        session,
        Evaluation,
        record
        | {
            "competence_code": "'C' || n",
            "competence_label": "'Préparer les opérations à réaliser'",
            "diploma_code": "'25525510'",
            "diploma_label": "'Bac pro MELEC'",
            "level": "1 + n % 4",
            "evaluated_on": "date '2026-09-15' - 20 * n::int",
        },
        each.format(nation.evaluations),
    )
    _insert(session, Bilan, record | period | {"body": "'<p>Un trimestre sérieux.</p>'"}, each.format(nation.bilans))


def _fill_journal(session: Session, nation: Nation, of_range: str, each: str) -> None:
    _insert(
        session,
        AuditEntry,
        {
            "establishment_id": "e.id",
            "at": f"{_NOW} - n * interval '1 hour'",
            "actor_kind": "'user'",
            "actor_id": "1 + n % 20",
            "actor_label": "'Camille Durand'",
            "actor_role": "'teacher'",
            "origin": "'127.0.0.1'",
            "action": "(ARRAY['evaluation:created', 'fiche:validated', 'student:changed'])[1 + n % 3]",
            "object_type": "(ARRAY['evaluation', 'fiche', 'student'])[1 + n % 3]",
            "object_id": "n::text",
            "object_label": "'Élève n° ' || n",
            "search_key": "'camille durand eleve n° ' || n",
            "changes": "'{}'",
            "number": "n",
        },
        each.format(nation.lines),
    )
    head = {"establishment_id": "e.id", "lines": str(nation.lines), "digest": "''"}
    _insert(session, AuditHead, head, f"FROM establishment e WHERE e.id {of_range}")


def _pick(words: list[str], step: int) -> str:
    """Return the SQL of a word of a list, another for each school `e` and each number `n`."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"(ARRAY[{listed}])[1 + (e.id * 31 + n * {step}) % {len(words)}]"


def _fold(*names: str) -> str:
    """Return the SQL of names as lists are searched by."""
    joined = " || ' ' || ".join(names)
    return f"translate(lower({joined}), 'éèëïç', 'eeeic')"


def _insert(session: Session, model: type[Model], values: Mapping[str, str], source: str) -> None:
    """Insert what SQL expressions give, {column: expression}; other columns have the defaults of the model."""
    every = _defaults(model) | dict(values)
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(every)}) SELECT {', '.join(every.values())} {source}"
    session.connection().exec_driver_sql(statement.replace("%", "%%"))


def _defaults(model: type[Model]) -> dict[str, str]:
    """Return the defaults that are constants, {column: SQL}."""
    table = model.__table__
    constants = {column: column.default.arg for column in table.columns if column.default is not None}
    literals: dict[str, str] = {}
    for column, value in constants.items():
        if not callable(value):
            processor = column.type.literal_processor(db.engine.dialect)
            literals[column.name] = processor(value) if processor else repr(value)
    return literals


def parse(arguments: list[str] | None = None) -> Nation:
    """Return the nation that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in vars(Nation()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return Nation(**vars(parser.parse_args(arguments)))


def main() -> None:
    """Migrate the database that the settings name, and fill it."""
    from flask_migrate import upgrade

    nation = parse()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"CPRO_INSTANCE": Path(folder), "CPRO_UPLOADS": Path(folder), "SECRET_KEY": "bench"})
        with app.app_context():
            if db.engine.dialect.name != "postgresql":
                raise SystemExit("CPRO_DATABASE_URL must name a PostgreSQL database.")
            upgrade()
            began = time.perf_counter()
            print(f"{nation.schools} schools of {nation.pupils} pupils, about {nation.rows:,} rows", flush=True)
            fill(nation)
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM (ANALYZE)"))
            print(f"filled in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()

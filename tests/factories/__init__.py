"""Factories of valid objects without arguments; a test only sets what matters to it.

`make_world()` creates two schools with a person of each role, so that a leak between schools shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from typing import Any

from cpro.competences.models import Competence
from cpro.core.passwords import hash_password
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.core.validators import fold
from cpro.establishments.models import Establishment
from cpro.imports.models import ImportRun, RunState
from cpro.inspectors.models import Mandate
from cpro.masks.models import Mask, MaskKey
from cpro.problems.models import Problem
from cpro.scenarios.models import Scenario
from cpro.students.models import MEF, Diploma, Division, Student
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState
from cpro.users.models import Account, PlatformAccount

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
PASSWORD = "Granite-et-quartz-42!"
TESTER = Actor("system", None, "Test", "system", "test")
_numbers = count(1)


@dataclass(frozen=True)
class SchoolRef:
    """What tests need to know of a school after its session was closed."""

    id: int
    code: str
    uai: str
    name: str
    account_ids: dict[str, int]
    student_id: int
    division_id: int


#: The people of each school, one per role: login, role, names. Roles not listed here get a person all the same.
PEOPLE = {
    "administrator": ("alix.granite", Role.ADMINISTRATOR, "Alix", "Granite"),
    "head": ("claude.basalte", Role.HEAD, "Claude", "Basalte"),
    "teacher": ("ines.quartz", Role.TEACHER, "Inès", "Quartz"),
    "student": ("noe.agate", Role.STUDENT, "Noé", "Agate"),
}
PEOPLE |= {
    role.value: (f"{role.value}.ardoise", role, "Sol", "Ardoise")
    for role in Role
    if role.value not in PEOPLE and not role.is_platform
}


@dataclass
class World:
    """Two schools and the platform accounts."""

    a: SchoolRef
    b: SchoolRef
    diploma_code: str
    inspector_id: int
    password: str = PASSWORD
    logins: dict[str, str] = field(default_factory=lambda: {name: login for name, (login, *_rest) in PEOPLE.items()})
    platform_logins: dict[str, str] = field(
        default_factory=lambda: {"support": "support@cpro.example", "inspector": "inspecteur@cpro.example"}
    )

    def school(self, name: str) -> SchoolRef:
        """Return school "a" or "b"."""
        return self.a if name == "a" else self.b


@cache
def password_hash() -> str:
    """Return the hash of `PASSWORD`, computed once."""
    return hash_password(PASSWORD)


def make_world() -> World:
    """Create schools "a" and "b" and the platform accounts, and return their names and ids."""
    with platform_unit_of_work("test") as work:
        diploma = make_diploma()
        work.session.add(diploma)
        support, inspector = (
            PlatformAccount(
                email=email,
                role=role,
                name=f"Personne {role.value}",
                password_hash=password_hash(),
                activated_at=NOW,
                created_at=NOW,
            )
            for role, email in ((Role.SUPPORT, "support@cpro.example"), (Role.INSPECTOR, "inspecteur@cpro.example"))
        )
        work.session.add_all([support, inspector])
        work.session.flush()
        schools = [
            _school(work.session, code, uai, diploma) for code, uai in (("alpha", "0999001W"), ("beta", "0999002X"))
        ]
        return World(*schools, diploma_code=diploma.code, inspector_id=inspector.id)


def make_establishment(**values: Any) -> Establishment:
    """Return an unsaved school that meets all the requirements of the gate."""
    number = next(_numbers)
    return Establishment(
        **{
            "code": f"ecole-{number}",
            "name": f"Lycée d’essai {number}",
            "uai": None,
            "email": f"ecole-{number}@test.example",
            "typed_teachers_open_at_once": True,  # set by its head; tests of the consent set it otherwise
            "created_at": NOW,
            **values,
        }
    )


def make_account(establishment_id: int, role: Role = Role.TEACHER, **values: Any) -> Account:
    """Return an unsaved account, active and activated, whose password is `PASSWORD`."""
    number = next(_numbers)
    return Account(
        **{
            "establishment_id": establishment_id,
            "login": f"prenom.nom{number}",
            "role": role,
            "first_name": "Prénom",
            "last_name": f"Nom{number}",
            "password_hash": password_hash(),
            "activated_at": NOW,
            "created_at": NOW,
            "confirmed_email": values.get("email", ""),
            **values,
        }
    )


def make_diploma(**values: Any) -> Diploma:
    """Return an unsaved national diploma."""
    return Diploma(
        **{"code": "40025520", "label": "Bac pro métiers de l’électricité", "short_label": "Bac pro MELEC", **values}
    )


def make_competence(diploma_id: int, **values: Any) -> Competence:
    """Return an unsaved national competence of a diploma."""
    number = next(_numbers)
    return Competence(
        **{
            "diploma_id": diploma_id,
            "code": f"C{number}",
            "label": f"Compétence {number}",
            "position": number,
            **values,
        }
    )


def make_scenario(school: SchoolRef, diploma_id: int, **values: Any) -> Scenario:
    """Return an unsaved scenario by the school's teacher; tests search for its text where it must not appear."""
    title = values.get("title", f"Titre-secret-{school.code}")
    return Scenario(
        **{
            "establishment_id": school.id,
            "diploma_id": diploma_id,
            "title": title,
            "search_key": fold(title),
            "author_id": school.account_ids["teacher"],
            "description": f"<p>Texte-secret-{school.code}</p>",
            "created_at": NOW,
            "changed_at": NOW,
            **values,
        }
    )


def make_mef(establishment_id: int, **values: Any) -> MEF:
    """Return an unsaved course « à rattacher »."""
    return MEF(**{"establishment_id": establishment_id, "code": "24725510310", "label": "2NDPRO MELEC", **values})


def make_import(establishment_id: int, **values: Any) -> ImportRun:
    """Return an unsaved import that was applied and changed nothing."""
    return ImportRun(
        **{
            "establishment_id": establishment_id,
            "state": RunState.APPLIED,
            "files": [{"name": "Eleves.xml", "kind": "Élèves (SIECLE)", "stored": ""}],
            "school_year": 2026,
            "requested_by": asdict(TESTER),
            "created_at": NOW,
            "applied_at": NOW,
            **values,
        }
    )


def make_student(establishment_id: int, **values: Any) -> Student:
    """Return an unsaved active student with an INE."""
    number = next(_numbers)
    return Student(
        **{
            "establishment_id": establishment_id,
            "last_name": f"Élève{number}",
            "first_name": "Zoé",
            "birth_date": date(2009, 1, 31),
            "ine": f"{number:010d}A",
            "created_at": NOW,
            **values,
        }
    )


def make_transfer(source_id: int, destination_id: int, **values: Any) -> Transfer:
    """Return an unsaved completed transfer between two schools; its pupils do not exist."""
    return Transfer(
        **{
            "source_id": source_id,
            "source_student_id": next(_numbers) + 1_000_000,
            "destination_id": destination_id,
            "destination_student_id": next(_numbers) + 1_000_000,
            "state": TransferState.DONE,
            "created_at": NOW,
            "done_at": NOW,
            "recorded_at": NOW,
            **values,
        }
    )


def make_transfer_side(transfer_id: int, establishment_id: int, **values: Any) -> TransferSide:
    """Return the unsaved source side of a completed transfer."""
    return TransferSide(
        **{
            "establishment_id": establishment_id,
            "transfer_id": transfer_id,
            "direction": Direction.SOURCE,
            "student_label": "TOPAZE Lou",
            "other_name": "Lycée d’ailleurs",
            "other_uai": "0999003Y",
            "search_key": "topaze lou lycee d'ailleurs 0999003y",
            "state": TransferState.DONE,
            "fiches": 2,
            "created_at": NOW,
            "changed_at": NOW,
            "done_at": NOW,
            **values,
        }
    )


def make_mandate(world: World, school: str = "a", **values: Any) -> Mandate:
    """Return an unsaved mandate of the world's inspector on every diploma of a school, without end date."""
    opened_in = world.school(school)
    return Mandate(
        **{
            "establishment_id": opened_in.id,
            "inspector_id": world.inspector_id,
            "inspector_name": "Dominique Schiste",
            "email": world.platform_logins["inspector"],
            "all_diplomas": True,
            "starts_on": date(2020, 1, 1),
            "ends_on": date(2100, 1, 1),
            "purpose": "Visite de la filière",
            "opened_at": NOW,
            "opened_by_id": opened_in.account_ids["head"],
            "opened_by_label": "Claude Basalte",
            **values,
        }
    )


def make_problem(school: SchoolRef, **values: Any) -> Problem:
    """Return an unsaved problem described by a school's teacher."""
    return Problem(
        **{
            "school_id": school.id,
            "account": f"account:{school.account_ids['teacher']}",
            "role": Role.TEACHER.value,
            "at": NOW,
            "text": f"Rien ne va à {school.name}.",
            "number": "",
            **values,
        }
    )


def _school(session: Any, code: str, uai: str, diploma: Diploma) -> SchoolRef:
    school = make_establishment(
        code=code,
        uai=uai,
        name=f"Lycée {code}",
        email=f"contact@{code}.example",
        head_email=f"direction@{code}.example",
    )
    session.add(school)
    session.flush()
    accounts = {
        name: make_account(
            school.id, role, login=login, first_name=first, last_name=last, email=f"{login}@{code}.example"
        )
        for name, (login, role, first, last) in PEOPLE.items()
    }
    session.add_all(accounts.values())
    division = Division(establishment_id=school.id, code=f"2{code[:3].upper()}", label="Seconde", diploma_id=diploma.id)
    session.add(division)
    session.flush()
    student = make_student(school.id, last_name=f"Secret-{code}", division_id=division.id, ine=None)
    session.add(student)
    session.add(
        Mask(
            establishment_id=school.id,
            diploma_id=diploma.id,
            key=MaskKey.LINKS,
            wording=f"Liens de {code}",
            changed_at=NOW,
        )
    )
    session.flush()
    return SchoolRef(
        school.id,
        code,
        uai,
        school.name,
        {name: account.id for name, account in accounts.items()},
        student.id,
        division.id,
    )

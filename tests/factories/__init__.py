"""Valid objects without arguments; a test says only what matters to it.

`make_world()` sets up two schools with a person of each role, so that a leak between schools shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from typing import Any

from cpro.core.passwords import hash_password
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.inspectors.models import Mandate
from cpro.masks.models import Mask, MaskKey
from cpro.students.models import Diploma, Division, Student
from cpro.users.models import Account, PlatformAccount

NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
PASSWORD = "Granite-et-quartz-42!"
TESTER = Actor("system", None, "Test", "system", "test")
_numbers = count(1)


@dataclass(frozen=True)
class SchoolRef:
    """What tests need of a school after its session closed."""

    id: int
    code: str
    uai: str
    name: str
    account_ids: dict[str, int]
    student_id: int
    division_id: int


@dataclass
class World:
    """Two schools and the platform's people."""

    a: SchoolRef
    b: SchoolRef
    diploma_code: str
    inspector_id: int
    password: str = PASSWORD
    logins: dict[str, str] = field(
        default_factory=lambda: {
            "administrator": "alix.granite",
            "head": "claude.basalte",
            "teacher": "ines.quartz",
            "student": "noe.agate",
        }
    )
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
    """Create schools "a" and "b" and the platform accounts, and return what names them."""
    with platform_unit_of_work("test") as work:
        diploma = make_diploma()
        work.session.add(diploma)
        support, inspector = (
            PlatformAccount(
                email=email,
                role_value=role,
                name=f"Personne {role}",
                password_hash=password_hash(),
                activated_at=NOW,
                created_at=NOW,
            )
            for role, email in (("support", "support@cpro.example"), ("inspector", "inspecteur@cpro.example"))
        )
        work.session.add_all([support, inspector])
        work.session.flush()
        schools = [
            _school(work.session, code, uai, diploma) for code, uai in (("alpha", "0999001W"), ("beta", "0999002X"))
        ]
        return World(*schools, diploma_code=diploma.code, inspector_id=inspector.id)


def make_establishment(**values: Any) -> Establishment:
    """Return a school, unsaved: everything the gate asks is there."""
    number = next(_numbers)
    return Establishment(
        **{
            "code": f"ecole-{number}",
            "name": f"Lycée d’essai {number}",
            "uai": None,
            "email": f"ecole-{number}@test.example",
            "created_at": NOW,
            **values,
        }
    )


def make_account(establishment_id: int, role: Role = Role.TEACHER, **values: Any) -> Account:
    """Return an active, activated account, unsaved, whose password is `PASSWORD`."""
    number = next(_numbers)
    return Account(
        **{
            "establishment_id": establishment_id,
            "login": f"prenom.nom{number}",
            "role_value": role.value,
            "first_name": "Prénom",
            "last_name": f"Nom{number}",
            "password_hash": password_hash(),
            "activated_at": NOW,
            "created_at": NOW,
            **values,
        }
    )


def make_diploma(**values: Any) -> Diploma:
    """Return a national diploma, unsaved."""
    return Diploma(
        **{"code": "40025520", "label": "Bac pro métiers de l’électricité", "short_label": "Bac pro MELEC", **values}
    )


def make_student(establishment_id: int, **values: Any) -> Student:
    """Return an active student with an INE, unsaved."""
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


def make_mandate(world: World, school: str = "a", **values: Any) -> Mandate:
    """Return a mandate of the world's inspector on every diploma of a school, unsaved, that never ends."""
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


def _school(session: Any, code: str, uai: str, diploma: Diploma) -> SchoolRef:
    school = make_establishment(code=code, uai=uai, name=f"Lycée {code}", email=f"contact@{code}.example")
    session.add(school)
    session.flush()
    people = {
        "administrator": ("alix.granite", Role.ADMINISTRATOR, "Alix", "Granite"),
        "head": ("claude.basalte", Role.HEAD, "Claude", "Basalte"),
        "teacher": ("ines.quartz", Role.TEACHER, "Inès", "Quartz"),
        "student": ("noe.agate", Role.STUDENT, "Noé", "Agate"),
    }
    accounts = {
        name: make_account(
            school.id, role, login=login, first_name=first, last_name=last, email=f"{login}@{code}.example"
        )
        for name, (login, role, first, last) in people.items()
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
            key=MaskKey.LINKS.value,
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

"""One case per power of each generated screen: the row, the input, the result.

The table is compared with what the running application opens (`screen_powers.py`): a new screen or a new power without
its line here makes `tests/test_screen_powers.py` fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Permission, Role
from cpro.establishments.models import Establishment
from cpro.masks.models import Mask, MaskKey
from cpro.students.models import MEF, Diploma, Division, Student
from cpro.users.models import Account
from cpro.users.sign_in_models import ActivationCode, SecondFactor
from tests.factories import World, make_account, make_mef, make_student
from tests.helpers.phone import make_second_factor

CREATE, EDIT, DELETE, DETAILS = "créer", "corriger", "supprimer", "détailler"
CSV, XLSX = "exporter en CSV", "exporter en XLSX"
Look = Callable[[Session, World], object]


@dataclass(frozen=True)
class Case:
    """One power, used once."""

    #: the text of the row's link in the list
    row: str = ".+"
    #: the text of the link, on the row's page, to the page of the power
    link: str = ""
    #: the input of that page's form
    typed: Mapping[str, str] = field(default_factory=dict)
    #: the button that submits it
    button: str = ""
    #: the set-up
    before: Look | None = None
    #: what must be true afterwards and was not before
    after: Look | None = None
    #: the journal line
    journal: str = ""
    #: permission of a power that the screen itself does not name
    permission: Permission | None = None


def _is(model: type, **values: object) -> Look:
    def look(session: Session, world: World) -> object:
        owner = model.id if model is Establishment else model.establishment_id  # type: ignore[attr-defined]
        return session.scalars(select(model).filter_by(**values).where(owner == world.a.id)).first()

    return look


def _is_not(model: type, **values: object) -> Look:
    found = _is(model, **values)
    return lambda session, world: found(session, world) is None


def _person(name: str, role: Role = Role.TEACHER, **values: object) -> Look:
    def add(session: Session, world: World) -> object:
        account = make_account(world.a.id, role, last_name=name, first_name="Gypse", **values)
        session.add(account)
        return account

    return add


def _with_account(session: Session, world: World) -> object:
    """Add a pupil whose account was never activated."""
    account = make_account(world.a.id, Role.STUDENT, password_hash=None, activated_at=None)
    session.add(account)
    session.flush()
    session.add(make_student(world.a.id, last_name="Pupille", account_id=account.id))
    return account


def _second_factor(session: Session, world: World) -> object:
    """Give the teacher a second factor, unless they have one."""
    found = _is(SecondFactor, account_id=world.a.account_ids["teacher"])(session, world)
    if found is None:
        session.add(found := make_second_factor(session.get_one(Account, world.a.account_ids["teacher"])))
    return found


def _course(session: Session, world: World) -> object:
    """Add a course to the school's list, unless it exists."""
    found = _is(MEF, code="24725510310")(session, world)
    if found is None:
        session.add(found := make_mef(world.a.id, code="24725510310"))
    return found


def _division(session: Session, world: World) -> object:
    """Add an empty division, unless it exists."""
    found = _is(Division, code="1NEUVE")(session, world)
    if found is None:
        session.add(found := Division(establishment_id=world.a.id, code="1NEUVE", label=""))
    return found


def _read(**values: str) -> dict[str, Case]:
    return {DETAILS: Case(**values)}  # type: ignore[arg-type]


def _exported() -> dict[str, Case]:
    return {CSV: Case(journal="list:exported"), XLSX: Case(journal="list:exported")}


CASES: dict[str, dict[str, Case]] = {
    "Journal": _read() | _exported(),
    "Établissements": {
        EDIT: Case(
            typed={"city": "Pierrefort"},
            after=_is(Establishment, city="Pierrefort"),
            journal="establishment:particulars:changed",
        ),
    }
    | _read()
    | _exported(),
    "Utilisateurs": {
        CREATE: Case(
            typed={"role": "teacher", "last_name": "Talc", "first_name": "Jade", "divisions": "2ALP"},
            after=_is(Account, last_name="Talc", first_name="Jade"),
            journal="account:created",
        ),
        EDIT: Case(
            row="QUARTZ",
            typed={"discipline": "Électrotechnique"},
            after=_is(Account, login="ines.quartz", discipline="Électrotechnique"),
            journal="account:changed",
        ),
        "cocher : Désactiver": Case(
            row="QUARTZ",
            button="Désactiver.*",
            after=_is(Account, login="ines.quartz", is_active=False),
            journal="account:disabled",
            permission=Permission.USERS_EDIT,
        ),
        "cocher : Réactiver": Case(
            row="REVENU",
            button="Réactiver.*",
            before=_person("Revenu", is_active=False),
            after=_is(Account, last_name="Revenu", is_active=True),
            journal="account:enabled",
            permission=Permission.USERS_EDIT,
        ),
        "cocher : Fiches d’activation": Case(
            row="ATTEND",
            button="Préparer les fiches",
            before=_person("Attend", password_hash=None, activated_at=None),
            after=_is(ActivationCode),
            journal="accounts:sheets:drawn",
            permission=Permission.USERS_EDIT,
        ),
        "cocher : Donner mon accord": Case(
            row="SECOND",
            button="Donner mon accord à 1 compte",
            before=_person("Second", Role.ADMINISTRATOR, consent_needed=True, password_hash=None, activated_at=None),
            after=lambda session, world: session.scalars(
                select(Account).where(Account.last_name == "Second", Account.consented_at.is_not(None))
            ).first(),
            journal="account:consent:granted",
        ),
        "cocher : J’ai vu ces comptes": Case(
            row="NEUF",
            button="Marquer 1 compte comme vu",
            before=_person("Neuf", unseen_by_head=True),
            after=_is(Account, last_name="Neuf", unseen_by_head=False),
            journal="accounts:teachers:seen",
        ),
        "/desactiver/": Case(
            row="QUARTZ",
            link="Désactiver",
            button="Désactiver",
            after=_is(Account, login="ines.quartz", is_active=False),
            journal="account:disabled",
            permission=Permission.USERS_EDIT,
        ),
        "/reactiver/": Case(
            row="ABSENT",
            link="Réactiver",
            button="Réactiver",
            before=_person("Absent", is_active=False),
            after=_is(Account, last_name="Absent", is_active=True),
            journal="account:enabled",
            permission=Permission.USERS_EDIT,
        ),
        "/reinitialiser/": Case(
            row="QUARTZ",
            link="Réinitialiser",
            button="Réinitialiser",
            after=_is(Account, login="ines.quartz", password_hash=None),
            journal="account:reset",
            permission=Permission.USERS_EDIT,
        ),
        "/accord/": Case(
            row="SECOND",
            link="Donner mon accord",
            button="Donner mon accord",
            before=_person("Second", Role.ADMINISTRATOR, consent_needed=True, password_hash=None, activated_at=None),
            after=lambda session, world: session.scalars(
                select(Account).where(Account.last_name == "Second", Account.consented_at.is_not(None))
            ).first(),
            journal="account:consent:granted",
            permission=Permission.USERS_CONSENT,
        ),
        "/second-facteur/": Case(
            row="QUARTZ",
            link="Réinitialiser le second facteur",
            button="Réinitialiser le second facteur",
            before=_second_factor,
            after=_is_not(SecondFactor),
            journal="account:second-factor:reset",
            permission=Permission.SECOND_FACTORS_RESET,
        ),
    }
    | _read()
    | _exported(),
    "Élèves": {
        CREATE: Case(
            typed={"last_name": "Talc", "first_name": "Jade", "birth_date": "2009-03-04", "division": "2ALP"},
            after=_is(Student, last_name="Talc", first_name="Jade"),
            journal="student:created",
        ),
        EDIT: Case(
            row="SECRET-ALPHA",
            typed={"first_name": "Corrigée"},
            after=_is(Student, first_name="Corrigée"),
            journal="student:changed",
        ),
        "cocher : Ouvrir un compte": Case(
            row="SECRET-ALPHA",
            button="Ouvrir 1 compte",
            after=lambda session, world: session.get_one(Student, world.a.student_id).account_id,
            journal="account:created",
        ),
        "cocher : Fiches d’activation": Case(
            row="PUPILLE",
            button="Préparer les fiches",
            before=_with_account,
            after=_is(ActivationCode),
            journal="accounts:sheets:drawn",
        ),
        "cocher : Noter le départ": Case(
            row="SECRET-ALPHA",
            typed={"departed_on": "2026-10-01"},
            button="Noter le départ",
            after=_is(Student, last_name="Secret-alpha", is_active=False),
            journal="student:departed",
            permission=Permission.STUDENTS_EDIT,
        ),
        "cocher : Noter le retour": Case(
            row="GNEISS",
            button="Noter le retour",
            before=lambda session, world: session.merge(make_student(world.a.id, last_name="Gneiss", is_active=False)),
            after=_is(Student, last_name="Gneiss", is_active=True),
            journal="student:returned",
            permission=Permission.STUDENTS_EDIT,
        ),
        "cocher : Changer de division": Case(
            row="SECRET-ALPHA",
            typed={"division": "1NEUVE"},
            button="Changer de division",
            before=_division,
            after=lambda session, world: session.scalars(
                select(Student.id).join(Student.division).where(Division.code == "1NEUVE")
            ).first(),
            journal="student:changed",
            permission=Permission.STUDENTS_EDIT,
        ),
        "cocher : Donner une formation": Case(
            row="SECRET-ALPHA",
            typed={"mef_code": "24725510310"},
            button="Donner une formation",
            before=_course,
            after=_is(Student, last_name="Secret-alpha", mef_code="24725510310"),
            journal="student:changed",
            permission=Permission.STUDENTS_EDIT,
        ),
    }
    | _read()
    | _exported(),
    "Divisions": {
        CREATE: Case(
            typed={"code": "1MELEC", "label": "Première", "diploma": "40025520"},
            after=_is(Division, code="1MELEC"),
            journal="division:created",
        ),
        EDIT: Case(
            row="2ALP",
            typed={"label": "Seconde corrigée"},
            after=_is(Division, label="Seconde corrigée"),
            journal="division:changed",
        ),
        DELETE: Case(
            row="2VIDE",
            before=lambda session, world: session.add(Division(establishment_id=world.a.id, code="2VIDE", label="")),
            after=_is_not(Division, code="2VIDE"),
            journal="division:deleted",
        ),
    }
    | _read()
    | _exported(),
    "Diplômes": {
        CREATE: Case(
            typed={"code": "ROCHE", "label": "Titre des roches", "short_label": "Roches"},
            after=_is(Diploma, code="ROCHE"),
            journal="diploma:created",
        ),
        EDIT: Case(
            row="MAISON-ALPHA",
            typed={"label": "Titre corrigé"},
            after=_is(Diploma, label="Titre corrigé"),
            journal="diploma:changed",
        ),
        DELETE: Case(
            row="MAISON-ALPHA",
            after=_is_not(Diploma, code="MAISON-ALPHA"),
            journal="diploma:deleted",
        ),
    }
    | _read()
    | _exported(),
    "Formations (MEF)": {
        CREATE: Case(
            typed={"code": "24725510399", "label": "TLEPRO ROCHES", "diploma": "40025520"},
            after=_is(MEF, code="24725510399"),
            journal="mef:created",
        ),
        EDIT: Case(typed={"label": "2NDPRO CORRIGÉE"}, after=_is(MEF, label="2NDPRO CORRIGÉE"), journal="mef:changed"),
        DELETE: Case(after=_is_not(MEF, code="24725510310"), journal="mef:deleted"),
    }
    | _read()
    | _exported(),
    "Tous les intitulés modifiés": {
        CREATE: Case(
            typed={"diploma": "40025520", "key": "description", "wording": "Le chantier"},
            after=_is(Mask, wording="Le chantier"),
            journal="masks:changed",
        ),
        EDIT: Case(
            typed={"wording": "Liens corrigés"}, after=_is(Mask, wording="Liens corrigés"), journal="masks:changed"
        ),
        DELETE: Case(after=_is_not(Mask, key=MaskKey.LINKS), journal="masks:reset"),
    }
    | _read()
    | _exported(),
    "Accès inspecteur": _read() | _exported(),
    "Transferts": _read() | _exported(),
    "Historique des imports": _read() | _exported(),
}

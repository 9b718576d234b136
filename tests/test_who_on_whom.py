"""The table « Who acts on whose account » of docs/droits.md, each cell as a browser posts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from cpro.config import PROJECT_ROOT
from cpro.core.permissions import Role
from cpro.students.models import Student
from cpro.users.models import Account
from cpro.users.sign_in_models import ActivationCode, SecondFactor
from tests.factories import PASSWORD, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.letters import letters
from tests.helpers.office import Office
from tests.helpers.phone import make_second_factor
from tests.helpers.records import rows, set_school, set_up, watching

As = Callable[..., Browser]
USERS = "/admin/utilisateurs"
_SECTION = (PROJECT_ROOT / "docs/droits.md").read_text().partition("## Who acts on whose account")[2]
_LINES = [[cell.strip() for cell in line.split("|")[1:-1]] for line in re.findall(r"^\|.*\|$", _SECTION, re.M)]
ACTORS = dict(zip(_LINES[0][2:], ("administrator", "head", "teacher", "student", "inspector", "support"), strict=True))
ROLES = {
    "un administrateur": Role.ADMINISTRATOR,
    "un chef": Role.HEAD,
    "un enseignant": Role.TEACHER,
    "un apprenant": Role.STUDENT,
}
TABLE = [(act, on, dict(zip(ACTORS, cells, strict=True))) for act, on, *cells in _LINES[2:]]
NEW = {"last_name": "Nouvelle", "first_name": "Personne", "civility": "", "confirmed": "oui"}


@dataclass
class Cell:
    """One act of one browser on the account of a role, and what came of it."""

    app: Flask
    office: Office
    browser: Browser
    account: int
    role: Role

    def do(self, act: str) -> str:
        """Do the act; return « oui », « attend » or « – », as the table writes it."""
        with watching(self.app) as watch:
            outcome = ACTS[act](self)
        return outcome if watch.changed - {"mail_message", "job", "draft"} else "–"

    def post(self, path: str, **fields: Any) -> None:
        """Post a form, over the values that its page holds where there is one."""
        page = self.browser.get(path)
        typed = self.browser.form(path) if page.status_code == 200 and "<form" in page.text else {}
        self.browser.post(path, {**typed, **fields})

    @property
    def free_pupil(self) -> int:
        """Return the pupil without an account."""
        [pupil] = [each["id"] for each in rows(self.app, Student) if each["last_name"] == "Libre"]
        return int(pupil)

    def find(self) -> Account:
        """Return the account as it is stored."""
        return self.office.find(self.account)

    def create(self) -> str:
        """Create an account of the role."""
        named = NEW
        if self.role is Role.STUDENT:  # it takes the name of the pupil chosen
            named = {"student": str(self.free_pupil), "confirmed": "oui"}
        self.browser.post(f"{USERS}/new/", {**named, "role": self.role.value})
        made = [each for each in rows(self.app, Account) if each["last_name"] in (NEW["last_name"], "Libre")]
        return "attend" if made and made[0]["consent_needed"] else "oui"

    def edit(self, **fields: str) -> Account:
        """Correct the account."""
        self.post(f"{USERS}/edit/?id={self.account}", **fields)
        return self.find()

    def change_address(self) -> str:
        """Take the address of the account over; codes may still leave for the one before."""
        before = self.find().confirmed_email
        self.edit(email="prise@boite.example")
        return "attend" if self.find().confirmed_email == before else "oui"

    def draw(self) -> str:
        """Draw a sheet, password voided."""
        fields = {"ids": self.account, "reset": "y", "layout": "1", "format": "csv", "confirme": "oui"}
        self.browser.post(f"{USERS}/fiches", {**fields, "current_password": PASSWORD})
        return "oui" if [each for each in rows(self.app, ActivationCode) if each["account_id"] == self.account] else "–"

    def reset(self) -> str:
        """Press « Réinitialiser »."""
        self.browser.post(f"{USERS}/reinitialiser/", {"id": self.account, "current_password": PASSWORD})
        return "oui"

    def take_factor_off(self) -> str:
        """Press « Réinitialiser le second facteur »."""
        self.browser.post(f"{USERS}/second-facteur/", {"id": self.account, "current_password": PASSWORD})
        return "–" if rows(self.app, SecondFactor) else "oui"

    def deactivate(self) -> str:
        """Press « Désactiver »."""
        self.browser.post(f"{USERS}/desactiver/", {"id": self.account})
        return "oui" if not self.find().is_active else "–"

    def make(self, role: Role) -> str:
        """Change the role."""
        after = self.edit(role=role.value)
        return ("attend" if after.is_pending else "oui") if after.role is role else "–"

    def link(self) -> str:
        """Link the account to a pupil who has none."""
        fields = {"eleve": self.free_pupil, "current_password": PASSWORD}
        self.browser.post(f"{USERS}/{self.account}/relier", fields)
        [after] = [each for each in rows(self.app, Student) if each["id"] == self.free_pupil]
        return "oui" if after["account_id"] == self.account else "–"

    def consent(self) -> str:
        """Consent to the account, which waits."""
        self.browser.post(f"{USERS}/action/", {"action": "consent", "rowid": self.account, "confirme": "oui"})
        return "–" if self.find().is_pending else "oui"


ACTS: dict[str, Callable[[Cell], str]] = {
    "créer": Cell.create,
    "corriger l’adresse": Cell.change_address,
    "corriger le nom": lambda cell: "oui" if cell.edit(last_name="Corrigé").last_name == "Corrigé" else "–",
    "tirer une fiche": Cell.draw,
    "réinitialiser": Cell.reset,
    "ôter le second facteur": Cell.take_factor_off,
    "désactiver": Cell.deactivate,
    "faire enseignant": lambda cell: cell.make(Role.TEACHER),
    "faire administrateur": lambda cell: cell.make(Role.ADMINISTRATOR),
    "faire chef": lambda cell: cell.make(Role.HEAD),
    "relier à un élève": Cell.link,
    "donner son accord": Cell.consent,
}


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    """Return a school with the settings that a new one has, and a pupil without an account."""
    set_school(app, world.a.id, typed_teachers_open_at_once=False)
    free = make_student(world.a.id, last_name="Libre", division_id=world.a.division_id, ine=None)
    set_up(app, lambda session: session.add(free))
    return Office(app, world)


def account_of(app: Flask, office: Office, act: str, role: Role) -> int:
    """Return somebody else's account of a role, such as the act asks."""
    if act == "donner son accord":
        return office.create(role.value)
    account = office.add(
        role, login=f"autre.{role.value}", email="autre@alpha.example", confirmed_email="autre@alpha.example"
    )
    if act == "ôter le second facteur":
        set_up(app, lambda session: session.add(make_second_factor(session.get_one(Account, account))))
    return account


def play(app: Flask, office: Office, as_: As, actor: str, act: str, role: Role) -> str:
    """Do an act as somebody; return what came of it."""
    account = account_of(app, office, act, role)
    entered = {"enter": "a"} if actor == "support" else {}
    return Cell(app, office, as_(actor, **entered), account, role).do(act)


@pytest.mark.any_database
@pytest.mark.parametrize(("act", "on", "cells"), TABLE, ids=[f"{act}, {on}" for act, on, _cells in TABLE])
class TestTable:
    @pytest.mark.parametrize("actor", ["administrateur", "chef"])
    def test_who_on_whom_as_the_table_says(
        self, app: Flask, office: Office, as_: As, act: str, on: str, cells: dict[str, str], actor: str
    ) -> None:
        assert play(app, office, as_, ACTORS[actor], act, ROLES[on]) == cells[actor]

    def test_who_on_whom_is_nobody_elses(
        self, app: Flask, office: Office, as_: As, act: str, on: str, cells: dict[str, str]
    ) -> None:
        others = [name for name in ACTORS if name not in ("administrateur", "chef", "inspecteur")]
        account = account_of(app, office, act, ROLES[on])

        for name in others:
            entered = {"enter": "a"} if name == "support" else {}
            cell = Cell(app, office, as_(ACTORS[name], **entered), account, ROLES[on])
            assert (name, cell.do(act)) == (name, cells[name])


@pytest.mark.any_database
def test_who_on_whom_holds_every_act_on_every_role() -> None:
    tried = {(act, on) for act, on, _cells in TABLE}

    assert {act for act, _on in tried} == set(ACTS)
    whole = [act for act in ACTS if not act.startswith(("faire", "donner"))]
    assert {(act, on) for act in whole for on in ROLES} <= tried


class TestNotices:
    def test_drawing_a_code_is_told_to_the_teacher_who_uses_the_account(
        self, app: Flask, office: Office, as_: As
    ) -> None:
        for act in ("tirer une fiche", "réinitialiser"):
            before = len(letters(office, "autre@alpha.example"))
            account = office.add(Role.TEACHER, confirmed_email="autre@alpha.example")
            Cell(app, office, as_("administrator"), account, Role.TEACHER).do(act)

            told = letters(office, "autre@alpha.example")
            assert len(told) == before + 1, act
            assert "Alix GRANITE a préparé un code" in told[-1]

    def test_drawing_a_code_is_no_news_to_who_never_activated_their_account(
        self, app: Flask, office: Office, as_: As
    ) -> None:
        account = office.add(Role.TEACHER, confirmed_email="autre@alpha.example", activated_at=None, password_hash=None)
        Cell(app, office, as_("administrator"), account, Role.TEACHER).do("tirer une fiche")

        assert letters(office, "autre@alpha.example") == []

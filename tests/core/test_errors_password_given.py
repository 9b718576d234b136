"""The password asked again is asked by the operations, whatever a page did; the command line has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.commands import COMMAND_LINE
from cpro.core.concurrency import fingerprint
from cpro.core.errors import PasswordNeeded
from cpro.core.permissions import Actor, Role
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.users.emergency.operations import lock_roles, reopen_roles
from cpro.users.models import Account
from cpro.users.operations import access, addresses, second_factor
from cpro.users.operations.credential_sheets import activate_credential_sheets, plan_credential_sheets
from cpro.users.queries import find_second_factor
from tests.factories import NOW, World
from tests.helpers.office import Office
from tests.helpers.phone import make_second_factor
from tests.helpers.records import nothing_written, watching

#: An act on the account of the school's teacher, who has a second factor.
Act = Callable[..., object]


def _confirm_school(_row: Account, **given: Any) -> None:
    school = lock_current_establishment()
    addresses.confirm_school_address(school, shown=school.email, **given)


def _draw_sheets(row: Account, *, by: Actor, now: Any, **given: Any) -> None:
    plan = plan_credential_sheets([row], reset=True, by=by, now=now)
    activate_credential_sheets(plan, about="essai", by=by, now=now, **given)


def _reopen(row: Account, **given: Any) -> None:
    reopen_roles(db.session(), row.establishment_id, [Role.ADMINISTRATOR], **given)


def _change_own(row: Account, **given: Any) -> None:
    opened_on = fingerprint({"email": row.email})
    addresses.change_own_address(db.session(), row, "autre@alpha.example", opened_on=opened_on, **given)


def _renew_codes(row: Account, **given: Any) -> None:
    factor = find_second_factor(db.session(), row)
    assert factor is not None
    second_factor.renew_codes(db.session(), factor, row, **given)


def _begin(row: Account, *, by: Actor, now: Any, **given: Any) -> None:
    second_factor.remove(db.session(), row, password_given=True, by=by, now=now)
    second_factor.begin(db.session(), row, by=by, now=now, **given)


def _remove(row: Account, **given: Any) -> None:
    second_factor.remove(db.session(), row, **given)


#: What asks for the password, and who does it; links, merged rows and particulars are tried with their own rules.
ACTS: dict[Act, str] = {
    access.reset_account: "administrator",
    access.reset_second_factor: "head",
    _draw_sheets: "administrator",
    _reopen: "head",
    _confirm_school: "head",
    _change_own: "teacher",
    _begin: "teacher",
    _renew_codes: "teacher",
    _remove: "teacher",
}


@pytest.fixture
def office(app: Flask, world: World, arrange: Any) -> Office:
    with arrange() as session:
        _prepare(session, world)
    return Office(app, world)


def _prepare(session: Session, world: World) -> None:
    """Give the teacher a second factor, and close the administrators' access."""
    session.add(make_second_factor(session.get_one(Account, world.a.account_ids["teacher"])))
    lock_roles(session, world.a.id, [Role.ADMINISTRATOR], by=COMMAND_LINE, now=NOW)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__.lstrip("_"))
def test_check_password_given_is_asked_by_the_operation(app: Flask, office: Office, act: Act) -> None:
    teacher = office.school.account_ids["teacher"]
    with nothing_written(app), pytest.raises(PasswordNeeded, match="tapez votre mot de passe"):
        office.act(act, ACTS[act], account=teacher)

    with watching(app) as watch:
        office.act(act, ACTS[act], account=teacher, password_given=True)

    assert watch.changed

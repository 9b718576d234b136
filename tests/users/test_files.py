"""What a file may do to accounts: teachers and heads are opened, teachers alone corrected, and no code leaves."""

from __future__ import annotations

import pytest
from flask import Flask

from cpro.core.permissions import Role
from cpro.extensions import db
from cpro.users.models import Account
from cpro.users.operations import files
from tests.factories import NOW, World, make_account
from tests.helpers.office import Office
from tests.helpers.records import set_school


def test_may_open_teachers_and_heads_alone() -> None:
    assert {role for role in Role if files.may_open(role)} == {Role.TEACHER, Role.HEAD}


def test_may_correct_teachers_alone() -> None:
    assert {role for role in Role if not role.is_platform and files.may_correct(make_account(1, role))} == {
        Role.TEACHER
    }


@pytest.mark.parametrize("is_typed", [True, False])
@pytest.mark.parametrize(
    ("setting", "waits"),
    [
        ({"typed_teachers_open_at_once": True}, {True: False, False: False}),
        ({"typed_teachers_open_at_once": False}, {True: True, False: False}),
        ({"teachers_need_consent": True}, {True: True, False: True}),
    ],
    ids=["none", "typed", "all"],
)
def test_open_account_waits_as_the_head_said(
    app: Flask, world: World, setting: dict[str, bool], waits: dict[bool, bool], is_typed: bool
) -> None:
    set_school(app, world.a.id, **setting)

    with Office(app, world).session():
        names = {"last_name": "Mica", "first_name": "Zoé"}
        made = files.open_account(names, Role.TEACHER, login="zoe.mica", key="P1", is_typed=is_typed, now=NOW)

    assert (made.consent_needed, made.unseen_by_head) == (waits[is_typed], is_typed)
    assert (made.password_hash, made.confirmed_email or "") == (None, "")


def test_require_new_consent_takes_an_earlier_consent_back(app: Flask, world: World) -> None:
    set_school(app, world.a.id, teachers_need_consent=True)
    office = Office(app, world)
    account_id = office.add(Role.TEACHER, consent_needed=True, consented_at=NOW)

    with office.session():
        account = db.session.get_one(Account, account_id)
        files.require_new_consent(account, is_typed=False)
        assert account.is_pending

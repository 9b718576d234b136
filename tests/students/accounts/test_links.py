"""An account is taken from its holder by who gave their own password: asked by the operations, whatever a page did."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from cpro.core.errors import PasswordNeeded
from cpro.extensions import db
from cpro.students.accounts.links import link_account, unlink_account
from cpro.students.models import Student
from cpro.users.models import Account
from tests.factories import World
from tests.helpers.office import Office
from tests.helpers.records import nothing_written


def test_link_account_that_was_opened_needs_the_password_and_to_unlink_it_too(app: Flask, world: World) -> None:
    office, account_id = Office(app, world), world.a.account_ids["student"]

    def link(account: Account, **values: Any) -> str | None:
        return link_account(account, db.session.get_one(Student, world.a.student_id), **values)

    for take in (link, unlink_account):
        with nothing_written(app), pytest.raises(PasswordNeeded):
            office.act(take, account=account_id)
        office.act(take, account=account_id, password_given=True)

"""The last word on the accounts of a file, said while they are written: which roles it may create and correct, and
what closing one ends.

The analysis proposes nothing else: what it stored is changed here before it is applied, as a later fault would.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.imports.errors import AnalysisOutdated
from cpro.imports.models import ChangeAction, ImportChange, RunState
from cpro.users.models import Account
from cpro.users.sign_in_models import ActivationCode, SignIn
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.imports import Desk
from tests.helpers.records import rows
from tests.helpers.siecle import FILES

STS = FILES / "sts_emp_0999001W_2026.xml"
#: The teacher of each school, whose number the file does not name: it proposes to close the account.
NUMBER = "epp:77777"
As = Callable[..., Browser]
Platform = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def analysed(desk: Desk) -> int:
    """Return an import that would create Gérard Cuivre-Fictif and, once ticked, close the account of Inès Quartz."""
    for school in ("a", "b"):
        with desk.open(school) as session:
            session.get_one(Account, desk.world.school(school).account_ids["teacher"]).sts_key = NUMBER
    return desk.analyse(STS)


def propose(desk: Desk, run_id: int, label: str, **values: object) -> None:
    """Change what an import proposes for one person."""
    with desk.open() as session:
        wanted = select(ImportChange).where(ImportChange.run_id == run_id, ImportChange.object_label.contains(label))
        change = session.scalars(wanted).one()
        added = values.pop("changes", {})
        assert isinstance(added, dict)
        change.changes = (
            {**change.changes, **added} if change.action is ChangeAction.CREATE else added or change.changes
        )
        for name, value in values.items():
            setattr(change, name, value)


class TestWriteAccounts:
    @pytest.mark.parametrize("role", [each for each in Role if each not in (Role.TEACHER, Role.HEAD)])
    def test_write_accounts_creates_none_but_of_teachers_and_heads(self, desk: Desk, analysed: int, role: Role) -> None:
        propose(desk, analysed, "CUIVRE-FICTIF", changes={"role": [None, role], "last_name": [None, "Mica"]})
        before = desk.state()

        with pytest.raises(AnalysisOutdated):
            desk.apply(analysed)

        assert desk.state() == before
        assert desk.run(analysed).state is RunState.ANALYSED

    @pytest.mark.parametrize("role", ["head", "administrator", "student"])
    def test_write_accounts_corrects_none_but_of_teachers(self, desk: Desk, analysed: int, role: str) -> None:
        account_id = desk.world.a.account_ids[role]
        propose(
            desk,
            analysed,
            "QUARTZ",
            object_id=account_id,
            action=ChangeAction.CHANGE,
            is_selected=True,
            changes={"discipline": ["", "USURPATION"]},
        )
        before = desk.state()

        with pytest.raises(AnalysisOutdated):
            desk.apply(analysed)

        assert desk.state() == before

    def test_write_accounts_corrects_none_of_another_school(self, desk: Desk, analysed: int, app: Flask) -> None:
        propose(desk, analysed, "QUARTZ", object_id=desk.world.b.account_ids["teacher"], is_selected=True)
        before = rows(app, Account)

        with pytest.raises(AnalysisOutdated):
            desk.apply(analysed)

        assert rows(app, Account) == before


class TestCloseAccounts:
    def test_close_accounts_ends_their_sign_ins(
        self, app: Flask, desk: Desk, analysed: int, as_: As, world: World, platform: Platform
    ) -> None:
        closed, head, elsewhere = as_("teacher"), as_("head"), as_("teacher", "b")
        propose(desk, analysed, "QUARTZ", is_selected=True)

        desk.apply(analysed)

        with platform() as session:
            signed_in = set(session.scalars(select(SignIn.account_id)))
        assert signed_in == {world.a.account_ids["head"], world.b.account_ids["teacher"]}
        assert [each.get("/mon-compte").status_code for each in (head, elsewhere)] == [200, 200]
        desk.undo()
        assert desk.accounts()["ines.quartz"]["is_active"]
        assert "/connexion" in closed.get("/mon-compte").headers["Location"], "whoever comes back signs in again"

    def test_close_accounts_voids_their_codes(self, app: Flask, desk: Desk, analysed: int, platform: Platform) -> None:
        for school in ("a", "b"):
            with desk.open(school) as session:
                teacher = desk.world.school(school).account_ids["teacher"]
                days = timedelta(days=7)
                session.add(ActivationCode(account_id=teacher, code_hmac="0", created_at=NOW, expires_at=NOW + days))
        propose(desk, analysed, "QUARTZ", is_selected=True)

        desk.apply(analysed)

        with platform() as session:
            spent = {code.establishment_id: code.spent_at for code in session.scalars(select(ActivationCode))}
        assert spent == {desk.world.a.id: NOW, desk.world.b.id: None}

"""What the tests of sign-in do and see behind the pages."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.core import clock
from cpro.core.tenancy import platform_session
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import codes
from tests.factories import World

_TYPED = re.compile(r'value="[^"]*"|href="[^"]*"|action="[^"]*"')


class Desk:
    """Accounts as the database holds them: read, change, create codes."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world

    def account(self, role: str, school: str = "a") -> Any:
        """Return an account as it is stored now."""
        with self.app.app_context(), platform_session("test") as session:
            return self._find(session, role, school)

    def change(self, role: str, school: str = "a", **values: Any) -> None:
        """Change columns of an account."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            account = self._find(work.session, role, school)
            for name, value in values.items():
                setattr(account, name, value)

    def create_code(self, role: str, school: str = "a", *, now: datetime | None = None) -> str:
        """Return a new activation code of an account."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            return codes.create_code(work.session, self._find(work.session, role, school), now=now or clock.utcnow())

    def rows(self, model: Any) -> list[Any]:
        """Return every row of a table."""
        with self.app.app_context(), platform_session("test") as session:
            return list(session.scalars(select(model)))

    def mails(self) -> list[str]:
        """Return the messages written so far, decoded."""
        import email
        from email import policy

        folder = Path(self.app.config["CPRO_INSTANCE"]) / "mail"
        found = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
        return [f"To: {each['To']}\n{each.get_content()}" for each in found]

    def _find(self, session: Any, role: str, school: str) -> Any:
        if role in self.world.platform_logins:
            wanted = PlatformAccount.email == self.world.platform_logins[role]
            return session.scalars(select(PlatformAccount).where(wanted)).one()
        return session.get_one(Account, self.world.school(school).account_ids[role])


@pytest.fixture
def desk(app: Flask, world: World) -> Desk:
    return Desk(app, world)


def shown(answer: TestResponse) -> str:
    """Return the page without what was typed and the tokens: what must be the same for everybody."""
    return _TYPED.sub("", answer.text)

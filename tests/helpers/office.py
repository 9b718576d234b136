"""Actions on accounts through the features' operations: in the school's session, in one unit of work, by an actor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.extensions import db
from cpro.students.models import Division, Student
from cpro.users.models import Account
from cpro.users.operations import manual
from tests.factories import NOW, World, make_account, make_student

T = TypeVar("T")
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}\b")


class Office:
    """One school's accounts: `act` runs an action, `find` reads the result."""

    def __init__(self, app: Flask, world: World, school: str = "a") -> None:
        self.app, self.world, self.school = app, world, world.school(school)

    def actor(self, who: str | int) -> Actor:
        """Return as an actor the person of a role of the world, or of an account id."""
        account = self.find(self.school.account_ids[who] if isinstance(who, str) else who)
        return Actor("account", account.id, account.label, account.role.value, "127.0.0.1")

    def act(self, action: Callable[..., T], who: str | int = "administrator", *, now: Any = NOW, **values: Any) -> T:
        """Run an operation as an actor; `account=id` is passed as the row."""
        by = self.actor(who) if isinstance(who, (str, int)) else who
        with self.session():
            with unit_of_work():
                first = [db.session.get_one(Account, values.pop("account"))] if "account" in values else []
                return action(*first, by=by, now=now, **values)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Open the session of the school."""
        with self.app.app_context():
            tenancy.enter(tenancy.Scope(self.school.id))
            yield

    def create(self, role: str = "teacher", who: str | int = "administrator", **values: Any) -> int:
        """Create an account manually; return its id."""

        def action(*, by: Actor, now: Any) -> int:
            return manual.create_manual_account(
                {"last_name": "Mica", "first_name": "Zoé", "role": role, **values}, confirmed=True, by=by, now=now
            ).id

        return self.act(action, who)

    def add(self, role: Role, **values: Any) -> int:
        """Add an account, bypassing the rules; return its id."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            account = make_account(self.school.id, role, **values)
            work.session.add(account)
            work.session.flush()
            return account.id

    def add_pupils(self, count: int, **values: Any) -> list[int]:
        """Add pupils of the school's division with never-activated accounts; return the accounts' ids."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            ids = []
            for number in range(count):
                account = make_account(
                    self.school.id,
                    Role.STUDENT,
                    **{"password_hash": None, "activated_at": None, "last_name": f"Élève{number:02d}", **values},
                )
                work.session.add(account)
                work.session.flush()
                work.session.add(
                    make_student(
                        self.school.id,
                        division_id=self.school.division_id,
                        account_id=account.id,
                        last_name=account.last_name,
                    )
                )
                ids.append(account.id)
            return ids

    def change(self, account_id: int, **values: Any) -> None:
        """Set columns of an account, bypassing the rules."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            for name, value in values.items():
                setattr(work.session.get_one(Account, account_id), name, value)

    def find(self, account_id: int) -> Account:
        """Return an account as stored."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            return session.get_one(Account, account_id)

    def lines(self, action: str = "") -> list[AuditEntry]:
        """Return the journal's lines of the school, those of one action if given."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [line for line in found if line.establishment_id == self.school.id and action in ("", line.action)]

    def mails(self) -> list[tuple[str, str]]:
        """Return the messages written so far: (to, text)."""
        import email
        from email import policy

        folder = Path(self.app.config["CPRO_INSTANCE"]) / "mail"
        found = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
        return [(str(each["To"]), each.get_content()) for each in found]

    def division(self) -> Division:
        """Return the school's division, in its session."""
        return db.session.get_one(Division, self.school.division_id)

    def students(self) -> list[Student]:
        """Return the school's students, in its session."""
        return list(db.session.scalars(select(Student)))

"""The lines of one person between two instants: theirs alone, the first instant included and the last left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.audit.operations import About, record
from cpro.audit.queries import by_actor, count_lines_of, name_known_actors, select_lines_of
from cpro.core.permissions import Actor
from cpro.extensions import db
from tests.factories import NOW, World
from tests.helpers.office import Office
from tests.helpers.records import set_up

SOMEBODY = Actor("platform", 7, "Dominique Schiste", "inspector", "127.0.0.1")
UNTIL = NOW + timedelta(hours=1)
ABOUT = About("page", 1, "")
MOMENT = timedelta(seconds=1)


def _write(app: Flask, world: World) -> None:
    """Record, in school A, two lines that count and all those beside them."""

    def change(session: Session) -> None:
        for by, now, action in (
            (SOMEBODY, NOW, "page:read"),
            (SOMEBODY, UNTIL - MOMENT, "page:read"),
            (SOMEBODY, NOW - MOMENT, "page:read"),
            (SOMEBODY, UNTIL, "page:read"),
            (SOMEBODY, NOW, "page:printed"),
            (replace(SOMEBODY, id=8), NOW, "page:read"),
            (replace(SOMEBODY, kind="account"), NOW, "page:read"),
        ):
            record(action, ABOUT, by=by, now=now, establishment_id=world.a.id, session=session)

    set_up(app, change)


def test_count_lines_of_somebody_between_two_instants_with_these_actions(app: Flask, world: World) -> None:
    _write(app, world)

    with Office(app, world).session():
        assert count_lines_of("platform", 7, "page:read", since=NOW, until=UNTIL) == 2
        assert count_lines_of("platform", 7, "page:read", "page:printed", since=NOW, until=UNTIL) == 3


def test_select_lines_of_somebody_between_two_instants(app: Flask, world: World) -> None:
    _write(app, world)

    with Office(app, world).session():
        found = db.session.scalars(select_lines_of("platform", 7, since=NOW, until=UNTIL)).all()

    assert sorted(line.at for line in found) == [NOW, NOW, UNTIL - MOMENT]


def test_name_known_actors_takes_no_school_for_another(app: Flask, world: World) -> None:
    """What an unnamed school refused is not filed under the name of the one that agreed since."""
    unnamed, named = (
        Actor("system", None, label, "system", "") for label in ("L’autre établissement", "L’établissement 0999002X")
    )

    def change(session: Session) -> None:
        for by, action in ((unnamed, "transfer:refused"), (named, "transfer:agreed")):
            record(action, About("transfer", 1, ""), by=by, now=NOW, establishment_id=world.a.id, session=session)

    set_up(app, change)

    with Office(app, world).session():
        keys = {label: key for key, label in name_known_actors()}
        found = {
            label: [line.action for line in db.session.scalars(select(AuditEntry).where(by_actor(keys[label])))]
            for label in (unnamed.label, named.label)
        }
    assert found == {unnamed.label: ["transfer:refused"], named.label: ["transfer:agreed"]}

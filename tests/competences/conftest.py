"""A diploma of school "a" without list, and the national one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.national import load
from cpro.students.models import Diploma
from tests.factories import World, make_diploma


@dataclass(frozen=True)
class Diplomas:
    """The ids of the national diploma, of one of school "a" and of one of school "b"."""

    national: int
    own: int
    theirs: int

    def page(self, which: str, end: str = "") -> str:
        """Return the address of the list of a diploma."""
        return f"/admin/diplomes/{getattr(self, which)}/competences{end}"


@pytest.fixture
def diplomas(world: World, arrange: Callable[[], AbstractContextManager[Session]]) -> Diplomas:
    """Load the national lists; give each school a diploma of its own."""
    with arrange() as session:
        load(session)
        own = make_diploma(code="MAISON-A", short_label="Maison A", establishment_id=world.a.id)
        theirs = make_diploma(code="MAISON-B", short_label="Maison B", establishment_id=world.b.id)
        session.add_all([own, theirs])
        session.flush()
        national = session.scalars(select(Diploma).where(Diploma.code == world.diploma_code)).one()
        return Diplomas(national.id, own.id, theirs.id)

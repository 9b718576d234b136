"""What tests of wordings share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.tenancy import Scope
from cpro.masks.models import Mask, MaskKey
from tests.factories import NOW, World, make_diploma
from tests.helpers.records import set_up


@pytest.fixture
def second_diploma(app: Flask, world: World) -> str:
    """Return the code of a second national diploma, worded by both schools."""

    def change(session: Session) -> None:
        diploma = make_diploma(code="CAP-ELEC", short_label="CAP Électricien")
        session.add(diploma)
        session.flush()
        for school in (world.a, world.b):
            mask = Mask(diploma_id=diploma.id, key=MaskKey.LINKS, wording=f"CAP de {school.code}", changed_at=NOW)
            mask.establishment_id = school.id
            session.add(mask)

    set_up(app, change)
    return "CAP-ELEC"


@pytest.fixture
def in_a(app: Flask, world: World) -> Iterator[World]:
    """Work in school A, whose diploma has one wording: links."""
    with app.app_context():
        tenancy.enter(Scope(world.a.id))
        yield world

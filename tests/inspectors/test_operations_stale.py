"""The last word against extending twice: the last day is compared once more under the lock."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.extensions import db
from cpro.inspectors.models import Mandate
from cpro.inspectors.operations import extend_mandate
from tests.factories import World, make_mandate
from tests.helpers.office import Office
from tests.helpers.records import nothing_written, rows, set_up
from tests.inspectors.conftest import day


def test_extend_mandate_refuses_what_was_extended_since_the_page_was_opened(app: Flask, world: World) -> None:
    set_up(
        app,
        lambda session: session.add(make_mandate(world, starts_on=day("2026-11-01"), ends_on=day("2027-01-10"))),
    )
    office = Office(app, world)

    def extend(seen: str, **act: Any) -> None:
        mandate = db.session.scalars(select(Mandate)).one()
        extend_mandate(mandate, ends_on="2027-02-10", opened_on=fingerprint({"ends_on": seen}), **act)

    with nothing_written(app), pytest.raises(StaleForm):
        office.act(extend, "head", seen="2026-12-20")

    office.act(extend, "head", seen="2027-01-10")
    assert [mandate["ends_on"] for mandate in rows(app, Mandate)] == [day("2027-02-10")]

"""What a school reads of its wordings: its own, else the defaults, diploma by diploma."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.tenancy import Scope
from cpro.core.transactions import unit_of_work
from cpro.masks.models import Mask, MaskKey
from cpro.masks.operations import update_wordings
from cpro.masks.queries import count_wordings_by_diploma, get_labels
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma
from tests.factories import NOW, TESTER, World, make_diploma
from tests.helpers.records import rows, set_up

DEFAULTS = {key: key.default for key in MaskKey}


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


def diploma_of(world: World) -> Diploma:
    """Return the diploma both schools prepare for."""
    diploma = find_diploma(world.diploma_code)
    assert diploma is not None
    return diploma


def word(world: World, opened_on: str | None = None, **values: str) -> dict[str, tuple[str, str]]:
    """Word fields of the diploma."""
    with unit_of_work():
        return update_wordings(diploma_of(world), values, opened_on=opened_on, by=TESTER, now=NOW)


def wordings(app: Flask, school_id: int) -> dict[str, str]:
    """Return the stored wordings of a school, all diplomas together."""
    return {row["key"]: row["wording"] for row in rows(app, Mask) if row["establishment_id"] == school_id}


class TestGetLabels:
    def test_get_labels_gives_the_schools_wordings_else_the_defaults(self, app: Flask, in_a: World) -> None:
        word(in_a, description="Contexte")

        labels = get_labels(diploma_of(in_a).id)

        assert labels == {**DEFAULTS, MaskKey.LINKS: "Liens de alpha", MaskKey.DESCRIPTION: "Contexte"}
        assert list(labels) == list(MaskKey)

    def test_get_labels_of_another_diploma_are_its_own(self, app: Flask, second_diploma: str, in_a: World) -> None:
        word(in_a, description="Contexte")
        other = find_diploma(second_diploma)
        assert other is not None

        assert get_labels(other.id) == {**DEFAULTS, MaskKey.LINKS: "CAP de alpha"}

    def test_count_wordings_by_diploma_is_of_the_school(self, app: Flask, second_diploma: str, in_a: World) -> None:
        word(in_a, description="Contexte")

        assert sorted(count_wordings_by_diploma().values()) == [1, 2]

    def test_find_diploma_a_schools_own_diploma_does_not_exist_for_another(self, app: Flask, in_a: World) -> None:
        set_up(app, lambda session: session.add(make_diploma(code="MAISON-B", establishment_id=in_a.b.id)))

        assert find_diploma("MAISON-B") is None

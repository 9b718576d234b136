"""What a school reads of its wordings: its own, else the defaults, diploma by diploma."""

from __future__ import annotations

from flask import Flask

from cpro.masks.models import MaskKey
from cpro.masks.queries import count_wordings_by_diploma, get_labels
from cpro.students.queries import find_diploma
from tests.factories import World, make_diploma
from tests.helpers.masks import diploma_of, word
from tests.helpers.records import set_up

DEFAULTS = {key: key.default for key in MaskKey}


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

"""What models say of their attributes to people."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cpro.core.shown import Filter, choice, labels_of, shown_names, shown_of, words_of
from cpro.establishments.models import Establishment
from cpro.masks.models import Mask
from cpro.students.models import Student

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        (Student, "birth_date", "day"),
        (Student, "ine", "ine"),
        (Student, "came_by", "choice"),
        (Student, "division", "lookup"),
        (Student, "situation", "text"),
        (Mask, "diploma", "relation"),
        (Establishment, "uses_siecle", "yes_or_no"),
    ],
)
def test_shown_of_takes_its_kind_from_the_column_where_none_is_given(model: type[Any], name: str, kind: str) -> None:
    assert shown_of(model, name).kind == kind


def test_shown_names_leaves_out_what_is_for_nobody() -> None:
    names = shown_names(Establishment)

    assert "name" in names
    assert not {"search_key", "head_email", "id"} & set(names)


def test_labels_of_prefers_what_a_field_is_called_on_its_form() -> None:
    assert labels_of(Establishment, ("transfers_enabled", "city")) == {
        "transfers_enabled": "Activer les transferts",
        "city": "Ville",
    }


class TestFilter:
    def test_filter_chosen_takes_one_of_its_choices_alone(self) -> None:
        chosen = choice("etat", "État", "tous", (("oui", "ouverts", lambda: Student.is_active.is_(True)),))

        assert chosen.kind == "choice"
        assert chosen.read("oui") is not None
        assert chosen.read("autre") is None
        assert (chosen.phrase("oui"), chosen.phrase("autre")) == ("ouverts", "autre")

    @pytest.mark.parametrize("text", ["autre", "{a}", "{{x}}", "%s", "{0.__class__}"])
    def test_filter_problem_says_what_was_asked_as_it_was(self, text: str) -> None:
        chosen = choice("etat", "État", "tous", (("oui", "ouverts", lambda: Student.is_active.is_(True)),))

        assert chosen.problem(text).startswith(f"«\u202f{text}\u202f» n’est pas un choix de la liste")
        assert chosen.problem("oui") == ""

    def test_filter_typed_is_exact_and_blank_filters_nothing(self) -> None:
        asked: list[str] = []
        typed = Filter("mef", "Code MEF", where=lambda text: asked.append(text) or Student.mef_code == text)

        assert typed.kind == "text"
        assert typed.read("  ") is None
        assert typed.read(" 247 ") is not None
        assert asked == ["247"]
        assert typed.phrase("247") == "code MEF «\u202f247\u202f»"

    def test_filter_of_a_day_reads_the_calendar_and_no_word(self) -> None:
        asked: list[date] = []
        day = Filter("du", "Du", where=lambda given: asked.append(given) or Student.is_active.is_(True), day="from")

        assert day.kind == "date"
        assert day.read("hier") is None
        assert day.read("2026-02-30") is None
        assert day.read("2026-02-03") is not None
        assert asked == [date(2026, 2, 3)]


def test_words_of_lists_members_by_the_words_asked() -> None:
    members = Mask.key.property.columns[0].type.members

    assert words_of(members, "default")()[0] == ("description", members.DESCRIPTION.default)

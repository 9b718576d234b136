"""What is a disagreement under one INE, and what is only another way to write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from cpro.transfers.identity import differ, find_disagreements


@dataclass(frozen=True)
class Person:
    last_name: str = "Topaze"
    usage_name: str = ""
    first_name: str = "Lou"
    birth_date: date | None = date(2009, 2, 28)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Person("Éléonore"), Person("ELEONORE")),
        (Person("Le Gall"), Person("LEGALL")),
        (Person("D’Œuvre"), Person("D OEUVRE")),
        (Person("Topaze"), Person("Quartz", usage_name="Topaze")),
        (Person("Quartz", usage_name="Topaze"), Person("Quartz")),
        (Person("Topaze-Quartz"), Person("Topaze")),
        (Person(first_name="Jean-Pierre"), Person(first_name="Jean Pierre")),
        (Person(first_name="Jean-Pierre"), Person(first_name="Jean")),
        (Person(first_name="Lou, Marie, Anne"), Person(first_name="LOU")),
        (Person(first_name="Marie Anne"), Person(first_name="Marieanne")),
        (Person(birth_date=None), Person()),
    ],
)
def test_find_disagreements_ways_of_writing_agree(one: Person, other: Person) -> None:
    assert find_disagreements(one, other) == find_disagreements(other, one) == []


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (Person(), Person(birth_date=date(2009, 2, 27)), ["birth_date"]),
        (Person(), Person("Quartz"), ["last_name"]),
        (Person(), Person(first_name="Louis"), ["first_name"]),
        (Person("Topaze", usage_name="Agate"), Person("Quartz", usage_name="Grès"), ["last_name"]),
        (Person(first_name="Jean-Pierre"), Person(first_name="Jean-Paul"), ["first_name"]),
        # Names of which any would do.
        (Person(), Person("Agate Ambre Ardoise Topaze"), ["last_name"]),
        (Person(), Person(first_name="Lou Léa Zoé Tom"), ["first_name"]),
        (Person(), Person("Quartz", "", "Noé", date(2010, 1, 1)), ["birth_date", "last_name", "first_name"]),
    ],
)
def test_find_disagreements_of_other_people(one: Person, other: Person, what: list[str]) -> None:
    assert [each.value for each in find_disagreements(one, other)] == what
    assert [each.value for each in find_disagreements(other, one)] == what


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Person(), Person("TOPAZE", "", "lou"), False),
        (Person(), Person(first_name="Louis"), True),
        (Person(), Person(birth_date=date(2009, 2, 27)), True),
        (Person(birth_date=None), Person(), True),  # left out, it would be a way round it
        (Person(birth_date=None), Person(birth_date=None), False),
    ],
)
def test_differ_a_birth_date_that_one_school_does_not_give_is_not_the_same(
    one: Person, other: Person, *, expected: bool
) -> None:
    assert differ(one, other) == differ(other, one) == expected

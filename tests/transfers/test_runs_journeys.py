"""Pupils who go through several schools and come back: everything once, nothing twice."""

from __future__ import annotations

import random

import pytest

from bench.campaigns import size_of
from cpro.records.models import KINDS
from tests.helpers.transfers import Exchange, check_complete, check_soundness


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


def test_run_copies_everything_once_through_three_schools(exchange: Exchange) -> None:
    ine = exchange.ine()
    in_a = exchange.enrol("a", ine)
    exchange.fill("a", in_a)
    exchange.depart(in_a)
    in_b = exchange.enrol("b", ine)
    exchange.run()
    exchange.fill("b", in_b)
    exchange.depart(in_b)
    in_c = exchange.enrol("c", ine)

    exchange.run()
    exchange.run()

    assert len(exchange.records(in_c)) == 10
    assert exchange.records(in_c) == exchange.records(in_b) > exchange.records(in_a)
    assert sorted(side.records for side in exchange.sides("c")) == [5, 5]
    sound(exchange)


def test_run_finds_what_a_school_that_was_off_in_the_middle_holds(exchange: Exchange) -> None:
    """A never exchanged with B; C still receives what both wrote."""
    exchange.switch("b", on=False)
    ine = exchange.ine()
    in_a, in_b = exchange.enrol("a", ine), exchange.enrol("b", ine, is_active=False)
    exchange.fill("a", in_a)
    exchange.depart(in_a)
    exchange.set(in_b, is_active=True)
    exchange.run()
    exchange.fill("b", in_b)
    exchange.depart(in_b)
    in_c = exchange.enrol("c", ine)
    exchange.run()
    assert exchange.records(in_c) == exchange.records(in_a)

    exchange.switch("b", on=True)
    exchange.run("b")

    assert exchange.records(in_c) == exchange.records(in_a) | exchange.records(in_b)
    sound(exchange)


def test_run_after_a_return_copies_what_the_other_school_added(exchange: Exchange) -> None:
    ine = exchange.ine()
    in_a = exchange.enrol("a", ine)
    exchange.fill("a", in_a)
    exchange.depart(in_a)
    in_b = exchange.enrol("b", ine)
    exchange.run()
    exchange.fill("b", in_b, fiches=3)
    exchange.depart(in_b)
    exchange.back(in_a)

    exchange.run()

    assert exchange.records(in_a) == exchange.records(in_b)
    assert len(exchange.records(in_a)) == 5 + 6
    assert [(side.direction.value, side.state.value, side.is_current) for side in exchange.sides("a")] == [
        ("left", "done", False),
        ("joined", "done", True),
    ]
    assert exchange.sides("a")[1].records == 6
    sound(exchange)


@pytest.mark.parametrize("seen", [True, False], ids=["a run saw them back", "no run saw them back"])
def test_run_after_a_second_departure_copies_what_was_added_meanwhile(exchange: Exchange, seen: bool) -> None:
    ine = exchange.ine()
    in_a = exchange.enrol("a", ine)
    exchange.fill("a", in_a)
    exchange.depart(in_a)
    in_b = exchange.enrol("b", ine)
    exchange.run()
    exchange.depart(in_b)
    exchange.back(in_a)
    if seen:
        exchange.run()
    exchange.fill("a", in_a, fiches=1)
    exchange.depart(in_a)
    exchange.back(in_b)

    exchange.run()

    assert exchange.records(in_b) == exchange.records(in_a)
    assert len(exchange.records(in_b)) == 5 + 4
    sound(exchange)


class Wanderers:
    """Pupils known to three schools, present in one of them at most."""

    SCHOOLS = ("a", "b", "c")

    def __init__(self, exchange: Exchange, chance: random.Random, count: int) -> None:
        self.exchange, self.chance = exchange, chance
        self.rows = []
        for _ in range(count):
            ine = exchange.ine()
            self.rows.append({school: exchange.enrol(school, ine, is_active=False) for school in self.SCHOOLS})
        self.at: list[str | None] = [None] * count
        self.on = dict.fromkeys(self.SCHOOLS, True)

    def step(self) -> None:
        """Do one action of somebody."""
        number = self.chance.randrange(len(self.rows))
        self.chance.choice([self.move, self.move, self.write, self.write, self.run, self.switch])(number)

    def move(self, number: int) -> None:
        here = self.at[number]
        if here:
            self.exchange.depart(self.rows[number][here])
        there = self.chance.choice([school for school in self.SCHOOLS if school != here])
        self.exchange.back(self.rows[number][there])
        self.at[number] = there

    def write(self, number: int) -> None:
        here = self.at[number]
        if here:
            self.exchange.fill(here, self.rows[number][here], fiches=1, evaluations=1, bilans=0)

    def run(self, _number: int) -> None:
        self.exchange.run(self.chance.choice([*self.SCHOOLS, None]))

    def switch(self, _number: int) -> None:
        school = self.chance.choice(self.SCHOOLS)
        self.on[school] = not self.on[school]
        self.exchange.switch(school, on=self.on[school])


@pytest.mark.parametrize("seed", range(size_of("journeys")))
def test_run_is_sound_on_any_journey(exchange: Exchange, seed: int) -> None:
    """Pupils wander, teachers write, schools switch, runs come at any moment: the promises hold at each step."""
    pupils = Wanderers(exchange, random.Random(seed), 3)
    for _step in range(25):
        pupils.step()
        with exchange.look() as session:
            check_soundness(session)
    for school in pupils.SCHOOLS:
        exchange.switch(school, on=True)
    exchange.run()

    sound(exchange)
    assert exchange.run().pairs == 0
    for rows, here in zip(pupils.rows, pupils.at, strict=True):
        if here:
            assert exchange.records(rows[here]) == set().union(*(exchange.records(row) for row in rows.values()))


def test_run_copies_nothing_without_a_departure(exchange: Exchange) -> None:
    ine = exchange.ine()
    in_a, in_b = exchange.enrol("a", ine, is_active=False), exchange.enrol("b", ine, is_active=False)
    exchange.fill("a", in_a)

    exchange.run()

    assert exchange.records(in_b) == set()
    with exchange.look() as session:
        assert all(
            row.received_in is None for kind in KINDS for row in session.query(kind).filter(kind.student_id == in_b)
        )

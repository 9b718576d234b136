"""Who knows an INE does not find the name and birth date that go with it by correcting, running and reading again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.students.models import Student
from cpro.transfers.decisions import confirm
from cpro.transfers.guesses import PERIOD, TRIES
from cpro.transfers.models import TriedIdentity
from tests.helpers.browser import Browser
from tests.helpers.records import rows
from tests.helpers.transfers import Exchange

TRUE = date(2009, 2, 28)


@pytest.fixture
def guessed(exchange: Exchange) -> tuple[int, int]:
    """Return a pupil who left A, and the one that B made under the INE, whose birth date is a guess."""
    ine = exchange.ine()
    theirs = exchange.enrol("a", ine, birth_date=TRUE)
    exchange.depart(theirs)
    mine = exchange.enrol("b", ine, birth_date=date(2008, 1, 1))
    exchange.run("b")
    return theirs, mine


def guess(exchange: Exchange, pupil: int, number: int) -> str:
    """Try a birth date, and read what the school then reads."""
    exchange.set(pupil, birth_date=date(2008, 1, 1) + timedelta(days=number))
    exchange.run("b")
    return exchange.side("b").state.value


def spend(exchange: Exchange, pupil: int) -> None:
    assert {guess(exchange, pupil, number) for number in range(1, TRIES)} == {"conflict"}


class TestTries:
    def test_corrected_in_time_is_the_same_pupil(self, exchange: Exchange, guessed: tuple[int, int]) -> None:
        for number in range(1, TRIES - 1):
            guess(exchange, guessed[1], number)
        exchange.set(guessed[1], birth_date=TRUE)
        exchange.run("b")

        assert exchange.states("b") == ["done"]

    def test_the_right_one_among_many_is_not_told_from_the_others(
        self, exchange: Exchange, guessed: tuple[int, int]
    ) -> None:
        spend(exchange, guessed[1])
        before = exchange.side("b")
        exchange.set(guessed[1], birth_date=TRUE)
        exchange.run("b")

        after = exchange.side("b")
        assert after.state.value == "conflict"
        assert (after.identities_differ, after.is_named) == (True, False)
        assert after.changed_at == before.changed_at

    def test_the_next_day_it_is_compared_again(self, exchange: Exchange, guessed: tuple[int, int]) -> None:
        spend(exchange, guessed[1])
        exchange.set(guessed[1], birth_date=TRUE)
        exchange.now += PERIOD
        exchange.run()

        assert exchange.states("b") == ["done"]

    def test_forgotten_and_made_again_they_go_on_counting(self, exchange: Exchange, guessed: tuple[int, int]) -> None:
        [ine] = [row["ine"] for row in rows(exchange.app, Student) if row["id"] == guessed[1]]
        spend(exchange, guessed[1])
        exchange.set(guessed[1], is_active=False, ine=None)
        exchange.run("b")
        again = exchange.enrol("b", ine, birth_date=TRUE)
        exchange.run("b")

        assert [side.state.value for side in exchange.sides("b") if side.student_id == again] == ["conflict"]

    def test_the_school_of_origin_guesses_no_better(self, exchange: Exchange) -> None:
        ine = exchange.ine()
        mine, theirs = exchange.enrol("a", ine, birth_date=date(2008, 1, 1)), exchange.enrol("b", ine, birth_date=TRUE)
        exchange.depart(mine)
        for number in range(TRIES):
            exchange.set(mine, birth_date=date(2008, 1, 1) + timedelta(days=number))
            exchange.run("a")
        exchange.set(mine, birth_date=TRUE)
        exchange.run("a")

        assert exchange.states("a") == ["conflict"]
        assert theirs

    def test_another_pupil_of_the_school_is_compared_meanwhile(
        self, exchange: Exchange, guessed: tuple[int, int]
    ) -> None:
        spend(exchange, guessed[1])
        ine = exchange.ine()
        exchange.depart(exchange.enrol("a", ine))
        other = exchange.enrol("b", ine)
        exchange.run("b")

        assert [side.state.value for side in exchange.sides("b") if side.student_id == other] == ["done"]

    def test_run_again_without_a_correction_is_no_try(self, exchange: Exchange, guessed: tuple[int, int]) -> None:
        figures = [exchange.run("b") for _ in range(TRIES + 1)]

        assert {each.pairs for each in figures} == {0}
        exchange.set(guessed[1], birth_date=TRUE)
        exchange.run("b")
        assert exchange.states("b") == ["done"]

    def test_a_person_may_confirm_all_the_same(self, exchange: Exchange, guessed: tuple[int, int]) -> None:
        spend(exchange, guessed[1])

        assert exchange.act(confirm, "b", side_id=exchange.side("b").id) == "agreement"
        assert [side.is_named for side in exchange.sides("b")] == [False]


class TestNotices:
    def test_both_journals_say_it_once_and_the_other_school_reads_who(
        self, app: Flask, exchange: Exchange, guessed: tuple[int, int], mails: Callable[[], list[tuple[str, str]]]
    ) -> None:
        spend(exchange, guessed[1])
        guess(exchange, guessed[1], 40)

        [(_to, text)] = [each for each in mails() if "identités différentes" in each[1]]
        assert "0999002X" in text
        assert "Topaze" not in text
        lines = [row for row in rows(app, AuditEntry) if row["action"] == "transfer:guessed"]
        assert sorted(row["establishment_id"] for row in lines) == sorted(exchange.ids[name] for name in "ab")
        assert {row["changes"]["identities"][1] for row in lines} == {TRIES}
        assert len({row["actor_label"] for row in lines}) == 1
        assert exchange.side("b").held_until == exchange.now + PERIOD
        assert exchange.side("a").held_until is None

    def test_the_page_says_why_and_until_when(
        self, exchange: Exchange, guessed: tuple[int, int], as_: Callable[..., Browser]
    ) -> None:
        exchange.now = clock.utcnow()
        for number in range(10, 10 + TRIES):
            guess(exchange, guessed[1], number)

        for school, role, seen in (("b", "administrator", True), ("b", "head", True), ("a", "head", False)):
            answer = as_(role, school).get(f"/admin/parametres/transferts/effectues/{exchange.side(school).id}")
            assert answer.status_code == 200
            assert ("ne sont plus comparées" in answer.text) == seen
            assert "a essayé plusieurs identités" in answer.text or not seen

    def test_what_is_kept_names_neither_ine_nor_person(self, app: Flask, guessed: tuple[int, int]) -> None:
        kept = " ".join(str(value) for row in rows(app, TriedIdentity) for value in row.values())

        assert "topaze" not in kept.lower()
        assert "99000000" not in kept

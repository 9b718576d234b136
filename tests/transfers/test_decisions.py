"""What stops a copy: identities that disagree, pupils present twice, pupils not imported from SIECLE."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.core.errors import FieldErrors
from cpro.students.models import Origin
from cpro.transfers.decisions import agree, ask_again, confirm, refuse
from cpro.transfers.errors import NoSuchTransfer, NotNow, TransfersOff
from cpro.transfers.models import TransferState
from tests.helpers.transfers import Exchange, check_complete, check_soundness


def moved(exchange: Exchange, **destination: object) -> tuple[int, int]:
    """Return a pupil of "a" who left with records, and the same one who joined "b"."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    return source, exchange.enrol("b", ine, **destination)


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


class TestConflict:
    @pytest.fixture
    def pair(self, exchange: Exchange) -> tuple[int, int]:
        pair = moved(exchange, birth_date=date(2010, 1, 1), first_name="Noé")
        exchange.run()
        return pair

    def test_conflict_nothing_is_copied_and_both_see_that_identities_differ(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        assert exchange.records(pair[1]) == set()
        for school in ("a", "b"):
            side = exchange.side(school)
            assert (side.state, side.identities_differ) == (TransferState.CONFLICT, True)
        sound(exchange)

    def test_conflict_neither_side_holds_what_the_other_says(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        for school, theirs in (("a", "Noé"), ("b", "Lou")):
            side = exchange.side(school)
            assert theirs not in f"{side.student_label} {side.search_key} {side.reason}"
            assert side.offered_birth_date is None

    def test_conflict_no_school_reads_the_name_of_the_other(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        for school in ("a", "b"):
            side = exchange.side(school)
            assert (side.other_name, side.other_uai, side.other_school) == ("", "", "l’autre établissement")
            assert "099900" not in side.search_key
        exchange.act(refuse, "b", side_id=exchange.side("b").id, reason="Un homonyme")

        with exchange.at("a") as session:
            actors = session.scalars(
                select(AuditEntry.actor_label).where(AuditEntry.action == "transfer:refused")
            ).all()
        assert actors == ["L’autre établissement"]
        assert not exchange.side("a").is_named

    def test_conflict_the_source_reads_who_confirmed_and_the_destination_who_agreed(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.act(confirm, "b", side_id=exchange.side("b").id)
        assert (exchange.side("a").other_uai, exchange.side("b").other_uai) == ("0999002X", "")

        exchange.act(agree, "a", side_id=exchange.side("a").id)
        assert exchange.side("b").other_uai == "0999001W"
        assert "0999001w" in exchange.side("b").search_key

    def test_conflict_once_files_agree_each_reads_the_name_of_the_other(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.set(pair[1], birth_date=date(2009, 2, 28), first_name="LOU")
        exchange.run("b")

        assert exchange.side("a").other_uai == "0999002X"

    @pytest.mark.parametrize("other", [{"last_name": "Agate"}, {"birth_date": date(2010, 1, 1)}])
    def test_twins_of_other_identities_name_no_school(self, exchange: Exchange, other: dict[str, object]) -> None:
        ine = exchange.ine()
        exchange.enrol("a", ine)
        exchange.enrol("b", ine, **other)
        exchange.run()

        assert exchange.states("a") == ["twins"]
        assert not exchange.side("a").is_named
        assert not exchange.side("b").is_named

    def test_waiting_for_a_school_of_another_identity_does_not_name_it(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.switch("a", on=False)
        exchange.run()

        assert exchange.states("b") == ["waiting_left"]
        assert not exchange.side("b").is_named

    def test_confirm_by_the_destination_school(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        source, destination = pair

        assert exchange.act(confirm, "b", side_id=exchange.side("b").id) == "agreement"

        assert exchange.records(destination) == set()
        here, there = exchange.side("b"), exchange.side("a")
        assert (here.decided_by, there.decided_by) == ("Chef de b", "")
        assert exchange.run().pairs == 0
        assert exchange.act(agree, "a", side_id=exchange.side("a").id) == "done"
        assert exchange.records(destination) == exchange.records(source)
        assert exchange.side("a").identities_differ
        assert exchange.side("b").identities_differ
        assert exchange.run().pairs == 0
        sound(exchange)

    def test_confirm_once_files_agree_copies_at_once(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], birth_date=date(2009, 2, 28), first_name="Lou")

        assert exchange.act(confirm, "b", side_id=exchange.side("b").id) == "done"

        assert not exchange.side("b").identities_differ
        sound(exchange)

    @pytest.mark.parametrize("school", ["a", "c"])
    def test_confirm_is_refused_to_other_roles(self, exchange: Exchange, pair: tuple[int, int], school: str) -> None:
        with pytest.raises(NotNow if school == "a" else NoSuchTransfer):
            exchange.act(confirm, school, side_id=exchange.side("a").id)
        with pytest.raises(NoSuchTransfer):
            exchange.act(confirm, school, side_id=exchange.side("b").id)

        assert exchange.records(pair[1]) == set()

    def test_confirm_waits_while_a_school_is_off(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.switch("a", on=False)

        with pytest.raises(TransfersOff, match=r"^L’autre établissement n’a pas activé"):
            exchange.act(confirm, "b", side_id=exchange.side("b").id)

        assert exchange.records(pair[1]) == set()

    def test_refuse_by_the_destination_school_with_a_reason(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        with pytest.raises(FieldErrors, match="raison"):
            exchange.act(refuse, "b", side_id=exchange.side("b").id, reason=" ")

        assert exchange.act(refuse, "b", side_id=exchange.side("b").id, reason="Un homonyme") == "refused"

        assert exchange.side("a").reason == "Un homonyme"
        exchange.set(pair[1], birth_date=date(2009, 2, 28), first_name="Lou")
        exchange.run()
        assert exchange.records(pair[1]) == set()
        sound(exchange)

    def test_ask_again_after_a_refusal(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        side_id = exchange.side("b").id
        exchange.act(refuse, "b", side_id=side_id, reason="Un homonyme")

        assert exchange.act(ask_again, "b", side_id=side_id) == "conflict"
        assert exchange.act(confirm, "b", side_id=side_id) == "agreement"
        assert exchange.act(agree, "a", side_id=exchange.side("a").id) == "done"
        sound(exchange)

    def test_conflict_is_decided_by_corrected_files(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], birth_date=date(2009, 2, 28), first_name="LOU")

        exchange.run("b")

        assert exchange.states("a") == exchange.states("b") == ["done"]
        assert exchange.records(pair[1]) == exchange.records(pair[0])

    def test_conflict_files_corrected_in_part_still_differ(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], birth_date=date(2009, 2, 28))

        exchange.run("b")

        assert exchange.states("a") == exchange.states("b") == ["conflict"]
        assert exchange.run().pairs == 0

    def test_conflict_vanishes_once_an_ine_is_corrected(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], ine=exchange.ine())

        exchange.run("b")

        assert exchange.sides("a") == exchange.sides("b") == []


class TestAgree:
    @pytest.fixture(params=[Origin.TABLE, Origin.HAND], ids=["by a table", "by hand"])
    def pair(self, exchange: Exchange, request: pytest.FixtureRequest) -> tuple[int, int]:
        pair = moved(exchange, came_by=request.param)
        exchange.run()
        return pair

    def test_agree_is_waited_for_before_anything_is_copied(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        assert exchange.records(pair[1]) == set()
        assert exchange.states("a") == exchange.states("b") == ["agreement"]
        with pytest.raises(NotNow):
            exchange.act(agree, "b", side_id=exchange.side("b").id)

        assert exchange.act(agree, "a", side_id=exchange.side("a").id) == "done"

        assert exchange.records(pair[1]) == exchange.records(pair[0])
        sound(exchange)

    def test_refuse_by_the_source_school_which_changes_its_mind(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        side_id = exchange.side("a").id
        exchange.act(refuse, "a", side_id=side_id, reason="Élève inconnu")
        with pytest.raises(NotNow):
            exchange.act(ask_again, "b", side_id=exchange.side("b").id)
        exchange.run()
        assert exchange.records(pair[1]) == set()

        assert exchange.act(agree, "a", side_id=side_id) == "done"
        sound(exchange)

    def test_agree_is_needless_once_a_file_of_siecle_comes(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], came_by=Origin.SIECLE)

        exchange.run("b")

        assert exchange.states("b") == ["done"]

    def test_agree_is_asked_for_after_a_conflict_is_confirmed(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        exchange.set(pair[1], birth_date=date(2010, 1, 1))
        exchange.run()

        assert exchange.act(confirm, "b", side_id=exchange.side("b").id) == "agreement"
        assert exchange.records(pair[1]) == set()
        assert exchange.act(agree, "a", side_id=exchange.side("a").id) == "done"
        sound(exchange)


class TestTwins:
    def test_twins_present_in_both_blocks_and_both_are_notified(self, exchange: Exchange) -> None:
        ine = exchange.ine()
        in_a = exchange.enrol("a", ine)
        exchange.fill("a", in_a)
        in_b = exchange.enrol("b", ine)

        exchange.run()

        assert exchange.records(in_b) == set()
        assert exchange.states("a") == exchange.states("b") == ["twins"]
        sound(exchange)

        exchange.depart(in_a)
        exchange.run("a")

        assert exchange.records(in_b) == exchange.records(in_a)
        assert exchange.states("a") == exchange.states("b") == ["done"]
        sound(exchange)

    def test_twins_the_one_who_left_may_be_either(self, exchange: Exchange) -> None:
        ine = exchange.ine()
        in_b, in_a = exchange.enrol("b", ine), exchange.enrol("a", ine)
        exchange.fill("a", in_a)
        exchange.run()
        exchange.depart(in_a)

        exchange.run("a")

        assert exchange.records(in_b) == exchange.records(in_a)
        sound(exchange)

    def test_twins_twice_in_one_school_blocks_what_comes_there(self, exchange: Exchange) -> None:
        source, destination = moved(exchange)
        with exchange.look() as session:
            from cpro.students.models import Student

            ine = session.get_one(Student, destination).ine
        second = exchange.enrol("b", ine)

        exchange.run()

        assert exchange.records(destination) == exchange.records(second) == set()
        assert sorted(exchange.states("b")) == ["blocked", "blocked", "twins", "twins"]
        assert exchange.states("a") == ["blocked", "blocked"]
        exchange.set(second, ine=None)

        exchange.run("b")

        assert exchange.records(destination) == exchange.records(source)
        assert exchange.states("b") == ["done"]
        sound(exchange)

    def test_twins_a_third_school_frees_the_two_others_by_its_import(self, exchange: Exchange) -> None:
        source, destination = moved(exchange)
        with exchange.look() as session:
            from cpro.students.models import Student

            ine = session.get_one(Student, destination).ine
        in_c = exchange.enrol("c", ine)
        exchange.run()
        assert exchange.records(destination) == exchange.records(in_c) == set()
        exchange.set(in_c, ine=exchange.ine())

        exchange.run("c")

        assert exchange.records(destination) == exchange.records(source)
        assert exchange.sides("c") == []
        sound(exchange)

    def test_twins_a_school_that_is_off_is_not_notified(self, exchange: Exchange) -> None:
        exchange.switch("b", on=False)
        ine = exchange.ine()
        exchange.enrol("a", ine)
        exchange.enrol("b", ine)

        exchange.run()

        assert exchange.sides("a") == exchange.sides("b") == []

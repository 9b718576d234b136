"""The destination school takes back what it received: its copies go, unless somebody evaluated upon them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.records.models import Evaluation, Fiche
from cpro.students.models import Student
from cpro.transfers.cancellation import cancel
from cpro.transfers.decisions import ask_again
from cpro.transfers.errors import EvaluatedUpon, NoSuchTransfer, NotNow
from cpro.transfers.lifecycle import Event, find_refusal
from tests.helpers.transfers import Exchange, check_complete, check_soundness


@pytest.fixture
def pair(exchange: Exchange) -> tuple[int, int]:
    """Return a pupil of "a" who left with records, and the same one in "b", where they arrived."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    destination = exchange.enrol("b", ine)
    exchange.run()
    return source, destination


def evaluate(exchange: Exchange, pair: tuple[int, int]) -> str:
    """Evaluate in "b" one of the fiches received; return its origin."""
    with exchange.look() as session:
        uid = session.scalars(select(Fiche.origin_uid).where(Fiche.student_id == pair[1]).order_by(Fiche.id)).first()
    assert uid
    exchange.add(exchange.evaluation("b", pair[1], fiche_uid=uid))
    return uid


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


def test_cancel_the_copies_go_and_the_source_school_keeps_its_own(exchange: Exchange, pair: tuple[int, int]) -> None:
    kept = exchange.records(pair[0])

    assert exchange.act(cancel, "b", side_id=exchange.side("b").id, reason="Erreur d’élève") == "cancelled"

    assert exchange.records(pair[1]) == set()
    assert exchange.records(pair[0]) == kept
    assert exchange.states("a") == exchange.states("b") == ["cancelled"]
    assert (exchange.side("a").reason, exchange.side("a").decided_by) == ("Erreur d’élève", "")
    with exchange.look() as session:
        recorded = session.execute(
            select(AuditEntry.establishment_id, AuditEntry.actor_label, AuditEntry.changes).where(
                AuditEntry.action == "transfer:cancelled"
            )
        ).all()
    assert [(school, label) for school, label, _changes in sorted(recorded)] == [
        (exchange.ids["a"], "Lycée beta (0999002X)"),
        (exchange.ids["b"], "Chef de b"),
    ]
    assert recorded[0].changes == {"fiches": [2, None], "bilans": [1, None], "evaluations": [2, None]}
    sound(exchange)


def test_cancel_is_not_followed_by_another_copy_unless_asked(exchange: Exchange, pair: tuple[int, int]) -> None:
    side_id = exchange.side("b").id
    exchange.act(cancel, "b", side_id=side_id)

    assert exchange.run().pairs == 0
    assert exchange.records(pair[1]) == set()

    assert exchange.act(ask_again, "b", side_id=side_id) == "done"
    assert exchange.records(pair[1]) == exchange.records(pair[0])
    assert exchange.side("b").reason == ""
    sound(exchange)


def test_cancel_for_thirty_days_and_by_the_destination_school_alone(exchange: Exchange, pair: tuple[int, int]) -> None:
    side = exchange.side("b")
    assert find_refusal(Event.CANCEL, side, now=exchange.now) is None
    for school, asked in (("a", exchange.side("a").id), ("a", side.id), ("c", side.id)):
        with pytest.raises(NotNow if asked != side.id else NoSuchTransfer):
            exchange.act(cancel, school, side_id=asked)
    exchange.now += timedelta(days=30) - timedelta(minutes=1)
    assert find_refusal(Event.CANCEL, side, now=exchange.now) is None
    exchange.now += timedelta(minutes=1)
    assert find_refusal(Event.CANCEL, side, now=exchange.now)

    with pytest.raises(NotNow, match="plus, possible"):
        exchange.act(cancel, "b", side_id=side.id)

    assert len(exchange.records(pair[1])) == 5


def test_cancel_not_twice(exchange: Exchange, pair: tuple[int, int]) -> None:
    side_id = exchange.side("b").id
    exchange.act(cancel, "b", side_id=side_id)

    with pytest.raises(NotNow):
        exchange.act(cancel, "b", side_id=side_id)


def test_cancel_stops_at_what_was_evaluated_upon_which_may_be_kept(exchange: Exchange, pair: tuple[int, int]) -> None:
    uid = evaluate(exchange, pair)
    side_id = exchange.side("b").id
    before = exchange.records(pair[1])

    with pytest.raises(EvaluatedUpon) as refusal:
        exchange.act(cancel, "b", side_id=side_id)
    assert refusal.value.count == 1
    assert exchange.records(pair[1]) == before

    assert exchange.act(cancel, "b", side_id=side_id, keep_evaluated=True) == "cancelled"

    with exchange.look() as session:
        (fiche,) = session.scalars(select(Fiche).where(Fiche.student_id == pair[1]))
        (mark,) = session.scalars(select(Evaluation).where(Evaluation.student_id == pair[1]))
    assert (fiche.origin_uid, fiche.received_in, fiche.origin_school) == (uid, None, "Lycée alpha (0999001W)")
    assert (mark.fiche_uid, mark.received_in) == (uid, None)
    sound(exchange)


def test_ask_again_leaves_what_was_kept_alone(exchange: Exchange, pair: tuple[int, int]) -> None:
    evaluate(exchange, pair)
    side_id = exchange.side("b").id
    exchange.act(cancel, "b", side_id=side_id, keep_evaluated=True)

    assert exchange.act(ask_again, "b", side_id=side_id) == "done"

    assert exchange.records(pair[1]) > exchange.records(pair[0])
    assert exchange.side("b").fiches == 1
    sound(exchange)


def test_cancel_leaves_a_fiche_that_another_reception_needs(exchange: Exchange, pair: tuple[int, int]) -> None:
    """B evaluated a fiche of A; C received both. Cancelling what came from A leaves B's évaluation its fiche."""
    uid = evaluate(exchange, pair)
    exchange.depart(pair[1])
    with exchange.look() as session:
        ine = session.get_one(Student, pair[1]).ine
    in_c = exchange.enrol("c", ine)
    exchange.run()
    from_a, from_b = sorted(exchange.sides("c"), key=lambda side: side.other_uai)

    exchange.act(cancel, "c", side_id=from_a.id)

    with exchange.look() as session:
        (fiche,) = session.scalars(select(Fiche).where(Fiche.student_id == in_c, Fiche.origin_uid == uid))
        assert fiche.received_in == from_b.id


def test_cancel_is_all_that_may_be_asked_of_one_that_is_over(exchange: Exchange, pair: tuple[int, int]) -> None:
    side_id = exchange.side("b").id
    exchange.depart(pair[1])
    exchange.run()

    with pytest.raises(NotNow):
        exchange.act(ask_again, "b", side_id=side_id)
    assert exchange.act(cancel, "b", side_id=side_id) == "cancelled"
    assert exchange.records(pair[1]) == set()


@pytest.mark.parametrize("since", ["another birth date", "present twice"])
def test_ask_again_leaves_what_was_copied_where_the_files_no_longer_agree(
    exchange: Exchange, pair: tuple[int, int], since: str
) -> None:
    with exchange.look() as session:
        ine = session.get_one(Student, pair[1]).ine
    if since == "present twice":
        exchange.enrol("c", ine)
    else:
        exchange.set(pair[1], birth_date=date(2010, 5, 6))

    with pytest.raises(NotNow, match="ne désignent plus le même élève"):
        exchange.act(ask_again, "b", side_id=exchange.side("b").id)

    assert exchange.states("b") == ["done"]
    exchange.set(pair[1], ine=exchange.ine())
    exchange.run()
    assert exchange.act(cancel, "b", side_id=exchange.side("b").id) == "cancelled"
    with exchange.look() as session:
        check_soundness(session)


def test_ask_again_forgets_the_first_of_two_schools_once_corrected(exchange: Exchange, pair: tuple[int, int]) -> None:
    side_id = exchange.side("b").id
    exchange.act(cancel, "b", side_id=side_id)
    exchange.set(pair[1], birth_date=date(2010, 5, 6))
    assert exchange.act(ask_again, "b", side_id=side_id) == "conflict"
    with exchange.look() as session:
        ine = session.get_one(Student, pair[1]).ine
    exchange.set(pair[1], ine=exchange.ine())

    exchange.run()

    assert exchange.sides("a") == exchange.sides("b") == []
    exchange.set(pair[1], ine=ine, birth_date=date(2009, 2, 28))
    exchange.run()
    assert exchange.states("a") == exchange.states("b") == ["done"]
    sound(exchange)

"""Between two schools of which one does not use SIECLE: offered, linked, accepted, refused, expired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask

from cpro.core.errors import FieldErrors
from cpro.core.jobs.handlers import get_handler
from cpro.transfers import queries
from cpro.transfers.cancellation import cancel
from cpro.transfers.decisions import ask_again, refuse
from cpro.transfers.errors import IdentityDiffers, NoSuchTransfer, NotNow, TransfersOff
from cpro.transfers.jobs import expire_offers
from cpro.transfers.models import TransferState
from cpro.transfers.offers import accept, offer, take_back
from tests.factories import TESTER
from tests.helpers.transfers import Exchange, check_complete, check_soundness

UAI_A, UAI_B = "0999001W", "0999002X"


@pytest.fixture
def pupil(exchange: Exchange) -> int:
    """Return a pupil without INE who left "a", which does not use SIECLE."""
    exchange.switch("a", on=True, siecle=False)
    source = exchange.enrol("a", None)
    exchange.fill("a", source)
    exchange.depart(source)
    return source


def offered(exchange: Exchange, pupil: int) -> int:
    """Offer a pupil to "b" and return b's side."""
    exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)
    return exchange.side("b").id


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


def test_accept_copies_what_was_offered(exchange: Exchange, pupil: int) -> None:
    destination = exchange.enrol("b", None)
    side_id = offered(exchange, pupil)
    side = exchange.side("b")
    assert (side.state, side.student_id, side.student_label) == (TransferState.OFFERED, None, "TOPAZE Lou")
    assert side.offered_birth_date == date(2009, 2, 28)
    assert exchange.records(destination) == set()

    assert exchange.act(accept, "b", side_id=side_id, student_id=destination) == "done"

    assert exchange.records(destination) == exchange.records(pupil)
    side = exchange.side("b")
    assert (side.student_id, side.offered_birth_date, side.expires_at) == (destination, None, None)
    assert exchange.run().pairs == 0
    sound(exchange)

    assert exchange.act(cancel, "b", side_id=side_id) == "cancelled"
    assert exchange.records(destination) == set()


def test_offer_notifies_heads(exchange: Exchange, pupil: int, mails: Callable[[], list[tuple[str, str]]]) -> None:
    offered(exchange, pupil)

    ((to, text),) = mails()
    assert to == "claude.basalte@beta.example"
    assert "1 élève parti de chez lui" in text
    assert "Topaze" not in text


@pytest.mark.parametrize(
    ("uai", "why"),
    [
        ("", "Indiquez le code UAI"),
        ("0999002Z", "lettre"),
        ("0590181B", "Aucun établissement"),
        (UAI_A, "celui de votre établissement"),
    ],
)
def test_offer_refuses_a_destination_that_cannot_be(exchange: Exchange, pupil: int, uai: str, why: str) -> None:
    with pytest.raises(FieldErrors, match=why) as refusal:
        exchange.act(offer, "a", student_ids=[pupil], uai=uai)

    assert "uai" in refusal.value.errors
    assert exchange.sides("a") == []


def test_offer_is_not_between_two_schools_with_siecle(exchange: Exchange, pupil: int) -> None:
    exchange.switch("a", on=True, siecle=True)
    with pytest.raises(FieldErrors, match="utilisent SIECLE"):
        exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)
    with exchange.at("a"):
        assert not queries.may_offer()

    exchange.switch("b", on=True, siecle=False)

    with exchange.at("a"):
        assert queries.may_offer()
    assert len(exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)) == 1


def test_offer_refused_unless_both_activated(exchange: Exchange, pupil: int) -> None:
    exchange.switch("b", on=False)
    with pytest.raises(FieldErrors, match="0999002X n’a pas activé"):
        exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)
    exchange.switch("b", on=True)
    exchange.switch("a", on=False, siecle=False)
    with pytest.raises(TransfersOff):
        exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)


def test_accept_refuses_once_a_school_is_off(exchange: Exchange, pupil: int) -> None:
    destination = exchange.enrol("b", None)
    side_id = offered(exchange, pupil)
    exchange.switch("a", on=False, siecle=False)

    with pytest.raises(TransfersOff, match="0999001W"):
        exchange.act(accept, "b", side_id=side_id, student_id=destination)

    assert exchange.records(destination) == set()


@pytest.mark.parametrize("who", ["present", "another school's", "nobody"])
def test_offer_takes_only_departed_pupils_of_ones_own(exchange: Exchange, pupil: int, who: str) -> None:
    wanted = {"present": lambda: exchange.enrol("a", None), "another school's": lambda: exchange.enrol("b", None)}
    ids = [pupil, wanted[who]()] if who in wanted else []

    with pytest.raises(FieldErrors) as refusal:
        exchange.act(offer, "a", student_ids=ids, uai=UAI_B)

    assert "students" in refusal.value.errors
    assert exchange.sides("a") == []


def test_offer_refuses_the_same_pupil_twice(exchange: Exchange, pupil: int) -> None:
    offered(exchange, pupil)

    with pytest.raises(FieldErrors, match="déjà proposé"):
        exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)


def test_accept_links_to_ones_own_present_pupil(exchange: Exchange, pupil: int) -> None:
    side_id = offered(exchange, pupil)
    gone = exchange.enrol("b", None, is_active=False)
    for student_id in (gone, exchange.enrol("c", None), pupil):
        with pytest.raises(FieldErrors):
            exchange.act(accept, "b", side_id=side_id, student_id=student_id)
    with pytest.raises(NoSuchTransfer):
        exchange.act(accept, "c", side_id=side_id, student_id=pupil)


def test_accept_a_pupil_described_otherwise_must_be_confirmed(exchange: Exchange, pupil: int) -> None:
    side_id = offered(exchange, pupil)
    destination = exchange.enrol("b", None, first_name="Noé")
    with pytest.raises(IdentityDiffers, match="le prénom diffère"):
        exchange.act(accept, "b", side_id=side_id, student_id=destination)

    assert exchange.act(accept, "b", side_id=side_id, student_id=destination, confirmed=True) == "done"
    assert exchange.records(destination) == exchange.records(pupil)


def test_accept_a_pupil_who_came_back_is_not_copied(exchange: Exchange, pupil: int) -> None:
    side_id, destination = offered(exchange, pupil), exchange.enrol("b", None)
    exchange.back(pupil)

    with pytest.raises(NotNow):
        exchange.act(accept, "b", side_id=side_id, student_id=destination)

    assert exchange.records(destination) == set()
    assert exchange.states("b") == ["offered"]


def test_take_back_or_refuse_forgets_the_name(exchange: Exchange, pupil: int) -> None:
    side_id = offered(exchange, pupil)
    assert exchange.act(refuse, "b", side_id=side_id, reason="Inconnu chez nous") == "refused"
    side = exchange.sides("b")[-1]
    assert ("Topaze" not in side.student_label + side.search_key, side.offered_birth_date) == (True, None)
    with pytest.raises(NotNow):
        exchange.act(ask_again, "b", side_id=side_id)  # of a pupil whom nobody designated: it is offered anew

    exchange.act(offer, "a", student_ids=[pupil], uai=UAI_B)
    assert exchange.act(take_back, "a", side_id=exchange.sides("a")[-1].id) == "cancelled"
    side = exchange.sides("b")[-1]
    assert ("topaze" not in side.student_label + side.search_key, side.offered_birth_date) == (True, None)


def test_expire_offers_after_sixty_days(app: Flask, exchange: Exchange, pupil: int) -> None:
    side_id, destination = offered(exchange, pupil), exchange.enrol("b", None)
    exchange.now += timedelta(days=60) - timedelta(minutes=1)
    with app.app_context():
        assert expire_offers(by=TESTER, now=exchange.now) == 0
    exchange.now += timedelta(minutes=1)
    with pytest.raises(NotNow, match="expiré"):
        exchange.act(accept, "b", side_id=side_id, student_id=destination)

    with app.app_context():
        assert expire_offers(by=TESTER, now=exchange.now) == 1

    assert exchange.states("a") == exchange.states("b") == ["expired"]
    assert exchange.side("b").offered_birth_date is None
    assert get_handler("transfers:nightly")

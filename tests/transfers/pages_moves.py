"""Transfers in each of their states, as files and actions make them: for the tests of the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import select

from cpro.core import clock
from cpro.students.models import Origin, Student
from cpro.transfers import cancellation, decisions, offers
from cpro.transfers.models import Transfer, TransferState
from tests.helpers.transfers import Exchange

FOLLOW_UP = "/admin/parametres/transferts/effectues"
#: The ends of the addresses that ask for an action on a transfer.
ACTIONS = ("confirmer", "accorder", "accepter", "refuser", "reprendre", "redemander", "annuler")


def move(exchange: Exchange, **destination: object) -> tuple[int, int]:
    """Make a pupil with records leave "a" for "b"; return both ids. Nothing is run."""
    exchange.now = clock.utcnow()
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    return source, exchange.enrol("b", ine, **destination)


def waiting_destination(exchange: Exchange) -> None:
    """Create a transfer that waits for "b" to activate: only "a" sees it."""
    move(exchange)
    exchange.switch("b", on=False)
    exchange.run()


def waiting_source(exchange: Exchange) -> None:
    """Create a transfer that waits for "a" to activate: only "b" sees it."""
    move(exchange)
    exchange.switch("a", on=False)
    exchange.run()


def twins(exchange: Exchange) -> None:
    """Create two present pupils of one INE."""
    exchange.now = clock.utcnow()
    ine = exchange.ine()
    for school in ("a", "b"):
        exchange.enrol(school, ine)
    exchange.run()


def blocked(exchange: Exchange) -> None:
    """Create a departed pupil whose INE is present twice elsewhere."""
    source, _destination = move(exchange)
    with exchange.look() as session:
        ine = session.get_one(Student, source).ine
    exchange.enrol("c", ine)
    exchange.run()


def conflict(exchange: Exchange) -> None:
    """Create a transfer whose birth dates disagree."""
    move(exchange, birth_date=date(2010, 5, 6))
    exchange.run()


def confirmed(exchange: Exchange) -> None:
    """Create a transfer whose birth dates disagree, which "b" confirmed: "a" must agree."""
    conflict(exchange)
    exchange.act(decisions.confirm, "b", side_id=exchange.sides("b")[-1].id)


def agreement(exchange: Exchange) -> None:
    """Create a transfer of a pupil imported from a table."""
    move(exchange, came_by=Origin.TABLE)
    exchange.run()


def offered(exchange: Exchange) -> None:
    """Create an offer of "a" to "b", which does not use SIECLE; "b" has a pupil of the same name."""
    exchange.now = clock.utcnow()
    exchange.switch("b", on=True, siecle=False)
    source = exchange.enrol("a", None)
    exchange.fill("a", source)
    exchange.depart(source)
    exchange.enrol("b", None)
    exchange.act(offers.offer, "a", student_ids=[source], uai="0999002X")


def done(exchange: Exchange) -> None:
    """Create a transfer that was made."""
    move(exchange)
    exchange.run()


def cancelled(exchange: Exchange) -> None:
    """Create a transfer that "b" cancelled."""
    done(exchange)
    exchange.act(cancellation.cancel, "b", side_id=exchange.sides("b")[-1].id, reason="Erreur de notre part")


def refused(exchange: Exchange) -> None:
    """Create a transfer that "b" refused."""
    conflict(exchange)
    exchange.act(decisions.refuse, "b", side_id=exchange.sides("b")[-1].id, reason="Ce n’est pas cet élève")


def refused_there(exchange: Exchange) -> None:
    """Create a transfer that "a" refused."""
    agreement(exchange)
    exchange.act(decisions.refuse, "a", side_id=exchange.sides("a")[-1].id, reason="Nous vérifions d’abord")


def taken_back(exchange: Exchange) -> None:
    """Create an offer that "a" took back."""
    offered(exchange)
    exchange.act(offers.take_back, "a", side_id=exchange.sides("a")[-1].id)


def expired(exchange: Exchange) -> None:
    """Create an offer that nobody answered in time."""
    offered(exchange)
    with exchange.write() as session:
        transfer = session.scalars(select(Transfer).order_by(Transfer.id.desc())).first()
        assert transfer
        offers.expire(session, transfer.id, by=exchange.head("a"), now=transfer.expires_at or exchange.now)


Arrange = Callable[[Exchange], None]
#: what arranges each state, the state, and the schools that see it
STATES: dict[str, tuple[Arrange, TransferState, str]] = {
    "waiting for the destination school": (waiting_destination, TransferState.WAITING_DESTINATION, "a"),
    "waiting for the source school": (waiting_source, TransferState.WAITING_SOURCE, "b"),
    "twins": (twins, TransferState.TWINS, "ab"),
    "blocked": (blocked, TransferState.BLOCKED, "ab"),
    "conflict": (conflict, TransferState.CONFLICT, "ab"),
    "agreement": (agreement, TransferState.AGREEMENT, "ab"),
    "offered": (offered, TransferState.OFFERED, "ab"),
    "done": (done, TransferState.DONE, "ab"),
    "cancelled": (cancelled, TransferState.CANCELLED, "ab"),
    "refused by the destination school": (refused, TransferState.REFUSED, "ab"),
    "refused by the source school": (refused_there, TransferState.REFUSED, "ab"),
    "taken back": (taken_back, TransferState.CANCELLED, "ab"),
    "expired": (expired, TransferState.EXPIRED, "ab"),
}

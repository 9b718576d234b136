"""The table of states and events: what it says is what operations, runs and pages do, in each state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.transfers_diagram import PAGE, draw
from cpro.core.errors import DomainError
from cpro.core.transactions import lock_schools
from cpro.establishments.models import Establishment
from cpro.students.models import Origin, Student
from cpro.transfers import cancellation, decisions, matching, offers, withdrawal
from cpro.transfers.errors import NotNow, TransfersOff
from cpro.transfers.lifecycle import TABLE, Event, find_arrow, find_refusal, list_open_events
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState
from cpro.transfers.pairs import Pair
from tests.factories import TESTER
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, STATES, done, offered

#: What people do to a transfer that exists, and the operation that does it.
OPERATIONS: dict[Event, Callable[..., TransferSide]] = {
    Event.CONFIRM: decisions.confirm,
    Event.AGREE: decisions.agree,
    Event.ACCEPT: lambda session, **each: offers.accept(
        session, student_id=_pupils(session, each["side_id"])[1].id, confirmed=True, **each
    ),
    Event.REFUSE: lambda session, **each: decisions.refuse(session, reason="Non", **each),
    Event.TAKE_BACK: offers.take_back,
    Event.CANCEL: cancellation.cancel,
    Event.ASK_AGAIN: decisions.ask_again,
}
#: What the files and the settings of the two schools say since, from a pupil who left "a" and came to "b" by SIECLE.
FILES: dict[str, dict[str, Any]] = {
    "the same pupil": {},
    "another birth date": {"birth_date": date(2010, 5, 6)},
    "came by a table": {"came_by": Origin.TABLE},
    "present twice": {"twice": True},
    "back in the source school": {"back": True},
    "another INE": {"ine": "9900009999Z"},
    "the source school switched off": {"off": ["source_id"]},
    "the destination school switched off": {"off": ["destination_id"]},
    "both switched off": {"off": ["source_id", "destination_id"]},
}
NOW, LATER, EXPIRED = timedelta(0), timedelta(days=31), timedelta(days=61)


def offer_refused(exchange: Exchange) -> None:
    """Create an offer that "b" refused."""
    offered(exchange)
    exchange.act(decisions.refuse, "b", side_id=exchange.sides("b")[-1].id, reason="Inconnu chez nous")


def over(exchange: Exchange) -> None:
    """Create a transfer that was made, of a pupil who left again since."""
    done(exchange)
    exchange.depart(exchange.side("b").student_id or 0)
    exchange.run()


CASES = {
    **STATES,
    "offer refused": (offer_refused, TransferState.REFUSED, "ab"),
    "over": (over, TransferState.DONE, "ab"),
}


class _Undone(Exception):
    """Give up what a trial did."""


@contextmanager
def undone(exchange: Exchange) -> Iterator[Session]:
    """Yield a platform session in a unit of work that is rolled back."""
    try:
        with exchange.write() as session:
            lock_schools(session, exchange.ids.values())
            yield session
            raise _Undone
    except _Undone:
        pass


def _pupils(session: Session, side_id: int) -> tuple[Student, Student]:
    """Return the two pupils of a transfer; of an offer, the pupil to link."""
    transfer = _transfer(session, side_id)
    here = (
        transfer.destination_student_id
        or session.scalars(
            select(Student.id).where(Student.establishment_id == transfer.destination_id, Student.last_name == "Topaze")
        ).one()
    )
    return session.get_one(Student, transfer.source_student_id), session.get_one(Student, here)


def _transfer(session: Session, side_id: int) -> Transfer:
    return session.get_one(Transfer, session.get_one(TransferSide, side_id).transfer_id)


def rewrite(session: Session, exchange: Exchange, side_id: int, third: int, say: dict[str, Any]) -> None:
    """Make the files of the schools say that a pupil left "a" for "b", but for what `say` says otherwise."""
    source, destination = _pupils(session, side_id)
    destination.ine = source.ine = source.ine or "9900008888A"
    destination.ine = say.get("ine") or destination.ine
    destination.is_active, destination.came_by = True, say.get("came_by", Origin.SIECLE)
    destination.birth_date = say.get("birth_date", source.birth_date)
    source.is_active = bool(say.get("back"))
    source.departed_on = None if say.get("back") else source.departed_on or date(2026, 7, 4)
    for other in session.scalars(select(Student).where(Student.ine == source.ine)):
        other.is_active = other.is_active and other.id in (source.id, destination.id)
    if say.get("twice"):
        twin = session.get_one(Student, third)
        twin.ine, twin.is_active = destination.ine, True
    transfer = _transfer(session, side_id)
    for school in ("source_id", "destination_id"):
        found = session.get_one(Establishment, getattr(transfer, school))
        found.transfers_enabled = school not in say.get("off", ())
    session.flush()


def tried(
    exchange: Exchange, event: Event, school: str, third: int, say: dict[str, Any] | None = None
) -> TransferState | DomainError:
    """Return the state to which an operation leads, or what refuses it; nothing is kept."""
    found: TransferState | DomainError
    with undone(exchange) as session:
        side_id = exchange.sides(school)[-1].id
        if say is not None:
            rewrite(session, exchange, side_id, third, say)
        try:
            found = OPERATIONS[event](
                session,
                establishment_id=exchange.ids[school],
                side_id=side_id,
                by=exchange.head(school),
                now=exchange.now,
            ).state
        except DomainError as refusal:
            found = refusal
    return found


@pytest.fixture(params=CASES)
def seers(request: pytest.FixtureRequest, exchange: Exchange) -> str:
    """Arrange a transfer in each state and return the schools that see it."""
    arrange, state, seers = CASES[request.param]
    arrange(exchange)
    assert exchange.sides(seers[0])[-1].state is state
    return seers


@pytest.fixture
def third(exchange: Exchange) -> int:
    """Return a pupil of a third school, who left it."""
    return exchange.enrol("c", None, is_active=False)


class TestArrows:
    def test_arrows_each_state_has_one_arrow_an_event_and_a_school(self) -> None:
        keys = [(each.event, each.by, each.before) for each in TABLE]

        assert len(keys) == len(set(keys))

    def test_arrows_each_state_is_reached_and_only_states_that_are_reached_are_left(self) -> None:
        reached = {state for each in TABLE for state in each.after}

        assert reached == {*TransferState, None}
        assert {each.before for each in TABLE} <= reached

    def test_arrows_the_drawing_in_the_docs_is_current(self) -> None:
        assert draw() == PAGE.read_text(), "run python -m bench.transfers_diagram"


class TestEvents:
    @pytest.mark.parametrize("later", [NOW, LATER, EXPIRED], ids=["at once", "31 days later", "61 days later"])
    def test_find_refusal_an_operation_refuses_what_the_table_refuses_in_its_words(
        self, exchange: Exchange, seers: str, third: int, later: timedelta
    ) -> None:
        exchange.now += later

        for school in seers:
            side = exchange.sides(school)[-1]
            offered = list_open_events(side, now=exchange.now)
            for event in OPERATIONS:
                sentence = find_refusal(event, side, now=exchange.now)
                assert (event in offered) == (sentence is None)
                if sentence is not None:
                    outcome = tried(exchange, event, school, third)
                    assert isinstance(outcome, NotNow), (event, school, outcome)
                    assert outcome.message == sentence

    def test_find_arrow_an_operation_leads_where_the_table_says_and_everywhere_it_says(
        self, exchange: Exchange, seers: str, third: int
    ) -> None:
        for school in seers:
            side = exchange.sides(school)[-1]
            for event in list_open_events(side, now=exchange.now):
                arrow = find_arrow(event, side)
                outcomes = {key: tried(exchange, event, school, third, say) for key, say in FILES.items()}
                assert arrow is not None
                assert {each for each in outcomes.values() if isinstance(each, TransferState)} == arrow.after, event
                for key, outcome in outcomes.items():
                    if TransferState.DONE in arrow.after and FILES[key].get("off"):  # nothing is copied then
                        assert isinstance(outcome, TransfersOff), (event, key, outcome)
                    elif not isinstance(outcome, TransferState):
                        assert isinstance(outcome, NotNow), (event, key, outcome)

    def test_find_arrow_a_run_leads_where_the_table_says_and_everywhere_it_says(
        self, exchange: Exchange, seers: str, third: int
    ) -> None:
        side = exchange.sides(seers[0])[-1]
        arrow = find_arrow(Event.RUN, side)
        reached: set[TransferState | None] = set()
        for say in FILES.values():
            with undone(exchange) as session:
                row = _transfer(session, side.id)
                if row.destination_student_id is None or not row.is_current:
                    continue  # an offer that is not linked, or what is over: no run looks for it
                pair = Pair(row.destination_id, row.destination_student_id, row.source_id, row.source_student_id)
                rewrite(session, exchange, side.id, third, say)
                (verdict,) = matching.judge(session, [pair], now=exchange.now)
                if not verdict.over:
                    reached.add(verdict.state)

        assert reached <= {side.state} if arrow is None else reached == arrow.after

    @pytest.mark.parametrize("later", [NOW, EXPIRED], ids=["at once", "61 days later"])
    @pytest.mark.parametrize("event", [Event.EXPIRE, Event.WITHDRAW])
    def test_find_arrow_the_platform_does_what_the_table_says(
        self, exchange: Exchange, seers: str, event: Event, later: timedelta
    ) -> None:
        exchange.now += later
        side = exchange.sides(seers[0])[-1]
        arrow = find_arrow(event, side)
        may_happen = find_refusal(event, side, now=exchange.now) is None
        operation = {Event.EXPIRE: offers.expire, Event.WITHDRAW: withdrawal.withdraw}[event]

        with exchange.write() as session:
            happened = operation(session, side.transfer_id, by=TESTER, now=exchange.now)

        assert happened == may_happen
        after = exchange.sides(seers[0])[-1].state
        assert {after} == (arrow.after if happened and arrow else {side.state})


class TestListOpenEvents:
    @pytest.mark.parametrize("late", [False, True], ids=["at once", "after the last day of an offer"])
    def test_list_open_events_a_page_offers_and_shows_an_event_exactly_when_the_table_does(
        self, as_: Callable[..., Browser], exchange: Exchange, seers: str, late: bool
    ) -> None:
        if late:
            with exchange.write() as session:
                for row in (*session.scalars(select(Transfer)), *session.scalars(select(TransferSide))):
                    row.expires_at = exchange.now - timedelta(minutes=1) if row.expires_at else None
        for school in seers:
            side = exchange.sides(school)[-1]
            browser = as_("head", school)
            where = f"{FOLLOW_UP}/{side.id}"
            links = {link.get("href") for link in Page(browser.get(where)).main.iter("a")}
            off = side.state in (TransferState.WAITING_SOURCE, TransferState.WAITING_DESTINATION)
            for event in OPERATIONS:
                sentence = find_refusal(event, side, now=exchange.now)
                answer = browser.get(f"{where}/{event.value}")
                assert (f"{where}/{event.value}" in links) == (sentence is None), event
                assert answer.status_code == (200 if sentence is None and not off else 409), event
                assert sentence is None or " ".join(sentence.split()) in " ".join(Page(answer).text.split())


def test_record_on_both_sides_directions_of_a_decision_are_those_of_the_two_schools() -> None:
    assert {each.by for each in TABLE} == {None, *Direction}

"""Names of old transfers: they go when the school's retention is over; dates, schools and figures stay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.core.jobs.operations import enqueue
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.students.queries import kept_since
from cpro.transfers.anonymisation import FORGOTTEN, forget_names, list_schools_to_forget
from cpro.transfers.cancellation import cancel
from cpro.transfers.models import TransferSide
from tests.factories import NOW, TESTER
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.transfers import Exchange, check_soundness
from tests.transfers.pages_moves import FOLLOW_UP

As = Callable[..., Browser]
#: The longest retention, after NOW, and a day.
LATER = NOW.replace(year=NOW.year + 3) + timedelta(days=1)


@pytest.fixture
def pair(exchange: Exchange) -> tuple[int, int]:
    """Return a pupil of "a" who left for "b" with records, which were copied long ago."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.set(source, is_active=False, departed_on=NOW.date() - timedelta(days=30))
    destination = exchange.enrol("b", ine)
    exchange.run()
    return source, destination


def night(exchange: Exchange, now: datetime) -> None:
    """Do what the night does."""
    with time_machine.travel(now, tick=True):
        with exchange.app.app_context(), platform_unit_of_work("test") as work:
            enqueue("transfers:forget", by=TESTER, now=now, session=work.session)
        Runner(exchange.app, threading.Event()).drain()


def lines(exchange: Exchange, school: str) -> list[AuditEntry]:
    """Return what the journal of a school tells of names forgotten."""
    with exchange.look() as session:
        mine = AuditEntry.establishment_id == exchange.ids[school]
        action = AuditEntry.action == "transfer:names-forgotten"
        return list(session.scalars(select(AuditEntry).where(mine, action)))


class TestForgetNames:
    @pytest.mark.parametrize("now", [NOW, NOW.replace(year=NOW.year + 3) - timedelta(days=1)])
    def test_forget_names_keeps_names_as_long_as_the_school_keeps_records(
        self, exchange: Exchange, pair: tuple[int, int], now: datetime
    ) -> None:
        night(exchange, now)

        assert exchange.side("a").student_label == exchange.side("b").student_label == "TOPAZE Lou"
        assert lines(exchange, "a") == lines(exchange, "b") == []

    def test_forget_names_forgets_those_gone_for_too_long_and_keeps_figures(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        before = exchange.side("a")

        night(exchange, LATER)

        after = exchange.side("a")
        assert (after.student_label, after.student_id, after.decided_by, after.reason) == (FORGOTTEN, None, "", "")
        assert "topaze" not in after.search_key
        assert (after.fiches, after.evaluations, after.bilans) == (before.fiches, before.evaluations, before.bilans)
        assert (after.other_uai, after.done_at, after.state) == (before.other_uai, before.done_at, before.state)
        assert [line.changes for line in lines(exchange, "a")] == [{"pupils": [None, 1]}]
        assert "Lou" not in str([line.object_label for line in lines(exchange, "a")])

    def test_forget_names_a_school_whose_pupil_is_still_there_keeps_the_name(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        night(exchange, LATER)

        assert exchange.side("b").student_label == "TOPAZE Lou"
        assert lines(exchange, "b") == []

    def test_forget_names_each_school_keeps_them_as_long_as_it_chose(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.depart(pair[1])
        with exchange.write() as session:
            session.get_one(Establishment, exchange.ids["b"]).retention_years = 1

        night(exchange, NOW.replace(year=NOW.year + 1) + timedelta(days=1))

        assert exchange.side("a").student_label == "TOPAZE Lou"
        assert exchange.side("b").student_label == FORGOTTEN

    def test_forget_names_overseas_the_day_is_that_of_the_school(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        departed_on = NOW.date()  # 22:00 of the same day three years later in Cayenne is the day after in Paris
        exchange.set(pair[0], departed_on=departed_on)
        with exchange.write() as session:
            session.get_one(Establishment, exchange.ids["a"]).timezone = "America/Cayenne"
        late = datetime(NOW.year + 3, NOW.month, NOW.day + 1, 1, tzinfo=UTC)

        night(exchange, late)
        assert exchange.side("a").student_label == "TOPAZE Lou"

        night(exchange, late + timedelta(hours=3))
        assert exchange.side("a").student_label == FORGOTTEN

    def test_forget_names_twice_records_nothing_more(self, exchange: Exchange, pair: tuple[int, int]) -> None:
        night(exchange, LATER)
        night(exchange, LATER)

        assert len(lines(exchange, "a")) == 1
        with exchange.app.app_context():
            assert list_schools_to_forget(LATER) == []
        with exchange.write() as session:
            assert forget_names(session, exchange.ids["a"], by=TESTER, now=LATER) == 0

    def test_forget_names_what_still_waits_keeps_its_name(self, exchange: Exchange) -> None:
        ine = exchange.ine()
        source = exchange.enrol("a", ine)
        exchange.set(source, is_active=False, departed_on=NOW.date())
        exchange.enrol("b", ine, birth_date=date(2010, 1, 1))
        exchange.run()

        night(exchange, LATER)

        assert exchange.side("a").student_label == "TOPAZE Lou"

    def test_forget_names_why_and_by_whom_it_was_cancelled_goes_with_the_name(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.act(cancel, "b", side_id=exchange.side("b").id, reason="Lou n’est pas venu")
        exchange.depart(pair[1])

        night(exchange, LATER)

        for school in "ab":
            side = exchange.side(school)
            assert (side.student_label, side.decided_by, side.reason) == (FORGOTTEN, "", "")
        with exchange.look() as session:
            check_soundness(session)

    def test_forget_names_a_transfer_whose_pupil_an_undone_import_took_away_is_forgotten_too(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        exchange.act(cancel, "b", side_id=exchange.side("b").id)
        with exchange.write() as session:
            session.get_one(TransferSide, exchange.side("b").id).student_id = None

        night(exchange, LATER)

        assert exchange.side("b").student_label == FORGOTTEN

    def test_forget_names_nothing_is_copied_anew_for_a_pair_that_was_forgotten(
        self, exchange: Exchange, pair: tuple[int, int]
    ) -> None:
        night(exchange, LATER)
        exchange.now = LATER

        assert exchange.run().pairs == 0


def test_forget_names_the_limit_is_that_of_the_records(exchange: Exchange, pair: tuple[int, int]) -> None:
    day = NOW.date()
    while kept_since(3, day) <= NOW.date():
        day += timedelta(days=1)

    night(exchange, datetime(day.year, day.month, day.day, 3, tzinfo=UTC) - timedelta(days=1))
    assert exchange.side("a").student_label == "TOPAZE Lou"
    night(exchange, datetime(day.year, day.month, day.day, 3, tzinfo=UTC))
    assert exchange.side("a").student_label == FORGOTTEN


def test_show_transfer_names_no_pupil_once_it_is_forgotten(as_: As, exchange: Exchange, pair: tuple[int, int]) -> None:
    long_ago = NOW.replace(year=NOW.year - 4)
    exchange.set(pair[0], departed_on=long_ago.date())
    with exchange.write() as session:
        session.get_one(TransferSide, exchange.side("a").id).changed_at = long_ago
    night(exchange, NOW)
    browser = as_("head", "a")

    for path in ("", f"/{exchange.side('a').id}", "?recherche=ancien"):
        page = Page(browser.get(FOLLOW_UP + path))
        assert "ancien élève" in page.text
        assert "TOPAZE" not in page.text
    assert browser.get(f"{FOLLOW_UP}/{exchange.side('a').id}/recepisse.pdf").status_code == 200

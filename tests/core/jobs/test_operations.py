"""The life of a job: asked for within an action, done in its school, ended once, described in French."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from cpro.core import clock, tenancy
from cpro.core.jobs import operations
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.errors import JobCancelled, JobLost, WorkerStopping
from cpro.core.jobs.housekeeping import beat, run_housekeeping
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.queries import find_last_beat
from cpro.core.jobs.runner import Runner
from cpro.core.locks import wait_at_most
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.students.models import Student
from tests.core.jobs.conftest import Shop
from tests.core.jobs.rehearsal import effect
from tests.factories import TESTER, World
from tests.helpers import database_clock
from tests.helpers.locks import locked_row

LATER = timedelta(hours=1)


def take(shop: Shop, *, late: timedelta = timedelta()) -> Any:
    """Take a job as a worker does, `late` ago."""
    with shop.app.app_context(), platform_unit_of_work("test") as work:
        return operations.take(work.session, host="test", now=clock.utcnow() - late)


def keep(shop: Shop) -> None:
    with shop.app.app_context():
        run_housekeeping()


def arrivals(shop: Shop, code: str) -> int:
    with shop.app.app_context(), tenancy.platform_session("test") as session:
        return session.scalar(select(func.count(Student.id)).where(Student.last_name == effect(code))) or 0


class TestEnqueue:
    def test_enqueue_an_action_that_is_undone_asks_for_nothing(self, shop: Shop) -> None:
        with shop.app.app_context(), pytest.raises(ZeroDivisionError), platform_unit_of_work("test") as work:
            operations.enqueue("rehearsal:report", by=TESTER, now=clock.utcnow(), session=work.session)
            raise ZeroDivisionError

        with shop.app.app_context(), tenancy.platform_session("test") as session:
            assert session.scalars(select(Job)).all() == []
        assert shop.app.extensions["cpro_jobs"].huey.pending_count() == 0

    def test_enqueue_a_committed_action_wakes_a_worker(self, shop: Shop) -> None:
        shop.ask("report")

        assert shop.app.extensions["cpro_jobs"].huey.pending_count() == 1

    def test_enqueue_a_queue_that_is_away_does_not_undo_the_action(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shop.app.extensions["cpro_jobs"], "wake", lambda: 1 / 0)

        job_id = shop.ask("report")

        assert shop.look(job_id).state == JobState.WAITING

    def test_enqueue_an_unknown_kind_is_refused(self, shop: Shop) -> None:
        with pytest.raises(LookupError, match="rehearsal:nobody"):
            shop.ask("nobody")

    def test_enqueue_a_school_asks_for_itself_only(self, shop: Shop, world: World) -> None:
        with shop.app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            with unit_of_work():
                job = operations.enqueue("rehearsal:report", by=TESTER, now=clock.utcnow(), establishment_id=world.b.id)
                assert job.establishment_id == world.a.id

    def test_enqueue_messages_are_not_pickles(self, shop: Shop) -> None:
        shop.ask("report")

        (message,) = shop.app.extensions["cpro_jobs"].huey.storage.enqueued_items()
        assert bytes(message).startswith(b'["')


class TestRunner:
    def test_runner_in_its_school_for_the_actor_who_asked(self, shop: Shop, world: World) -> None:
        job_id = shop.ask("report", "b", file="élèves.xml")

        shop.work()

        job = shop.look(job_id)
        assert job.state == JobState.DONE
        assert job.result == {"file": "élèves.xml", "actor": "Test", "schools": [world.b.id]}
        assert (job.attempts, job.worker, job.lease_until) == (1, None, None)

    def test_runner_a_job_of_the_platform_has_no_school(self, shop: Shop) -> None:
        job_id = shop.ask("report", None)

        shop.work()

        assert shop.look(job_id).result == {"actor": "Test", "schools": []}

    def test_runner_the_effect_and_the_end_are_one_commit(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")

        shop.work()

        assert (arrivals(shop, "x"), shop.look(job_id).state) == (1, JobState.DONE)

    def test_runner_the_oldest_first(self, shop: Shop) -> None:
        first, second = shop.ask("report"), shop.ask("report", "b")

        assert (take(shop).id, take(shop).id, take(shop)) == (first, second, None)

    def test_runner_a_refusal_is_reported_in_its_own_words(self, shop: Shop) -> None:
        job_id = shop.ask("refuse")

        shop.work()

        job = shop.look(job_id)
        assert (job.state, job.error) == (JobState.FAILED, "Le fichier ne contient aucun élève.")

    def test_runner_a_defect_is_logged_and_reported_in_neutral_words(
        self, shop: Shop, caplog: pytest.LogCaptureFixture
    ) -> None:
        job_id = shop.ask("crash")

        with caplog.at_level(logging.ERROR):
            shop.work()

        job = shop.look(job_id)
        assert job.state == JobState.FAILED
        assert job.error.startswith("Une erreur inattendue")
        assert "secret" not in job.error
        assert "a secret nobody should read" in caplog.text

    def test_runner_a_wrong_statement_is_a_defect_and_not_tried_again(self, shop: Shop) -> None:
        job_id = shop.ask("misread")

        shop.work()

        assert shop.look(job_id).state == JobState.FAILED

    def test_runner_a_failure_does_not_stop_the_others(self, shop: Shop) -> None:
        shop.ask("crash")
        job_id = shop.ask("report")

        shop.work()

        assert shop.look(job_id).state == JobState.DONE


class TestJobContext:
    def test_job_context_it_is_kept_and_renews_the_lease(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")
        taken = take(shop, late=LATER)

        with shop.app.app_context():
            JobContext(taken, shop.stopping).progress(3, 3, "Rapprochement des élèves")

        job = shop.look(job_id)
        assert (job.progress_done, job.progress_total, job.progress_message) == (3, 3, "Rapprochement des élèves")
        assert job.lease_until and job.lease_until > clock.utcnow()

    def test_job_context_it_is_written_once_a_second_at_most(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")
        taken = take(shop)

        with shop.app.app_context():
            context = JobContext(taken, shop.stopping)
            for step in range(1000):
                context.progress(step, 2000)

        assert shop.look(job_id).progress_total == 0

    def test_job_context_a_busy_database_is_no_reason_to_stop(
        self, shop: Shop, database: str, admin_engine: Engine | None
    ) -> None:
        job_id = shop.ask("arrive", code="x")
        taken = take(shop, late=LATER)

        with locked_row(database, admin_engine, f"job WHERE id = {job_id}"), shop.app.app_context(), wait_at_most(0):
            JobContext(taken, shop.stopping).progress(3, 3)

        assert shop.look(job_id).progress_total == 0

    def test_job_context_it_is_refused_inside_a_transaction(self, shop: Shop, world: World) -> None:
        shop.ask("arrive", code="x")
        taken = take(shop)

        with shop.app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            context = JobContext(taken, shop.stopping)
            with pytest.raises(RuntimeError, match="between two transactions"), context.unit_of_work():
                context.progress(1, 2)

    def test_job_context_a_stopping_worker_ends_the_handler_there(self, shop: Shop) -> None:
        shop.ask("last")
        taken = take(shop)
        shop.stopping.set()

        with shop.app.app_context(), pytest.raises(WorkerStopping):
            JobContext(taken, shop.stopping).heartbeat()


class TestCancel:
    def _cancel(self, shop: Shop, job_id: int) -> None:
        with shop.app.app_context(), platform_unit_of_work("test") as work:
            operations.cancel(work.session.get_one(Job, job_id), now=clock.utcnow())

    def test_cancel_a_waiting_job_is_never_done(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")
        self._cancel(shop, job_id)

        shop.work()

        assert (shop.look(job_id).state, arrivals(shop, "x")) == (JobState.CANCELLED, 0)

    def test_cancel_a_running_job_learns_it_and_its_effect_is_refused(self, shop: Shop, world: World) -> None:
        job_id = shop.ask("arrive", code="x")
        taken = take(shop)
        self._cancel(shop, job_id)

        with shop.app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            context = JobContext(taken, shop.stopping)
            with pytest.raises(JobCancelled):
                context.progress(1, 1)
            with pytest.raises(JobCancelled), context.unit_of_work() as work:
                context.finish_within(work.session)

        shop.change(job_id, state=JobState.WAITING, worker=None, lease_until=None)
        shop.work()
        assert (shop.look(job_id).state, arrivals(shop, "x")) == (JobState.CANCELLED, 0)

    def test_cancel_a_finished_job_stays_as_it_ended(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        shop.work()

        self._cancel(shop, job_id)

        assert shop.look(job_id).state == JobState.DONE


class TestTakeBackExpired:
    def test_take_back_expired_the_job_comes_back_and_is_done(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")
        take(shop, late=LATER)

        shop.work()
        assert shop.look(job_id).state == JobState.RUNNING, "its worker might be alive"
        keep(shop)
        shop.work()

        job = shop.look(job_id)
        assert (job.state, job.attempts, arrivals(shop, "x")) == (JobState.DONE, 2, 1)

    def test_take_back_expired_a_job_that_kills_its_workers_is_given_up(self, shop: Shop) -> None:
        job_id = shop.ask("last")
        for _ in range(3):
            take(shop, late=LATER)
            keep(shop)

        job = shop.look(job_id)
        assert (job.state, job.attempts) == (JobState.FAILED, 3)
        assert "abandonné" in job.error

    def test_take_back_expired_the_worker_given_up_can_write_nothing_any_more(self, shop: Shop, world: World) -> None:
        job_id = shop.ask("arrive", code="x")
        stale = take(shop, late=LATER)
        keep(shop)
        current = take(shop)

        with shop.app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            context = JobContext(stale, shop.stopping)
            with pytest.raises(JobLost), context.unit_of_work() as work:
                context.finish_within(work.session)
            with pytest.raises(JobLost):
                context.progress(1, 1)
            with pytest.raises(JobLost), platform_unit_of_work("test") as work:
                operations.hand_back(work.session, stale)
        assert shop.look(job_id).worker == current.worker


class TestLeasesOfTwoHosts:
    """The database's clock judges: SQLite has one host, whose clock is its own."""

    @pytest.fixture(autouse=True)
    def _postgresql(self, app: Flask) -> Iterator[None]:
        if not app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
            pytest.skip("a SQLite database has one host")
        with database_clock.stays_behind():
            yield

    def test_leases_a_host_that_is_ahead_takes_no_running_job(self, shop: Shop) -> None:
        job_id = shop.ask("arrive", code="x")
        assert Runner(shop.app, shop.stopping)._take()

        with time_machine.travel(clock.utcnow() + timedelta(minutes=10)):
            keep(shop)

        assert shop.look(job_id).state == JobState.RUNNING

    def test_leases_of_a_host_that_is_behind_are_as_long_as_others(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        with time_machine.travel(clock.utcnow() - timedelta(hours=1)):
            taken = Runner(shop.app, shop.stopping)._take()
            assert taken
            with shop.app.app_context():
                JobContext(taken, shop.stopping).progress(1, 1)
                beat("behind")

        keep(shop)

        assert shop.look(job_id).state == JobState.RUNNING
        with shop.app.app_context(), tenancy.platform_session("test") as session:
            seen_at = find_last_beat(session)
        assert seen_at and abs(clock.utcnow() - seen_at) < timedelta(minutes=1)


class TestTakeExclusive:
    def test_take_one_at_a_time_in_a_school_and_schools_do_not_wait_for_each_other(self, shop: Shop) -> None:
        first, _second, elsewhere = shop.ask("last"), shop.ask("last"), shop.ask("last", "b")

        assert [take(shop).id, take(shop).id] == [first, elsewhere]
        assert take(shop) is None

    def test_take_the_database_refuses_two(self, shop: Shop) -> None:
        first, second = shop.ask("last"), shop.ask("last")
        shop.change(first, state=JobState.RUNNING)

        with pytest.raises(IntegrityError):
            shop.change(second, state=JobState.RUNNING)

    def test_take_the_platform_counts_as_one(self, shop: Shop) -> None:
        shop.ask("last", None)
        shop.ask("last", None)

        assert take(shop) is not None
        assert take(shop) is None

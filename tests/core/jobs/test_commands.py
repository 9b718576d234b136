"""The command line of jobs: looked at, put back, given up, and the nightly tasks by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from cpro.core import clock
from cpro.core.commands import COMMAND_LINE
from cpro.core.jobs import operations
from cpro.core.jobs.handlers import list_periodic
from cpro.core.jobs.models import Job, JobState
from cpro.core.tenancy import platform_session
from cpro.core.transactions import platform_unit_of_work
from tests.factories import World

TASKS = ("records expire", "transfers forget", "imports sweep", "passport sweep", "jobs purge")


@pytest.fixture
def run(app: Flask, world: World) -> Callable[..., Result]:
    """Return `flask --app app …`."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


def add_job(app: Flask, state: JobState) -> int:
    """Write a job that stands so, and return its number."""
    with app.app_context(), platform_unit_of_work("test: a job") as work:
        job = operations.enqueue("jobs:purge", by=COMMAND_LINE, now=clock.utcnow(), session=work.session)
        job.state, job.error = state, "La base n’a pas répondu." if state is JobState.FAILED else ""
        return job.id


def state_of(app: Flask, number: int) -> JobState:
    """Return how a job stands."""
    with app.app_context(), platform_session("test") as session:
        return session.get_one(Job, number).state


class TestTasks:
    @pytest.mark.parametrize("words", TASKS)
    def test_tasks_are_done_here_and_say_what_they_did(
        self, app: Flask, run: Callable[..., Result], words: str
    ) -> None:
        result = run(*words.split())

        assert result.exit_code == 0, result.output
        assert result.stdout.strip().endswith(".")
        with app.app_context(), platform_session("test") as session:
            [job] = session.scalars(select(Job)).all()
            assert (job.state, job.actor) == (JobState.DONE, COMMAND_LINE)


class TestRun:
    def test_run_does_each_periodic_kind(self, app: Flask, run: Callable[..., Result]) -> None:
        for number, handler in enumerate(list_periodic(), 1):
            result = run("jobs", "run", handler.kind)

            assert result.exit_code == 0, f"{handler.kind}: {result.output}"
            assert result.stdout.strip().endswith(".")
            assert state_of(app, number) is JobState.DONE

    @pytest.mark.parametrize("kind", ["imports:apply", "nothing:known", ""])
    def test_run_refuses_what_is_not_periodic_and_says_what_is(self, run: Callable[..., Result], kind: str) -> None:
        result = run("jobs", "run", kind)

        assert result.exit_code == 1
        assert f"«\u202f{kind}\u202f» n’est pas une tâche périodique" in result.stderr
        assert all(handler.kind in result.stderr for handler in list_periodic())


class TestJobs:
    def test_jobs_are_listed_with_why_they_failed(self, app: Flask, run: Callable[..., Result]) -> None:
        add_job(app, JobState.FAILED)
        add_job(app, JobState.WAITING)

        everything, failed = run("jobs", "list"), run("jobs", "list", "--state", "failed")

        assert len(everything.stdout.splitlines()) == 3
        assert "La base n’a pas répondu." in failed.stdout
        assert len(failed.stdout.splitlines()) == 2

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_jobs_what_ended_badly_is_put_back(self, app: Flask, run: Callable[..., Result], state: JobState) -> None:
        number = add_job(app, state)

        result = run("jobs", "retry", str(number))

        assert result.exit_code == 0, result.output
        assert state_of(app, number) is JobState.WAITING

    @pytest.mark.parametrize("state", [JobState.WAITING, JobState.RUNNING, JobState.DONE])
    def test_jobs_nothing_else_is_put_back(self, app: Flask, run: Callable[..., Result], state: JobState) -> None:
        number = add_job(app, state)

        result = run("jobs", "retry", str(number))

        assert result.exit_code == 1
        assert "ne peut pas être repris" in result.stderr
        assert state_of(app, number) is state

    def test_jobs_one_that_waits_is_given_up_at_once(self, app: Flask, run: Callable[..., Result]) -> None:
        number = add_job(app, JobState.WAITING)

        result = run("jobs", "cancel", str(number))

        assert result.exit_code == 0, result.output
        assert state_of(app, number) is JobState.CANCELLED

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
    def test_jobs_one_that_is_over_is_not_given_up(
        self, app: Flask, run: Callable[..., Result], state: JobState
    ) -> None:
        number = add_job(app, state)

        result = run("jobs", "cancel", str(number))

        assert result.exit_code == 1
        assert state_of(app, number) is state

    @pytest.mark.parametrize("words", ["jobs retry 999", "jobs cancel 999"])
    def test_jobs_an_unknown_number_is_refused_in_a_sentence(self, run: Callable[..., Result], words: str) -> None:
        result = run(*words.split())

        assert result.exit_code == 1
        assert result.stderr.strip().endswith("Aucun traitement ne porte le numéro 999.")

"""What is said of a job whose worker was killed, before and after its lease tells so."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from cpro.core import clock
from cpro.core.jobs import operations
from cpro.core.jobs.interruptions import SILENT_AFTER, describe_interruption
from cpro.core.transactions import platform_unit_of_work
from tests.core.jobs.conftest import Shop

LEASE = timedelta(minutes=3)


def taken(shop: Shop) -> int:
    """Have a worker take a job, and never be heard of again."""
    job_id = shop.ask("report")
    with shop.app.app_context(), platform_unit_of_work("test") as work:
        assert operations.take(work.session, host="test", now=clock.utcnow())
    return job_id


def sentence_on(shop: Shop, job_id: int, after: timedelta) -> str:
    return describe_interruption(shop.look(job_id), clock.utcnow() + after)


class TestDescribeInterruption:
    @pytest.mark.parametrize("after", [timedelta(), SILENT_AFTER - timedelta(seconds=5)])
    def test_describe_interruption_nothing_while_the_worker_gives_signs(self, shop: Shop, after: timedelta) -> None:
        assert sentence_on(shop, taken(shop), after) == ""

    def test_describe_interruption_nothing_of_a_queued_job(self, shop: Shop) -> None:
        assert sentence_on(shop, shop.ask("report"), timedelta(hours=1)) == ""

    def test_describe_interruption_nothing_of_a_job_that_is_over(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        shop.work()

        assert sentence_on(shop, job_id, timedelta(hours=1)) == ""

    @pytest.mark.parametrize(
        ("after", "silence", "wait"),
        [
            (timedelta(seconds=45), "45 secondes", "4 minutes"),
            (timedelta(seconds=109), "2 minutes", "3 minutes"),
            (timedelta(seconds=125), "2 minutes", "2 minutes"),
            (LEASE + timedelta(seconds=30), "4 minutes", "1 minute."),
        ],
    )
    def test_describe_interruption_since_when_it_is_silent_and_when_it_comes_back(
        self, shop: Shop, after: timedelta, silence: str, wait: str
    ) -> None:
        with time_machine.travel(clock.utcnow(), tick=False):
            sentence = sentence_on(shop, taken(shop), after)

        assert f"Aucun signe de vie depuis {silence}" in sentence
        assert f"il reprendra de lui-même d’ici {wait}" in sentence
        assert "Rien n’est perdu" in sentence

    def test_describe_interruption_that_no_worker_is_there_once_it_should_have_come_back(self, shop: Shop) -> None:
        sentence = sentence_on(shop, taken(shop), LEASE + timedelta(minutes=5))

        assert "dès que le service des traitements sera de nouveau en marche" in sentence
        assert "d’ici" not in sentence

    def test_describe_interruption_that_it_is_about_to_come_back(self, shop: Shop) -> None:
        job_id = taken(shop)
        with shop.app.app_context(), platform_unit_of_work("test") as work:
            operations.take_back_expired(work.session, now=clock.utcnow() + LEASE + timedelta(seconds=1))

        assert "il va reprendre de lui-même" in sentence_on(shop, job_id, timedelta())

    def test_describe_interruption_nothing_of_a_job_handed_back_by_a_worker_that_stops(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        with shop.app.app_context(), platform_unit_of_work("test") as work:
            job = operations.take(work.session, host="test", now=clock.utcnow())
            assert job
            operations.hand_back(work.session, job)

        assert sentence_on(shop, job_id, timedelta(hours=1)) == ""

"""What is said of a job that nobody has begun: no worker, another job of the school, a queue, a moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpro.core import clock
from cpro.core.jobs import operations, waits
from cpro.core.jobs.models import JobState
from cpro.core.transactions import platform_unit_of_work
from tests.core.jobs.conftest import Shop
from tests.helpers.browser import Browser
from tests.helpers.pages import Page


def sentence_on(shop: Shop, job_id: int) -> str:
    with shop.app.app_context():
        return waits.describe_wait(shop.look(job_id), clock.utcnow()).replace("\u202f", " ")


def see_worker(shop: Shop, name: str = "w", ago: timedelta = timedelta()) -> None:
    with shop.app.app_context(), platform_unit_of_work("test") as work:
        operations.record_beat(work.session, name, now=clock.utcnow() - ago)


def take(shop: Shop) -> None:
    with shop.app.app_context(), platform_unit_of_work("test") as work:
        assert operations.take(work.session, host="test", now=clock.utcnow())


class TestDescribeWait:
    def test_describe_wait_that_no_worker_ever_was_there(self, shop: Shop) -> None:
        sentence = sentence_on(shop, shop.ask("report"))

        assert sentence.startswith("Aucun service de traitement n’est en marche : le traitement commencera dès")

    def test_describe_wait_since_when_every_worker_is_gone(self, shop: Shop) -> None:
        see_worker(shop, ago=timedelta(minutes=10, seconds=5))

        assert "n’est en marche depuis 10 minutes :" in sentence_on(shop, shop.ask("report"))

    def test_describe_wait_another_job_of_the_school_that_excludes_it(self, shop: Shop) -> None:
        see_worker(shop)
        shop.ask("last")
        take(shop)

        assert sentence_on(shop, shop.ask("last")) == (
            "Un autre traitement de votre établissement est en cours (« Répétition ») : celui-ci commencera quand il "
            "sera terminé."
        )
        assert "va commencer" not in sentence_on(shop, shop.ask("last", "b")), "the only worker is busy"
        assert "Un autre traitement de" not in sentence_on(shop, shop.ask("last", "b"))

    @pytest.mark.parametrize(("ahead", "told"), [(1, "1 traitement demandé avant celui-ci passe d’abord"), (2, "2 tr")])
    def test_describe_wait_those_before_it_of_any_school(self, shop: Shop, ahead: int, told: str) -> None:
        see_worker(shop)
        for _ in range(ahead):
            shop.ask("report", "b")

        assert sentence_on(shop, shop.ask("report")).startswith(told)

    def test_describe_wait_a_busy_server(self, shop: Shop) -> None:
        see_worker(shop)
        shop.ask("report", "b")
        take(shop)

        assert sentence_on(shop, shop.ask("report")).startswith("Le serveur est occupé par un autre traitement")

    def test_describe_wait_a_moment_where_a_worker_is_free(self, shop: Shop) -> None:
        see_worker(shop)

        assert sentence_on(shop, shop.ask("report")) == "Le traitement va commencer dans quelques secondes."

    def test_describe_wait_until_when_a_job_was_put_off(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        shop.change(job_id, not_before=clock.utcnow() + timedelta(minutes=15, seconds=10))

        assert sentence_on(shop, job_id) == "Le traitement reprendra dans 15 minutes."


class TestPageOfJob:
    def test_page_says_it_while_the_job_waits_and_no_longer(self, shop: Shop) -> None:
        job_id = shop.ask("report")
        browser = Browser(shop.app).sign_in_as(shop.world, "head")

        assert "Aucun service de traitement" in Page(browser.get(f"/admin/travaux/{job_id}")).text
        shop.work()

        assert shop.look(job_id).state is JobState.DONE
        assert "Aucun service de traitement" not in Page(browser.get(f"/admin/travaux/{job_id}")).text

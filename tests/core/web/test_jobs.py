"""The page of progress: one's own school's, in every state, without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpro.core.jobs.models import JobState
from tests.core.jobs.conftest import Shop
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]


def page(job_id: int) -> str:
    return f"/admin/travaux/{job_id}"


class TestShowJobAccess:
    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_show_job_a_role_without_the_right_is_refused(self, shop: Shop, as_: As, role: str) -> None:
        assert as_(role).get(page(shop.ask("report"))).status_code == 403

    def test_show_job_the_support_is_refused(self, shop: Shop, as_: As) -> None:
        assert as_("support", enter="a").get(page(shop.ask("report"))).status_code == 403

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_show_job_another_schools_job_does_not_exist_nor_the_platforms(
        self, shop: Shop, as_: As, role: str
    ) -> None:
        browser = as_(role)

        assert browser.get(page(shop.ask("report", "b"))).status_code == 404
        assert browser.get(page(shop.ask("report", None))).status_code == 404
        assert browser.get(page(99999)).status_code == 404

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_show_job_ones_own_is_shown(self, shop: Shop, as_: As, role: str) -> None:
        assert as_(role).get(page(shop.ask("report"))).status_code == 200


class TestShowJobWayBack:
    BACK = "/admin/eleves/?q=quartz"

    def test_show_job_leads_back_once_it_is_finished(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("report")
        browser, address = as_("administrator"), f"{page(job_id)}?retour=/admin/eleves/?q%3Dquartz"

        waiting = Page(browser.get(address))
        assert self.BACK not in waiting.links
        assert any(link.startswith(f"{page(job_id)}?retour=") for link in waiting.links), "« Actualiser » keeps it"
        shop.change(job_id, state=JobState.DONE)

        assert self.BACK in Page(browser.get(address)).links

    @pytest.mark.parametrize("elsewhere", ["https://ailleurs.example/", "//ailleurs.example", "javascript:alert(1)"])
    def test_show_job_leads_nowhere_else(self, shop: Shop, as_: As, elsewhere: str) -> None:
        job_id = shop.ask("report")
        shop.change(job_id, state=JobState.DONE)

        assert elsewhere not in Page(as_("administrator").get(f"{page(job_id)}?retour={elsewhere}")).links


class TestShowJobStates:
    def test_show_job_waiting(self, shop: Shop, as_: As) -> None:
        text = as_("administrator").get(page(shop.ask("report"))).text

        assert "En attente" in text
        assert "Actualiser" in text
        assert "data-running" in text
        assert "http-equiv" not in text

    def test_show_job_running_with_figures_then_reloaded(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("report")
        browser = as_("administrator")
        running = {"state": JobState.RUNNING, "worker": "w", "progress_message": "Lecture du fichier"}

        shop.change(job_id, **running)
        shown = " ".join(browser.get(page(job_id)).text.split())
        assert '<progress class="job-bar" aria-labelledby' in shown
        for done in (250, 1250):
            shop.change(job_id, progress_done=done, progress_total=2000)
            text = browser.get(page(job_id)).text
            assert f'max="2000" value="{done}"' in text
        assert "Lecture du fichier" in text
        assert "1\u202f250 sur 2\u202f000" in text
        assert "data-running" in text

    def test_show_job_done_leads_to_the_report(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("report")
        shop.work()

        text = as_("administrator").get(page(job_id)).text

        assert "Terminé" in text
        assert '<a class="btn btn-primary" href="/admin/">Lire le compte rendu</a>' in text
        assert "Actualiser" not in text
        assert "data-running" not in text

    def test_show_job_failed_says_why(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("refuse")
        shop.work()

        assert "Le fichier ne contient aucun élève." in as_("head").get(page(job_id)).text

    def test_show_job_cancelled(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("report")
        shop.change(job_id, state=JobState.CANCELLED)

        assert "a été annulé" in as_("head").get(page(job_id)).text

    def test_show_job_a_kind_of_another_version_is_shown_all_the_same(self, shop: Shop, as_: As) -> None:
        job_id = shop.ask("report")
        shop.change(job_id, kind="yesterday:gone", state=JobState.DONE)

        assert as_("administrator").get(page(job_id)).status_code == 200

"""What the pages say when the work is interrupted, or fails: where it stands, why, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.core.jobs import operations
from cpro.core.jobs.handlers import ATTEMPTS
from cpro.core.jobs.models import Job
from cpro.core.transactions import platform_unit_of_work
from cpro.imports.models import RunState
from cpro.imports.runs import deposits
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, ONE, analyse, drain, job_page, kept_files
from tests.helpers.imports import Desk
from tests.helpers.pages import Page
from tests.helpers.siecle import students_xml

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
HISTORY = "/admin/imports/historique/"
pytestmark = pytest.mark.usefixtures("october")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every deposit be a large one."""
    monkeypatch.setattr(deposits, "AT_ONCE_SIZE", 100)


def take(app: Flask) -> None:
    """Have a worker take the job that waits, and be killed."""
    with app.app_context(), platform_unit_of_work("test") as work:
        assert operations.take(work.session, host="test", now=clock.utcnow())


class TestShowImportInterrupted:
    def test_show_import_interrupted_says_so_and_that_it_comes_back(
        self, app: Flask, as_: As, october: time_machine.Traveller, desk: Desk
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        browser.post(f"{address}/appliquer", browser.form(address))
        progress = job_page(desk)
        take(app)
        for page in (address, progress):
            assert "Aucun signe" not in Page(browser.get(page)).text

        october.shift(timedelta(seconds=50))

        for page in (address, progress):
            text = Page(browser.get(page)).text
            assert re.search("Aucun signe de vie depuis (5. secondes|1 minute) : le traitement semble interrompu", text)
            assert "il reprendra de lui-même d’ici 4 minutes" in text
            assert "Rien n’est perdu, et rien ne reste écrit à moitié" in text
        october.shift(timedelta(minutes=4))
        with app.app_context(), platform_unit_of_work("test") as work:
            operations.take_back_expired(work.session, now=clock.utcnow())
        assert "il va reprendre de lui-même" in Page(browser.get(address)).text
        drain(app)
        assert "Aucun signe" not in Page(browser.get(address)).text
        assert list(desk.students()) == ["1"]

    def test_show_import_interrupted_a_large_analysis_says_so_too(
        self, app: Flask, as_: As, october: time_machine.Traveller, large: None
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        take(app)

        october.shift(timedelta(seconds=50))

        assert "le traitement semble interrompu" in Page(browser.get(address)).text

    def test_show_import_killed_too_often_says_why_and_how_to_go_on(
        self, app: Flask, as_: As, arrange: Look, large: None
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        take(app)
        with arrange() as session:
            session.query(Job).update({"attempts": ATTEMPTS})
            operations.take_back_expired(session, now=clock.utcnow() + timedelta(hours=1))

        page = Page(browser.get(address))

        assert "s’est interrompu plusieurs fois de suite" in page.text
        assert "Refaire l’analyse" in page.text
        assert browser.post(f"{address}/analyser").status_code == 303
        drain(app)
        assert "analysé, à confirmer" in Page(browser.get(address)).text


@pytest.mark.usefixtures("large")
class TestShowFailedDeposit:
    @pytest.fixture
    def address(self, app: Flask, as_: As) -> str:
        """Return the address of a large import of nobody."""
        address = analyse(as_("administrator"), ("e.xml", students_xml("").encode()))
        drain(app)
        return address

    def reason(self, platform: Look) -> str:
        with platform() as session:
            return session.query(Job).one().error

    def test_show_failed_deposit_its_page_says_why_and_leads_to_a_new_deposit(
        self, as_: As, address: str, platform: Look
    ) -> None:
        page = as_("administrator").get(address)

        text = Page(page).text
        assert "aucun élève" in self.reason(platform)
        assert "n’a pas abouti, rien n’a été écrit." in text
        assert f'href="{IMPORTS}">Déposer de nouveau' in page.text

    def test_show_failed_deposit_the_list_of_the_last_imports_says_why(self, as_: As, address: str) -> None:
        assert "aucun élève" in Page(as_("administrator").get(IMPORTS)).rows()[0][-1]

    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_show_failed_deposit_the_history_says_why(self, as_: As, address: str, role: str) -> None:
        browser = as_(role)

        assert "aucun élève" in Page(browser.get(HISTORY)).text
        assert "aucun élève" in Page(browser.get(f"{HISTORY}details/?id=1")).text
        assert "aucun élève" in browser.get(f"{HISTORY}export/csv/").text

    def test_show_failed_deposit_the_other_school_reads_nothing_of_it(self, as_: As, address: str) -> None:
        other = as_("administrator", "b")

        assert other.get(address).status_code == 404
        assert "aucun élève" not in Page(other.get(HISTORY)).text

    def test_show_failed_deposit_a_new_deposit_goes_on(self, app: Flask, as_: As, desk: Desk, address: str) -> None:
        browser = as_("administrator")
        again = analyse(browser, ONE)
        drain(app)

        text = Page(browser.get(again)).text
        assert "analysé, à confirmer" in text
        assert "n’a pas abouti" not in text
        assert desk.run(1).state is RunState.FAILED
        assert len(kept_files(app)) == 1

"""« Annuler cet import »: offered where it can be done, refused with the reason before anything is confirmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.core.jobs import operations
from cpro.core.jobs.models import Job
from cpro.core.transactions import platform_unit_of_work
from cpro.imports.apply import reversal
from cpro.imports.models import RunState
from cpro.students.models import Student
from cpro.users.models import Account
from tests.factories import NOW
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, ONE, analyse, apply, drain, job_page
from tests.helpers.imports import SAMPLES, Desk
from tests.helpers.pages import Page
from tests.records.conftest import make_fiche

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
BUTTON = "Annuler cet import"
pytestmark = pytest.mark.usefixtures("october")


@pytest.fixture
def address(app: Flask, as_: As) -> str:
    """Return the address of an import that is applied, of one pupil who received an account."""
    browser = as_("administrator")
    address = analyse(browser, ONE, opens_student_accounts="y")
    apply(app, browser, address)
    return address


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every import be undone by a worker."""
    monkeypatch.setattr(reversal, "AT_ONCE_CHANGES", 1)


def refused(browser: Browser, address: str, sentence: str) -> None:
    """Check that neither the page nor the list offers to undo an import, and that asking tells why not."""
    for page in (address, IMPORTS):
        assert f"{address}/annuler" not in browser.get(page).text
    for answer in (browser.get(f"{address}/annuler"), browser.post(f"{address}/annuler")):
        page = Page(answer)
        assert answer.status_code == 409
        assert sentence in page.alerts[0]
        assert BUTTON not in page.text


class TestUndoImportOffered:
    def test_undo_import_is_not_offered_before_it_is_applied(self, as_: As) -> None:
        browser = as_("administrator")

        refused(browser, analyse(browser, ONE), "Aucun import n’est à annuler")

    def test_undo_import_is_not_offered_where_another_was_applied(self, as_: As, address: str) -> None:
        browser = as_("administrator")

        refused(browser, analyse(browser, *SAMPLES), "Seul le dernier import appliqué peut être annulé")

    def test_undo_import_is_not_offered_once_another_was_applied(self, app: Flask, as_: As, address: str) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, ONE))

        assert f"{address}/annuler" not in browser.get(address).text
        assert "Seul le dernier import appliqué" in Page(browser.get(f"{address}/annuler")).alerts[0]

    def test_undo_import_is_not_offered_twice(self, as_: As, address: str) -> None:
        browser = as_("administrator")
        assert browser.post(f"{address}/annuler").status_code == 303

        refused(browser, address, "Cet import est déjà annulé")

    def test_undo_import_is_not_offered_after_eight_days(
        self, as_: As, address: str, october: time_machine.Traveller
    ) -> None:
        october.move_to(NOW + dt.timedelta(days=8))

        refused(as_("administrator"), address, "que pendant 7 jours")

    def test_undo_import_is_not_offered_once_an_account_was_opened(self, as_: As, address: str, desk: Desk) -> None:
        with desk.open() as session:
            session.scalars(select(Account).where(Account.login == "alix.testeur")).one().activated_at = NOW

        refused(as_("administrator"), address, "a été activé depuis")
        assert "a été activé depuis" in Page(as_("administrator").get(address)).text

    def test_undo_import_is_not_offered_once_a_pupil_was_written_about(self, as_: As, address: str, desk: Desk) -> None:
        with desk.open() as session:
            session.add(make_fiche(session.scalars(select(Student).where(Student.siecle_id == "1")).one()))

        refused(as_("administrator"), address, "a depuis des fiches")
        assert "TESTEUR" not in Page(as_("administrator").get(f"{address}/annuler")).alerts[0]

    def test_undo_import_is_not_offered_while_another_is_applied(self, as_: As, address: str) -> None:
        browser = as_("administrator")
        other = analyse(browser, *SAMPLES)
        browser.post(f"{other}/appliquer", {**browser.form(other), "confirmations": ["year", "deactivations"]})

        refused(browser, address, "Un import est en cours")

    def test_undo_import_does_not_exist_elsewhere(self, as_: As, address: str) -> None:
        assert as_("administrator", "b").get(f"{address}/annuler").status_code == 404
        assert as_("head").get(f"{address}/annuler").status_code == 403

    def test_undo_import_is_asked_once(self, as_: As, address: str, desk: Desk) -> None:
        browser = as_("administrator")

        assert f"{address}/annuler" in browser.get(address).text
        assert f"{address}/annuler" in browser.get(IMPORTS).text
        assert BUTTON in Page(browser.get(f"{address}/annuler")).text
        assert list(desk.students()) == ["1"]


@pytest.mark.usefixtures("large")
class TestUndoImportByAWorker:
    def test_undo_import_it_is_followed_as_an_application_is(
        self, app: Flask, as_: As, address: str, desk: Desk
    ) -> None:
        browser = as_("administrator")

        answer = browser.post(f"{address}/annuler")

        assert (answer.status_code, answer.headers["Location"]) == (303, address)
        page = Page(browser.get(address))
        assert "En attente" in page.text
        assert "L’annulation de cet import est en cours" in page.text
        assert BUTTON not in page.text
        assert list(desk.students()) == ["1"]
        drain(app)
        done = browser.get(job_page(desk))
        assert "tout est revenu comme avant lui. Il avait fait : 1 élève créé, 1 division créée" in Page(done).text
        assert f'href="{address}"' in done.text
        assert (desk.students(), desk.run(1).state) == ({}, RunState.UNDONE)

    def test_undo_import_asking_twice_undoes_once(self, app: Flask, as_: As, address: str, platform: Look) -> None:
        browser = as_("administrator")

        first = browser.post(f"{address}/annuler").headers["Location"]
        for answer in (browser.get(f"{address}/annuler"), browser.post(f"{address}/annuler")):
            assert (answer.status_code, answer.headers["Location"]) == (303, first)
        drain(app)

        with platform() as session:
            actions = session.scalars(select(AuditEntry.action)).all()
        assert actions.count("import:siecle:undone") == 1

    def test_undo_import_no_import_is_applied_meanwhile(self, app: Flask, as_: As, address: str, desk: Desk) -> None:
        browser = as_("administrator")
        other = analyse(browser, *SAMPLES)
        form = {**browser.form(other), "confirmations": ["year", "deactivations"]}
        browser.post(f"{address}/annuler")

        answer = browser.post(f"{other}/appliquer", form)

        assert answer.status_code == 409
        assert "L’annulation d’un import est en cours" in Page(answer).text
        drain(app)
        assert desk.students() == {}
        assert "est à refaire" in Page(browser.get(other)).text

    def test_undo_import_what_was_worked_on_meanwhile_keeps_it_and_the_reason_is_reported(
        self, app: Flask, as_: As, address: str, desk: Desk
    ) -> None:
        browser = as_("administrator")
        browser.post(f"{address}/annuler")
        progress = job_page(desk)
        with desk.open() as session:
            session.scalars(select(Student).where(Student.siecle_id == "1")).one().first_name = "Autre"
        before = desk.state()

        drain(app)

        assert (desk.state(), desk.run(1).state) == (before, RunState.APPLIED)
        for page in (address, progress):
            assert "le dossier d’Autre TESTEUR a changé depuis" in Page(browser.get(page)).text
        assert "L’annulation n’a pas abouti" in Page(browser.get(address)).text

    def test_undo_import_a_worker_killed_meanwhile_is_reported_and_another_undoes_it(
        self, app: Flask, as_: As, address: str, desk: Desk, october: time_machine.Traveller
    ) -> None:
        browser = as_("administrator")
        browser.post(f"{address}/annuler")
        with app.app_context(), platform_unit_of_work("test") as work:
            assert operations.take(work.session, host="test", now=clock.utcnow())
        october.shift(dt.timedelta(seconds=50))
        assert "le traitement semble interrompu" in Page(browser.get(address)).text

        with app.app_context(), platform_unit_of_work("test") as work:
            operations.take_back_expired(work.session, now=clock.utcnow() + dt.timedelta(minutes=5))
        drain(app)

        assert (desk.students(), desk.run(1).state) == ({}, RunState.UNDONE)

    def test_undo_import_the_job_belongs_to_its_school(self, as_: As, address: str, desk: Desk, platform: Look) -> None:
        as_("administrator").post(f"{address}/annuler")
        progress = job_page(desk)

        assert as_("administrator", "b").get(progress).status_code == 404
        with platform() as session:
            job = session.scalars(select(Job).where(Job.kind == "imports:undo")).one()
        assert (job.exclusive_key, job.actor.label) == (f"{job.establishment_id}:imports", "Alix GRANITE")

"""Gérer les imports, from the confirmation to the report and the undoing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.capacity import Capacity
from cpro.core.jobs.models import Job, JobState
from cpro.establishments.models import Establishment
from cpro.imports.models import RunState
from cpro.imports.runs import deposits
from cpro.students.models import Student
from tests.factories import NOW, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import ONE, analyse, apply, drain, job_page, kept_files, send
from tests.helpers.imports import EVERYTHING, SAMPLES, Desk
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.helpers.siecle import students_xml

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
pytestmark = pytest.mark.usefixtures("october")


class TestApplyImport:
    def test_apply_import_from_deposit_to_undoing(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        before = desk.state()

        address = analyse(browser, *SAMPLES)
        report = Page(apply(app, browser, address))

        assert "appliqué" in report.text
        assert len(desk.students()) == 11
        assert kept_files(app) == []
        assert report.rows()[0][:2] == ["Élèves", "11"]
        again = Page(browser.get(analyse(browser, *SAMPLES)))
        assert again.rows()[0][1:6] == ["0", "0", "0", "0", "11"]
        assert "ne changent rien" in again.text
        assert "Annuler cet import" in Page(browser.get(f"{address}/annuler")).text
        assert browser.post(f"{address}/annuler").status_code == 303
        assert desk.state() == before
        assert browser.post(f"{address}/annuler").status_code == 409

    def test_apply_import_pressing_twice_applies_once(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        version = browser.form(address)["version"]

        first = browser.post(f"{address}/appliquer", {"version": version})
        second = browser.post(f"{address}/appliquer", {"version": version})
        drain(app)

        assert first.headers["Location"] == second.headers["Location"]
        assert browser.post(f"{address}/appliquer", {"version": version}).status_code == 409
        assert list(desk.students()) == ["1"]

    def test_apply_import_progress_then_report_are_read_at_one_address(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        answer = browser.post(f"{address}/appliquer", browser.form(address))

        assert answer.headers["Location"] == address
        waiting = browser.get(address).text
        assert "En attente" in Page(browser.get(address)).text
        assert "data-running" in waiting
        assert "data-running" in waiting
        assert f'id="travail-actualiser" href="{address}">Actualiser' in waiting
        drain(app)

        report = browser.get(address).text
        assert "Ce que l’import a fait" in report
        assert "data-running" not in report
        assert "data-running" not in report

    def test_show_job_the_page_of_its_job_ends_with_its_figures_and_leads_to_the_import(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        browser.post(f"{address}/appliquer", browser.form(address))
        drain(app)

        answer = browser.get(job_page(desk))

        assert "L’import est appliqué : 1 élève créé, 1 division créée" in Page(answer).text
        assert f'href="{address}"' in answer.text

    def test_apply_import_the_progress_says_how_far_it_is_and_how_long_it_took_last_time(
        self, app: Flask, as_: As, desk: Desk, arrange: Look
    ) -> None:
        browser = as_("administrator")
        first = analyse(browser, ONE)
        apply(app, browser, first)
        with arrange() as session:
            done = session.query(Job).filter_by(kind="imports:apply").one()
            done.finished_at = (done.started_at or NOW) + dt.timedelta(seconds=75)
        address = analyse(browser, ("e.xml", ONE[1].replace(b"Alix", b"Noor")))
        browser.post(f"{address}/appliquer", browser.form(address))
        with arrange() as session:
            job = session.query(Job).filter_by(kind="imports:apply", state=JobState.WAITING).one()
            job.state, job.worker, job.progress_done, job.progress_total = JobState.RUNNING, "w", 300, 1000
            job.started_at, job.progress_message = NOW - dt.timedelta(minutes=3), "Écriture des élèves"

        text = Page(browser.get(address)).text

        assert "Écriture des élèves 300 sur 1 000, il en reste 700" in text
        assert "Commencé il y a 3 minutes. La dernière fois, cela a pris 75 secondes." in text

    def test_apply_import_a_missing_confirmation_names_the_figures_and_applies_nothing(
        self, app: Flask, as_: As, arrange: Look, world: World, desk: Desk
    ) -> None:
        with arrange() as session:
            session.add_all([make_student(world.a.id) for _ in range(3)])
        browser = as_("administrator")
        address = analyse(browser, ("e.xml", ONE[1].replace(b">2026<", b">2025<")))
        page = Page(browser.get(address))
        assert "2025-2026" in page.text
        assert "3 élèves seraient désactivés sur 3 (100 %)" in page.text

        answer = browser.post(f"{address}/appliquer", {**browser.form(address), "confirmations": "year"})
        drain(app)

        assert answer.status_code == 422
        assert "confirmez les désactivations" in Page(answer).error("confirmations")
        assert desk.students() == {}
        apply(app, browser, address, "year", "deactivations")
        assert list(desk.students()) == ["1"]

    def test_apply_import_data_that_changed_are_noticed_analysed_again_and_confirmed_again(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, ONE), "deactivations")
        address = analyse(browser, ("e.xml", ONE[1].replace(b"Alix", b"Alix Noor")))
        form = browser.form(address)
        with desk.open() as session:
            pupil = session.scalars(select(Student).where(Student.siecle_id == "1")).one()
            pupil.last_name = "AUTRE"
            record("student:changed", About("student", 1, "x"), by=desk.by, now=NOW)

        assert "est à refaire" in Page(browser.get(address)).text
        answer = browser.post(f"{address}/appliquer", form, follow_redirects=True)
        drain(app)

        page = Page(answer)
        assert "vient d’être refaite" in page.flashes[0]
        assert desk.students()["1"]["first_name"] == "Alix"
        assert "avant : AUTRE → ; après : TESTEUR" in page.text
        apply(app, browser, address)
        assert desk.students()["1"]["first_name"] == "Alix Noor"

    def test_analyse_import_the_next_day_the_analysis_is_done_again(
        self, app: Flask, as_: As, desk: Desk, october: time_machine.Traveller
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)

        october.move_to(NOW + dt.timedelta(days=1))
        browser = as_("administrator")
        assert browser.post(f"{address}/analyser").status_code == 303
        apply(app, browser, address)

        assert list(desk.students()) == ["1"]

    def test_apply_import_what_the_school_says_of_siecle_meanwhile_is_noticed(
        self, app: Flask, as_: As, arrange: Look, world: World, desk: Desk
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        form = browser.form(address)
        with arrange() as session:
            session.get_one(Establishment, world.a.id).uses_siecle = False

        answer = browser.post(f"{address}/appliquer", form)
        drain(app)

        assert answer.status_code == 422
        assert "déclare ne pas utiliser SIECLE" in Page(answer).text
        assert desk.students() == {}

    def test_apply_import_the_head_follows_a_job_to_the_history(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        browser.post(f"{address}/appliquer", browser.form(address))
        job = job_page(desk)
        drain(app)

        head = as_("head")

        assert "/admin/imports/historique/details/?id=1" in head.get(job).text
        assert head.get("/admin/imports/historique/details/?id=1").status_code == 200

    def test_apply_import_two_windows_cannot_confirm_figures_they_do_not_show(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        form = browser.form(address)
        browser.post(f"{address}/analyser")

        answer = browser.post(f"{address}/appliquer", form)

        assert answer.status_code == 409
        assert "depuis que vous avez ouvert cette page" in Page(answer).text
        assert desk.run(1).state is RunState.ANALYSED

    @pytest.mark.parametrize("action", ["appliquer", "reponses", "choix", "analyser"])
    def test_apply_import_an_import_that_was_replaced_meanwhile_says_why_nothing_is_done(
        self, as_: As, desk: Desk, action: str
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        form = browser.form(address)
        analyse(browser, *SAMPLES)

        answer = browser.post(f"{address}/{action}", {**form, "geste": "tout"})

        page = Page(answer)
        assert answer.status_code == 409
        assert "Rien n’a été écrit" in page.text
        assert page.alerts
        assert desk.students() == {}

    def test_analyse_import_files_that_are_gone_are_said_to_be(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        for path in (Path(app.config["CPRO_UPLOADS"]) / "imports").rglob("*"):
            if path.is_file():
                path.unlink()

        answer = browser.post(f"{address}/analyser")

        assert answer.status_code == 409
        assert "déposez-les de nouveau" in Page(answer).text

    def test_analyse_import_of_large_files_is_the_workers(
        self, app: Flask, as_: As, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deposits, "AT_ONCE_SIZE", 100)
        browser = as_("administrator")
        address = analyse(browser, *SAMPLES)
        assert "en cours d’analyse" in Page(browser.get(address)).text
        assert browser.post(f"{address}/appliquer").status_code == 409

        drain(app)

        assert Page(browser.get(address)).rows()[0][:2] == ["Élèves", "11"]
        browser.post(f"{address}/analyser")
        drain(app)
        apply(app, browser, address)
        assert len(desk.students()) == 11

    def test_analyse_import_while_another_is_analysed_is_the_workers(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        with deposits._ANALYSES.take():
            address = analyse(browser, *SAMPLES)
        assert "en cours d’analyse" in Page(browser.get(address)).text

        drain(app)

        assert Page(browser.get(address)).rows()[0][:2] == ["Élèves", "11"]

    def test_analyse_import_while_others_are_judged_asks_to_try_again(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy = Capacity(1, patience=0.01)
        monkeypatch.setattr(deposits, "_JUDGEMENTS", busy)
        browser = as_("administrator")

        with busy.take(), nothing_written(app):
            answer = send(browser, ONE)

        assert answer.status_code == 503
        assert "réessayez dans un instant" in Page(answer).text
        assert kept_files(app) == []

    def test_analyse_import_a_large_file_that_is_refused_says_so_and_leaves_nothing(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deposits, "AT_ONCE_SIZE", 100)
        browser = as_("administrator")
        address = analyse(browser, ("e.xml", students_xml("").encode()))
        drain(app)

        page = Page(browser.get(address))

        assert "n’a pas abouti" in page.text
        assert kept_files(app) == []

    def test_apply_import_pupils_receive_accounts_when_asked(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")

        page = Page(apply(app, browser, analyse(browser, ONE, opens_student_accounts="y"), "deactivations"))

        assert "1 compte d’élève ouvert" in page.text
        assert "alix.testeur" in desk.accounts()

    def test_apply_import_the_analysis_counts_the_accounts_to_open_and_the_report_leads_there(
        self, app: Flask, as_: As, desk: Desk
    ) -> None:
        browser = as_("administrator")
        desk.import_files(desk.file_of({"id": "7", "PRENOM": "Zoé"}, {"id": "8", "PRENOM": "Ugo"}), confirm=EVERYTHING)

        address = analyse(browser, desk.file_of({"id": "7", "PRENOM": "Zoé"}, {"id": "9", "PRENOM": "Lou"}))
        foreseen = Page(browser.get(address)).text
        done = apply(app, browser, address, "deactivations")

        assert "2 comptes d’élèves seront à ouvrir" in foreseen  # two present, one leaves, one arrives
        assert "2 élèves présents n’ont pas de compte." in Page(done).text
        assert "/admin/eleves/ouvrir-comptes?tous=oui" in done.text

    def test_undo_import_is_refused_with_the_reason_once_worked_on(self, app: Flask, as_: As, desk: Desk) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        apply(app, browser, address)
        with desk.open() as session:
            session.scalars(select(Student).where(Student.siecle_id == "1")).one().first_name = "Autre"

        answer = browser.post(f"{address}/annuler")

        assert answer.status_code == 409
        assert "le dossier d’Autre TESTEUR a changé depuis" in Page(answer).alerts[0]

    def test_apply_import_the_journal_records_it_once_and_truthfully(self, app: Flask, as_: As, platform: Look) -> None:
        browser = as_("administrator")
        apply(app, browser, analyse(browser, ONE))

        text = Page(browser.get("/admin/journal/")).text

        assert "a appliqué un import SIECLE" in text
        assert "a déposé des fichiers à importer (SIECLE)" in text

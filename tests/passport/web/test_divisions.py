"""The passports of a division: asked for as a job, handed over to who asked, forgotten after some days."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from pypdf import PdfReader

from cpro.core.jobs.files import KEPT
from cpro.core.jobs.models import Job
from cpro.core.jobs.operations import enqueue
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work
from cpro.students.models import Student, TeacherDivision
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, rows, set_school, set_up, watching
from tests.helpers.uploads import stored_files
from tests.passport.conftest import SECRET, Class_

As = Callable[..., Browser]
PAGE = "/passeports"


def ask(browser: Browser, class_: Class_) -> str:
    """Ask for the passports of a division; return where that leads."""
    browser.get(PAGE)
    answer = browser.post(f"{PAGE}/divisions/{class_.division_id}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def download_url(page: str) -> str:
    found = re.search(r'href="(/passeports/archives/\d+)"', page)
    assert found, page
    return found[1]


class TestCreateArchiveRefused:
    @pytest.mark.parametrize("role", ["administrator", "student", "support"])
    def test_create_archive_a_role_without_the_right_is_refused(
        self, app: Flask, as_: As, class_a: Class_, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)
        browser.get("/mon-compte")

        with nothing_written(app):
            assert browser.get(PAGE).status_code == 403
            assert browser.post(f"{PAGE}/divisions/{class_a.division_id}").status_code == 403

    def test_create_archive_a_teacher_of_another_division_is_refused(
        self, app: Flask, as_: As, class_a: Class_
    ) -> None:
        set_up(app, lambda session: session.query(TeacherDivision).delete())
        browser = as_("teacher")
        assert "Vous n’avez aucune division" in browser.get(PAGE).text

        with nothing_written(app):
            assert browser.post(f"{PAGE}/divisions/{class_a.division_id}").status_code == 403

    @pytest.mark.parametrize("role", ["head", "teacher"])
    def test_create_archive_another_schools_division_does_not_exist(
        self, app: Flask, as_: As, class_a: Class_, class_b: Class_, role: str
    ) -> None:
        browser = as_(role)
        assert "2BET" not in browser.get(PAGE).text

        with nothing_written(app):
            assert browser.post(f"{PAGE}/divisions/{class_b.division_id}").status_code == 404

    def test_create_archive_is_refused_while_the_gate_is_closed(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        set_school(app, world.a.id, email="")
        browser = as_("head")
        page = browser.get(PAGE)
        assert page.status_code == 200
        assert "/admin/parametres/etablissement#email" in page.text
        assert "/passeports/divisions/" not in page.text

        with nothing_written(app):
            answer = browser.post(f"{PAGE}/divisions/{class_a.division_id}")

        assert answer.status_code == 409
        assert "L’adresse électronique" in answer.text

    def test_create_archive_is_refused_while_the_module_is_off(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        set_school(app, world.a.id, passport_enabled=False)
        browser = as_("teacher")
        browser.get(PAGE)

        with nothing_written(app):
            assert browser.post(f"{PAGE}/divisions/{class_a.division_id}").status_code == 403

    def test_create_archive_is_refused_for_an_empty_division(self, app: Flask, as_: As, class_a: Class_) -> None:
        set_up(app, lambda session: session.query(Student).update({"is_active": False}))
        browser = as_("head")
        assert "aucun apprenant" in browser.get(PAGE).text

        with nothing_written(app):
            answer = browser.post(f"{PAGE}/divisions/{class_a.division_id}")

        assert answer.status_code == 422
        assert "aucun apprenant présent" in answer.text


class TestCreateArchive:
    @pytest.mark.parametrize("role", ["head", "teacher"])
    def test_create_archive_ends_in_one_archive_with_each_pupil_present(
        self, app: Flask, as_: As, class_a: Class_, role: str
    ) -> None:
        class_a.add_pupil(last_name="Ambre", first_name="Léa")
        class_a.add_pupil(last_name="Parti", is_active=False)
        browser = as_(role)
        progress = ask(browser, class_a)
        assert "En attente" in browser.get(progress).text

        with watching(app) as watch:
            class_a.work()

        page = browser.get(progress).text
        assert "Télécharger 3 passeports (ZIP)" in page
        answer = browser.get(download_url(page))
        assert answer.mimetype == "application/zip"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "passeports-2alp.zip" in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            names = archive.namelist()
            pages = [len(PdfReader(io.BytesIO(archive.read(name))).pages) for name in names]
        assert names == [
            "001-passeport-agate-noe.pdf",
            "002-passeport-ambre-lea.pdf",
            "003-passeport-secret-alpha-zoe.pdf",
        ]
        issues = class_a.issues()
        assert [issue.page_count for issue in issues] == pages
        assert watch.line["action"] == "passports:issued"
        assert watch.line["object_label"] == "2ALP"
        assert watch.line["changes"] == {"passports": [None, 3], "pages": [None, sum(pages)], "entries": [None, 4]}
        assert SECRET not in str(rows(app, Job))

    def test_create_archive_asking_again_leads_to_the_same_job(self, as_: As, class_a: Class_) -> None:
        browser = as_("head")

        first = ask(browser, class_a)

        assert ask(browser, class_a) == first
        class_a.work()
        assert ask(browser, class_a) != first

    def test_create_archive_a_gate_closed_meanwhile_fails_it_with_the_reason(
        self, app: Flask, as_: As, class_a: Class_, world: World
    ) -> None:
        browser = as_("head")
        progress = ask(browser, class_a)
        set_school(app, world.a.id, uai=None)

        class_a.work()

        assert "Le code UAI" in browser.get(progress).text
        assert class_a.issues() == []
        assert stored_files(app) == []

    def test_create_archive_given_up_nothing_is_issued_nor_left(self, app: Flask, as_: As, class_a: Class_) -> None:
        browser = as_("head")
        progress = ask(browser, class_a)
        class_a.change(Job, int(progress.rpartition("/")[2]), cancel_asked_at=NOW)

        class_a.work()

        assert "a été annulé" in browser.get(progress).text
        assert class_a.issues() == []
        assert stored_files(app) == []


class TestDownloadArchive:
    def test_archive_goes_to_who_asked_alone(self, as_: As, class_a: Class_, class_b: Class_) -> None:
        browser = as_("teacher")
        progress = ask(browser, class_a)
        class_a.work()
        url = download_url(browser.get(progress).text)

        for person in (as_("head"), as_("head", "b"), as_("teacher", "b")):
            assert person.get(url).status_code == person.get(progress).status_code == 404
        assert as_("administrator").get(url).status_code == 403
        followed = as_("administrator").get(progress.replace("/passeports/travaux", "/admin/travaux"))
        assert followed.status_code == 200
        assert url not in followed.text

    def test_archive_another_kind_of_job_is_none(self, app: Flask, as_: As, class_a: Class_, world: World) -> None:
        by = Actor("account", world.a.account_ids["head"], "Claude", "head")
        with app.app_context(), platform_unit_of_work("test") as work:
            job_id = enqueue("pictures:sweep", by=by, now=NOW, session=work.session, establishment_id=world.a.id).id

        browser = as_("head")
        assert browser.get(f"{PAGE}/travaux/{job_id}").status_code == 404
        assert f"/travaux/{job_id}" not in browser.get(PAGE).text
        assert not ask(browser, class_a).endswith(f"/travaux/{job_id}")

    def test_archive_is_listed_then_gone_after_some_days(self, app: Flask, as_: As, class_a: Class_) -> None:
        browser = as_("head")
        progress = ask(browser, class_a)
        class_a.work()
        url = download_url(browser.get(progress).text)
        assert url in browser.get(PAGE).text

        with time_machine.travel(NOW + KEPT - timedelta(seconds=1), tick=False):
            assert as_("head").get(url).status_code == 200
        with time_machine.travel(NOW + KEPT, tick=False):
            late = as_("head")
            assert late.get(url).status_code == 410
            assert url not in late.get(PAGE).text

    def test_archive_a_file_that_is_no_more_there_is_reported(self, app: Flask, as_: As, class_a: Class_) -> None:
        browser = as_("head")
        progress = ask(browser, class_a)
        class_a.work()
        [file] = stored_files(app)
        file.unlink()

        assert browser.get(download_url(browser.get(progress).text)).status_code == 410

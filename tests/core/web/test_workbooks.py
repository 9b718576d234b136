"""Workbooks of long lists: asked for as jobs, handed over to who asked, forgotten after some days."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import spreadsheets
from cpro.core.jobs.files import KEPT
from cpro.core.jobs.models import Job
from cpro.core.jobs.operations import enqueue
from cpro.core.jobs.runner import Runner
from cpro.core.permissions import Actor, Role
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.screens import stored, workbooks
from cpro.imports.parse.spreadsheet.xlsx_lines import iter_xlsx_lines
from cpro.students.models import Student
from cpro.users.models import Account
from tests.factories import NOW, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up
from tests.helpers.uploads import stored_files

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
Read = Callable[[bytes], list[list[str]]]
LIST, ASK = "/admin/eleves/export/xlsx/", "/admin/eleves/export/classeurs/"
LONG = 3


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def long_list(app: Flask, world: World, arrange: Look, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of a list that is too long by one row, read two at a time; another school has a pupil."""
    monkeypatch.setitem(app.config, "CPRO_XLSX_ROWS", LONG)
    monkeypatch.setattr(stored, "_BLOCK", 2)
    monkeypatch.setattr(stored, "_FIRST", 2)
    names = [f"NOM{number}" for number in range(LONG + 1)]
    with arrange() as session:
        session.query(Student).delete()
        session.add_all(make_student(world.a.id, last_name=name, ine=f"990000004{i}N") for i, name in enumerate(names))
        session.add(make_student(world.b.id, last_name="AILLEURS"))
    return names


def work(app: Flask) -> None:
    """Do every job there is, here and now."""
    Runner(app, threading.Event()).drain()


def ask(browser: Browser, query: str = "") -> str:
    """Ask for the workbook of the pupils as its page does; return where that leads."""
    page = browser.get(LIST + query)
    action = re.search(r'action="([^"]*/export/classeurs/[^"]*)"', page.text)
    assert action, page.text
    answer = browser.post(action[1].replace("&amp;", "&"))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def download_url(page: str) -> str:
    found = re.search(r'href="(/admin/eleves/export/classeurs/\d+/)"', page)
    assert found, page
    return found[1]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], list[list[str]]]:
    """Return what reads the rows of a workbook, below its titles."""

    def rows_in(content: bytes) -> list[list[str]]:
        (tmp_path / "read.xlsx").write_bytes(content)
        return [list(cells) for _line, cells in iter_xlsx_lines(tmp_path / "read.xlsx")][1:]

    return rows_in


def names(found: list[list[str]]) -> list[str]:
    return [cells[0] for cells in found]


def exported(app: Flask) -> list[dict[str, Any]]:
    return [row for row in rows(app, AuditEntry) if row["action"] == "list:exported"]


class TestRequestWorkbook:
    def test_request_workbook_the_longest_list_that_is_sent_at_once(
        self, app: Flask, as_: As, long_list: list[str], read: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("administrator")
        monkeypatch.setitem(app.config, "CPRO_XLSX_ROWS", len(long_list))

        assert names(read(browser.get(LIST).data)) == long_list

        monkeypatch.setitem(app.config, "CPRO_XLSX_ROWS", len(long_list) - 1)
        with nothing_written(app):
            told = Page(browser.get(LIST)).text
        assert "Cette liste compte 4 élèves" in told
        assert "Au-delà de 3 lignes" in told
        assert len(browser.get("/admin/eleves/export/csv/").text.splitlines()) == 1 + len(long_list)

    def test_request_workbook_ends_in_a_file_with_each_row_of_the_list(
        self, app: Flask, as_: As, long_list: list[str], read: Read
    ) -> None:
        browser = as_("administrator")
        progress = ask(browser, "?tri=name&ordre=desc")
        assert "En attente" in browser.get(progress).text
        assert re.search(rf'href="{progress}[^"]*">En préparation', browser.get(LIST).text)

        work(app)

        done = browser.get(progress).text
        assert "Télécharger 4 lignes (XLSX)" in done
        assert "Télécharger : Élèves, 4 élèves (XLSX)" in Page(browser.get(LIST)).text
        assert exported(app) == []
        answer = browser.get(download_url(done))
        assert names(read(answer.data)) == long_list[::-1]
        assert answer.headers["Cache-Control"] == "no-store"
        assert f"eleves-{NOW:%Y-%m-%d}.xlsx" in answer.headers["Content-Disposition"]
        [line] = exported(app)
        assert (line["object_label"], line["changes"]) == ("Élèves", {"file_format": [None, "XLSX"]})

    def test_request_workbook_holds_what_the_file_sent_at_once_does(
        self, app: Flask, as_: As, long_list: list[str], read: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("head")
        progress = ask(browser, "?recherche=nom")
        work(app)
        made = browser.get(download_url(browser.get(progress).text)).data
        monkeypatch.setitem(app.config, "CPRO_XLSX_ROWS", 100)

        sent = browser.get(f"{LIST}?recherche=nom").data

        assert read(made) == read(sent)
        assert "9900000040N" in str(read(made))
        first, second = exported(app)
        assert first["changes"] == second["changes"]
        assert "nom" in first["changes"]["sought"][1]

    def test_request_workbook_asking_again_leads_to_the_same_job_of_the_same_rows(
        self, app: Flask, as_: As, long_list: list[str]
    ) -> None:
        browser = as_("administrator")
        first = ask(browser)

        assert ask(browser) == first
        assert ask(browser, "?recherche=nom") != first
        assert ask(as_("head")) != first
        work(app)
        assert ask(browser) != first

    def test_request_workbook_of_a_list_longer_than_a_worksheet_is_refused(
        self, app: Flask, as_: As, long_list: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("administrator")
        progress = ask(browser)
        monkeypatch.setattr(spreadsheets, "MOST_ROWS", len(long_list) - 1)

        with nothing_written(app):
            assert browser.post(ASK).status_code == browser.get(LIST).status_code == 422
        work(app)

        assert "exportez-la en CSV" in Page(browser.get(progress)).text
        assert stored_files(app) == []

    def test_request_workbook_given_up_leaves_no_file(self, app: Flask, as_: As, long_list: list[str]) -> None:
        browser = as_("administrator")
        number = int(ask(browser).rpartition("/")[2])
        set_up(app, lambda session: setattr(session.get_one(Job, number), "cancel_asked_at", NOW))

        work(app)

        assert "a été annulé" in browser.get(f"/admin/travaux/{number}").text
        assert stored_files(app) == []

    @pytest.mark.parametrize("role", ["teacher", "student", "support", "inspector"])
    def test_request_workbook_a_role_without_the_right_is_refused(
        self, app: Flask, as_: As, long_list: list[str], role: str, arrange: Look, world: World
    ) -> None:
        job_id = int(ask(as_("administrator")).rpartition("/")[2])
        work(app)
        browser = as_(role, enter="a" if role == "support" else None)
        browser.get("/mon-compte")

        assert browser.get(LIST).status_code in (403, 303)
        assert browser.post(ASK).status_code in (403, 303)
        assert browser.get(f"{ASK}{job_id}/").status_code in (403, 303)
        assert exported(app) == []


class TestDownloadWorkbook:
    def test_workbook_goes_to_who_asked_alone(self, app: Flask, as_: As, long_list: list[str]) -> None:
        progress = ask(as_("administrator"))
        work(app)
        url = download_url(as_("administrator").get(progress).text)

        for person in (as_("head"), as_("administrator", "b"), as_("head", "b")):
            refused = person.get(url)
            assert (refused.status_code, "NOM0" in refused.text) == (404, False)
        assert "Vos classeurs" not in as_("head").get(LIST).text
        followed = as_("head").get(progress)
        assert followed.status_code == 200
        assert "export/classeurs" not in followed.text
        assert as_("head", "b").get(progress).status_code == 404
        assert exported(app) == []

    def test_workbook_of_another_list_is_none_of_this_one(self, app: Flask, as_: As, long_list: list[str]) -> None:
        browser = as_("administrator")
        number = ask(browser).rpartition("/")[2]
        work(app)

        assert browser.get(f"/admin/divisions/export/classeurs/{number}/").status_code == 404
        assert browser.get(f"{ASK}999/").status_code == 404

    def test_workbook_of_somebody_who_lost_the_right_is_refused(
        self, app: Flask, as_: As, long_list: list[str], world: World
    ) -> None:
        browser = as_("administrator")
        url = download_url_of(app, browser)
        account_id = world.a.account_ids["administrator"]
        set_up(app, lambda session: setattr(session.get_one(Account, account_id), "role", Role.TEACHER))

        assert browser.get(url).status_code == 403

    def test_workbook_masks_what_who_asked_may_not_read(
        self, app: Flask, world: World, long_list: list[str], read: Read
    ) -> None:
        actor = Actor("account", world.a.account_ids["teacher"], "x", Role.TEACHER.value, "test")
        with app.app_context(), platform_unit_of_work("test") as opened:
            arguments = {"endpoint": "eleves", "asked": {}}
            enqueue(
                workbooks.FILES.kind, arguments, by=actor, now=NOW, session=opened.session, establishment_id=world.a.id
            )
        work(app)

        [path] = stored_files(app)
        told = str(read(path.read_bytes()))
        assert "NOM0" in told
        assert "9900000040N" not in told

    def test_workbook_expires(self, app: Flask, as_: As, long_list: list[str]) -> None:
        browser = as_("administrator")
        url = download_url_of(app, browser)

        with time_machine.travel(NOW + KEPT - timedelta(seconds=1), tick=False):
            assert as_("administrator").get(url).status_code == 200
        with time_machine.travel(NOW + KEPT, tick=False):
            late = as_("administrator")
            gone = late.get(url)
            assert gone.status_code == 410
            assert "demandez-le à nouveau" in gone.text
            assert url not in late.get(LIST).text


class TestForgetExpired:
    def test_forget_expired_deletes_what_is_not_kept_any_more_and_its_job_alone(
        self, app: Flask, as_: As, long_list: list[str]
    ) -> None:
        url = download_url_of(app, as_("administrator"))
        for path in stored_files(app):
            os.utime(path, (NOW.timestamp(), NOW.timestamp()))

        def forget_at(later: timedelta) -> int:
            with app.app_context(), platform_unit_of_work("test") as opened:
                return len(workbooks.FILES.forget_expired(opened.session, now=NOW + later))

        assert forget_at(KEPT - timedelta(minutes=1)) == 0
        assert len(stored_files(app)) == len(rows(app, Job)) == 1
        assert forget_at(KEPT + timedelta(minutes=1)) == 1
        assert stored_files(app) == rows(app, Job) == []
        assert as_("administrator").get(url).status_code == 404


def download_url_of(app: Flask, browser: Browser) -> str:
    """Return the address of a workbook that somebody asked for and that is ready."""
    progress = ask(browser)
    work(app)
    return download_url(browser.get(progress).text)

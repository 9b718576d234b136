"""Tables of schools without SIECLE: the template that is offered, and what is refused when one is deposited."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.jobs.models import Job, JobState
from cpro.establishments.models import Establishment
from cpro.imports.models import ANALYSE_JOB
from cpro.imports.runs.deposits import AT_ONCE_SIZE
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, analyse, drain, send
from tests.helpers.imports import Desk
from tests.helpers.pages import Page
from tests.helpers.records import rows
from tests.helpers.siecle import FILES, zip_of
from tests.imports.parse.spreadsheet.test_reader import workbook

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
TITLES = ("Nom de famille", "Prénom", "Date de naissance", "INE", "Classe", "Numéro")
ALIX = ("Testeur", "Alix", "14/03/2010", "990000011DB", "CAP1", "")
NOE = ("Agathe", "Noé", "01/02/2010", "", "CAP1", "A-12")


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk, arrange: Look, world: World) -> Iterator[None]:
    """Let school A say that it does not use SIECLE."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def admin(as_: As) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def pupils(*rows: tuple[str, ...], titles: tuple[str, ...] = TITLES, encoding: str = "utf-8") -> tuple[str, bytes]:
    """Return a table of pupils as CSV."""
    return "eleves.csv", "\r\n".join(";".join(row) for row in (titles, *rows)).encode(encoding)


def row_of(browser: Browser, address: str, title: str = "Élèves") -> list[str]:
    """Return a line of the table of figures."""
    return next(row[1:] for row in Page(browser.get(address)).rows() if row[0] == title)


def large_once_unfolded() -> tuple[str, bytes]:
    """Return a workbook of one pupil that weighs half of what it unfolds to, as pictures and styles make one."""
    buffer = io.BytesIO(workbook(list(TITLES), list(ALIX)))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/image1.bin", random.Random(1).randbytes(AT_ONCE_SIZE // 5).hex())
    return "eleves.xlsx", buffer.getvalue()


class TestSize:
    def test_size_once_unfolded_decides_what_waits_for_a_worker(self, app: Flask, admin: Browser) -> None:
        answer = send(admin, large_once_unfolded())
        answer.request.environ["wsgi.input"].close()  # the test client's own copy of what it sent

        assert answer.status_code == 303
        [job] = rows(app, Job)
        assert (job["kind"], job["state_value"]) == (ANALYSE_JOB, JobState.WAITING.value)
        drain(app)
        assert row_of(admin, answer.headers["Location"])[0] == "1"

    def test_size_small_once_unfolded_is_analysed_at_once(self, app: Flask, admin: Browser) -> None:
        address = analyse(admin, ("eleves.xlsx", workbook(list(TITLES), list(ALIX))))

        assert rows(app, Job) == []
        assert row_of(admin, address)[0] == "1"


class TestTemplate:
    @pytest.mark.parametrize("who", ["eleves", "personnels"])
    def test_template_they_are_offered_empty_in_both_formats(self, admin: Browser, who: str) -> None:
        page = admin.get(IMPORTS).text

        for file_format in ("csv", "xlsx"):
            path = f"{IMPORTS}/modele/{who}/{file_format}"
            assert path in page
            answer = admin.get(path)
            assert f"modele-{who}.{file_format}" in answer.headers["Content-Disposition"]
        assert "Nom" in admin.get(f"{IMPORTS}/modele/{who}/csv").text
        with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
            assert "xl/workbook.xml" in book.namelist()

    def test_template_an_empty_template_is_refused_with_a_sentence(self, admin: Browser) -> None:
        content = admin.get(f"{IMPORTS}/modele/eleves/csv").data

        assert "aucun élève" in Page(send(admin, ("modele-eleves.csv", content))).error("files")

    def test_template_other_roles_may_not_have_them(self, as_: As) -> None:
        for role in ("head", "teacher"):
            assert as_(role).get(f"{IMPORTS}/modele/eleves/csv").status_code == 403


class TestDepositTable:
    def test_deposit_table_the_ministrys_files(self, admin: Browser) -> None:
        answer = send(admin, FILES / "ElevesSansAdresses.xml")

        assert "déclare ne pas utiliser SIECLE" in Page(answer).error("files")

    def test_deposit_table_leaves_the_ministrys_files_that_come_with_it(self, admin: Browser) -> None:
        address = analyse(admin, FILES / "ElevesSansAdresses.xml", pupils(ALIX))

        shown = Page(admin.get(address)).text
        assert "« ElevesSansAdresses.xml » : votre établissement déclare ne pas utiliser SIECLE" in shown
        assert row_of(admin, address)[0] == "1"

    def test_deposit_table_the_ministrys_file_of_another_school_refuses_all(self, admin: Browser) -> None:
        content = (FILES / "ElevesSansAdresses.xml").read_bytes().replace(b"0999001W", b"0999002X")

        answer = send(admin, ("autre.xml", content), pupils(ALIX))

        assert answer.status_code == 422
        assert "0999002X, et non du vôtre" in Page(answer).error("files")

    def test_deposit_table_leaves_pictures_and_documents(self, admin: Browser) -> None:
        address = analyse(
            admin, pupils(ALIX), ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"), ("lisezmoi.txt", b"Bonjour.")
        )

        shown = Page(admin.get(address)).text
        assert "« photo.jpg » : ce fichier n’est pas un tableau issu de nos modèles" in shown
        assert "« lisezmoi.txt » : ce fichier n’est pas un tableau issu de nos modèles" in shown

    def test_deposit_table_a_table_in_another_format_is_refused_only_where_it_is_alone(self, admin: Browser) -> None:
        members = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}

        answer = send(admin, ("personnels.ods", zip_of(members)))

        assert send(admin, pupils(ALIX), ("personnels.ods", zip_of(members))).status_code == 303
        assert answer.status_code == 422
        assert "« personnels.ods » : ce fichier est un classeur OpenDocument (.ods)" in Page(answer).error("files")

    def test_deposit_table_a_missing_column_is_named(self, admin: Browser) -> None:
        answer = send(admin, pupils(("A", "B"), titles=("Nom de famille", "Prénom")))

        assert "colonne absente, « Division »" in Page(answer).error("files")

    def test_deposit_table_two_tables_of_one_kind(self, admin: Browser) -> None:
        assert "Deux tableaux" in Page(send(admin, pupils(ALIX), pupils(NOE))).error("files")

    def test_deposit_table_lines_are_refused_with_their_number_and_the_reason(self, admin: Browser, desk: Desk) -> None:
        bad = [
            ("", "SansNom", "", "", "CAP1", ""),
            ("A", "INE", "", "12", "CAP1", ""),
            ("B", "Date", "31/02/2010", "", "CAP1", ""),
            ("C", "Deux", "", "", "CAP1", "X1"),
            ("D", "Fois", "", "", "CAP1", "X1"),
        ]

        address = analyse(admin, pupils(ALIX, *bad))

        lines = [row[0] for row in Page(admin.get(f"{address}/constats?gravite=REFUSED")).rows()]
        assert sorted(set(lines)) == ["3", "4", "5", "6", "7"]
        assert row_of(admin, address)[:6] == ["1", "0", "0", "0", "0", "5"]

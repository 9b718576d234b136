"""Tables of schools without SIECLE: the template that is offered, and what is refused when one is deposited."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, analyse, send
from tests.helpers.imports import Desk
from tests.helpers.pages import Page
from tests.helpers.siecle import FILES

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

    def test_deposit_table_both_at_once(self, admin: Browser) -> None:
        answer = send(admin, FILES / "ElevesSansAdresses.xml", pupils(ALIX))

        assert "ne se déposent pas ensemble" in Page(answer).error("files")

    def test_deposit_table_a_missing_column_is_named(self, admin: Browser) -> None:
        answer = send(admin, pupils(("A", "B"), titles=("Nom de famille", "Prénom")))

        assert "colonnes absentes, « Division »" in Page(answer).error("files")

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

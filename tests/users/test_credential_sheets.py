"""The document of activation sheets: accessible, complete, whatever the names."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import segno
import time_machine
from flask import Flask
from pypdf import PdfReader

from cpro.core.permissions import Role
from cpro.users.credential_sheets import LAYOUTS, PrintedSchool, render_credential_sheets
from cpro.users.operations.credential_sheets import CredentialSheet
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.credential_sheets import fetch, logo, sheets
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.pages import text_of as read
from tests.helpers.pdf import elements

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler) is not installed")


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def text_of(pdf: bytes, folder: Path) -> str:
    """Return the text of a PDF, as a screen reader would find it."""
    (folder / "credential_sheets.pdf").write_bytes(pdf)
    outcome = subprocess.run(["pdftotext", "credential_sheets.pdf", "-"], cwd=folder, capture_output=True, check=True)
    return outcome.stdout.decode()


@pytest.mark.integration
class TestRenderCredentialSheets:
    SCHOOL = PrintedSchool(
        "Lycée #1 «\u202f*essai*\u202f»",
        "alpha",
        "https://cpro.example/alpha",
        logo(),
        "1/ab/logo.png",
        "https://cpro.example/activation",
    )

    @pytest.mark.parametrize(("layout", "pages"), [(1, 9), (2, 5), (8, 2)])
    def test_render_credential_sheets_is_an_accessible_document_of_so_many_pages(self, layout: int, pages: int) -> None:
        pdf = render_credential_sheets(sheets(9), self.SCHOOL, divisions={0: "2MELEC"}, layout=layout, now=NOW)

        assert pdf.startswith(b"%PDF-")
        assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
        assert b"/Lang (fr" in pdf or b"<dc:language>" in pdf
        assert max(int(number) for number in re.findall(rb"/Type\s*/Pages\s*/Count\s*(\d+)", pdf)) == pages

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_render_credential_sheets_tags_each_value_with_its_label(self, layout: int) -> None:
        pdf = render_credential_sheets(sheets(1), self.SCHOOL, divisions={}, layout=layout, now=NOW)

        tags = [str(each["/S"]) for each in elements(PdfReader(io.BytesIO(pdf)))]
        items = [tag for tag in tags if tag in ("/Lbl", "/LBody")]
        steps = 0 if layout == 8 else 3
        assert items == ["/Lbl", "/LBody"] * (4 + steps)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_render_credential_sheets_leads_to_the_activation_page_without_the_code(
        self, layout: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[str] = []
        make = segno.make
        monkeypatch.setattr(segno, "make", lambda text, **asked: drawn.append(text) or make(text, **asked))

        render_credential_sheets(sheets(1), self.SCHOOL, divisions={}, layout=layout, now=NOW)

        login = sheets(1)[0].login
        wanted = f"https://cpro.example/activation?establishment=alpha&login={login}"
        assert drawn == [wanted]

    @needs_pdftotext
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_render_credential_sheets_says_everything_on_each_sheet(self, layout: int, tmp_path: Path) -> None:
        pdf = render_credential_sheets(sheets(4), self.SCHOOL, divisions={0: "2MELEC"}, layout=layout, now=NOW)

        text = text_of(pdf, tmp_path)
        assert text.count("https://cpro.example/alpha") == 4
        assert [f"ABCD-EFGH-{number:04}" in text for number in range(4)] == [True] * 4
        assert "MARTIN Zoé" in text
        assert "D’ARTAGNAN-LEFÈVRE Œdipe" in text
        assert "division 2MELEC" in text
        assert "04/11/2026" in text

    @needs_pdftotext
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_render_credential_sheets_names_the_choice_that_the_address_offers(
        self, layout: int, tmp_path: Path, world: World, browser: Callable[[], Browser]
    ) -> None:
        page = Page(browser().get(f"/{world.a.code}", follow_redirects=True))
        [choice] = [each for each in page.main.iter("a") if (each.get("href") or "").startswith("/activation?")]

        pdf = render_credential_sheets(sheets(1), self.SCHOOL, divisions={}, layout=layout, now=NOW)

        said = " ".join(text_of(pdf, tmp_path).replace("\u202f", " ").split())
        assert f"« {read(choice)} »" in said

    @needs_pdftotext
    def test_render_credential_sheets_text_is_never_markup(self, tmp_path: Path) -> None:
        text = text_of(render_credential_sheets(sheets(4), self.SCHOOL, divisions={}, layout=2, now=NOW), tmp_path)

        assert "*GRAS* #PANIC() $X$ \\" in text
        assert "Lycée #1 « *essai* »" in text

    @needs_pdftotext
    def test_render_credential_sheets_a_letter_no_font_has_leaves_the_rest(self, tmp_path: Path) -> None:
        chinese = CredentialSheet(1, "小龙", "李", Role.STUDENT, "compte", "ABCD-EFGH-JKMN")
        greek = CredentialSheet(2, "Ζωή", "Чехов", Role.STUDENT, "zoi", "ABCD-EFGH-JKMP")

        pdf = render_credential_sheets([chinese, greek], self.SCHOOL, divisions={}, layout=8, now=NOW)
        text = " ".join(text_of(pdf, tmp_path).split())

        assert "[signe non imprimable] [signe non imprimable]" in text
        assert "ЧЕХОВ Ζωή" in text
        assert "ABCD-EFGH-JKMN" in text

    def test_render_credential_sheets_needs_no_logo(self) -> None:
        school = PrintedSchool("Lycée", "alpha", "https://cpro.example/alpha")

        pdf = render_credential_sheets(sheets(1), school, divisions={}, layout=1, now=datetime(2026, 1, 1, tzinfo=UTC))

        assert b"/Subtype /Image" not in pdf

    def test_render_credential_sheets_is_what_the_page_answers(
        self, as_: Callable[..., Browser], office: Office
    ) -> None:
        office.add_pupils(3)

        answer = fetch(as_("administrator"), division=office.school.division_id, format="pdf", layout="2")

        assert answer.status_code == 200
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-")
        assert "fiches-activation-division-2alp.pdf" in answer.headers["Content-Disposition"]

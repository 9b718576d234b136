"""Workbooks whose numbers are none that a spreadsheet writes: refused in a sentence, or read as they are written."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cpro.imports.errors import TooManyLines, UnreadableTable
from cpro.imports.parse.files.archives import measure_unfolded
from cpro.imports.parse.spreadsheet import xlsx_lines
from cpro.imports.parse.spreadsheet.xlsx_lines import iter_xlsx_lines
from tests.factories import World
from tests.helpers.browser import Browser
from tests.imports.conftest import WriteFile
from tests.imports.parse.spreadsheet.test_reader import workbook

ODD_ROWS = ["9" * 20, str(2**63), str(2**31), "-1", "0", "1048577", "9" * 5000, "deux", "1.5", "٣", "NaN", "1e400"]
ODD_CELLS = ["1e400", "-1e400", "NaN", "Infinity", "9" * 5000, "٣", "1_000"]
ROWS = (["Nom de famille", "Prénom", "Classe"], ["MICA", "Zoé", "2MELEC"])


def altered(pattern: str, replacement: str, rows: tuple[list[str], ...] = ROWS) -> bytes:
    """Return a workbook whose sheet was rewritten in one place."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(*rows))) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text, changed = re.subn(pattern, replacement, content.decode(), count=1)
                assert changed, f"{pattern} is not in {text}"
                content = text.encode()
            target.writestr(name, content)
    return buffer.getvalue()


def read(path: Path) -> list[tuple[int, list[str]]]:
    return list(iter_xlsx_lines(path))


class TestIterXLSXLinesCosts:
    """What a small file can announce and nobody types: refused in a sentence before it costs seconds."""

    @pytest.mark.parametrize("blank", ["<row/>", "<row>" + "<c/>" * 30 + "</row>"], ids=["rows", "cells"])
    def test_iter_xlsx_lines_too_many_blanks_are_refused(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch, blank: str
    ) -> None:
        monkeypatch.setattr(xlsx_lines, "_MOST_BLANKS", 300)

        assert len(read(write(altered("</sheetData>", blank * 9 + "</sheetData>")))) == 2
        with pytest.raises(TooManyLines, match="lignes vides"):
            read(write(altered("</sheetData>", blank * 301 + "</sheetData>")))

    def test_iter_xlsx_lines_blanks_between_people_do_not_add_up(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_lines, "_MOST_BLANKS", 30)
        rows = [["MICA", "Zoé", "2MELEC"] if number % 20 == 0 else [None] for number in range(200)]

        assert len(read(write(workbook(*rows)))) == 10

    def test_iter_xlsx_lines_texts_beyond_any_school_are_refused(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_lines, "_MOST_TEXTS", 3)

        with pytest.raises(TooManyLines, match="trop volumineux"):
            read(write(workbook(*ROWS)))

    def test_iter_xlsx_lines_titles_read_no_more_texts_than_they_need(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_lines, "_MOST_TEXTS", 3)

        assert next(iter_xlsx_lines(write(workbook(*ROWS)))) == (1, ROWS[0])

    def test_measure_unfolded_counts_what_a_workbook_unfolds_to(self, write: WriteFile) -> None:
        path = write(workbook(*[["MICA"] * 10] * 300))

        assert measure_unfolded(path) > 5 * path.stat().st_size


@pytest.mark.parametrize("odd", ODD_ROWS, ids=lambda text: text[:20])
class TestIterXLSXLinesRows:
    def test_iter_xlsx_lines_rows_that_no_sheet_has_are_refused(self, write: WriteFile, odd: str) -> None:
        with pytest.raises(UnreadableTable):
            read(write(altered('<row r="2"', f'<row r="{odd}"')))

    def test_iter_xlsx_lines_rows_are_reported_on_the_page(
        self, as_: Callable[..., Browser], filled: World, odd: str
    ) -> None:
        content = altered('<row r="2"', f'<row r="{odd}"')
        browser = as_("administrator")
        browser.get("/admin/imports")

        answer = browser.post(
            "/admin/imports",
            {"files": (io.BytesIO(content), "eleves.xlsx")},
            content_type="multipart/form-data",
            follow_redirects=True,
        )

        assert answer.status_code == 422
        assert "ce tableau ne peut pas être lu" in answer.text


def test_iter_xlsx_lines_refuses_rows_that_go_back(write: WriteFile) -> None:
    with pytest.raises(UnreadableTable):
        read(write(altered('<row r="2"', '<row r="1"')))


@pytest.mark.parametrize("odd", ODD_CELLS, ids=lambda text: text[:20])
class TestIterXLSXLinesCells:
    def test_iter_xlsx_lines_cells_are_read_as_they_are_written(self, write: WriteFile, odd: str) -> None:
        path = write(altered(r'<c r="B2"[^>]*><v>[0-9]+</v>', f'<c r="B2"><v>{odd}</v>'))

        assert read(path)[1][1][1] == odd[:1000]

    def test_iter_xlsx_lines_cells_name_no_shared_text(self, write: WriteFile, odd: str) -> None:
        path = write(altered(r'<c r="B2" t="s"><v>[0-9]+</v>', f'<c r="B2" t="s"><v>{odd}</v>'))

        assert read(path)[1][1] == ["MICA", "", "2MELEC"]

    def test_iter_xlsx_lines_cells_name_no_style(self, write: WriteFile, odd: str) -> None:
        path = write(altered(r'<c r="B2"[^>]*><v>[0-9]+</v>', f'<c r="B2" s="{odd}"><v>7</v>'))

        assert read(path)[1][1][1] == "7"


@pytest.mark.parametrize("serial", ["-1", "0", "2958466", "9999999999", "1e14"])
def test_iter_xlsx_lines_a_day_out_of_the_calendar_stays_a_number(write: WriteFile, serial: str) -> None:
    import datetime as dt

    rows = (["Nom", "Prénom", "Né le"], ["MICA", "Zoé", dt.date(2009, 1, 31)])
    path = write(altered(r'(<c r="C2"[^>]*><v>)[0-9]+</v>', rf"\g<1>{serial}</v>", rows))  # type: ignore[arg-type]

    assert read(path)[1][1][2] == str(int(float(serial)))

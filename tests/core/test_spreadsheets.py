"""Tables that no spreadsheet executes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cpro.core.spreadsheets import csv_chunks, csv_lines, xlsx_chunks, xlsx_file
from cpro.imports.parse.spreadsheet.xlsx_lines import iter_xlsx_lines

FORMULAS = ["=1+1", "+33 1", "-2+3", "@SUM(A1)", "|calc", "\t=1+1", "\r=1+1", '=HYPERLINK("https://evil.example")']


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


def sheet_xml(content: bytes, name: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read(name).decode()


class TestCSVLines:
    @pytest.mark.parametrize("formula", FORMULAS)
    def test_csv_lines_a_formula_becomes_text(self, formula: str) -> None:
        [_, [cell, *_rest]] = parsed("".join(csv_lines([["Nom"], [formula]])))

        assert cell == f"'{formula}"

    @pytest.mark.parametrize("text", ["Zoé", "l’école", "a;b", 'dit « "oui" »', "deux\nlignes", "1-2", "", " =1"])
    def test_csv_lines_any_other_text_comes_back_as_it_was(self, text: str) -> None:
        assert parsed("".join(csv_lines([[text, "fin"]]))) == [[text, "fin"]]

    def test_csv_lines_nothing_is_an_empty_cell(self) -> None:
        assert parsed("".join(csv_lines([[None, 0]]))) == [["", "0"]]

    def test_csv_lines_a_day_is_written_as_people_write_it(self) -> None:
        assert parsed("".join(csv_lines([["Né le"], [dt.date(2009, 2, 1)]]))) == [["Né le"], ["01/02/2009"]]

    def test_csv_lines_a_french_excel_reads_it(self) -> None:
        text = "".join(csv_lines([["Nom", "Prénom"], ["ÉLÈVE", "Zoé"]]))

        assert text == "\ufeffNom;Prénom\r\nÉLÈVE;Zoé\r\n"

    def test_csv_lines_lines_are_made_one_by_one(self) -> None:
        asked = []

        def rows() -> Any:
            for number in range(3):
                asked.append(number)
                yield [number]

        lines = csv_lines(rows())
        next(lines)
        next(lines)

        assert asked == [0]


class TestXLSXFile:
    @pytest.mark.parametrize("text", [*FORMULAS, "https://evil.example", "mailto:a@b.example", "{=1}", "007"])
    def test_xlsx_file_every_cell_is_text(self, text: str) -> None:
        content = xlsx_file([["Titre"], [text]], title="Élèves")

        xml = sheet_xml(content)
        assert "<f>" not in xml
        assert "hyperlink" not in xml
        assert set(re.findall(r'<c r="[A-Z]+\d+"[^>]* t="(\w+)"', xml)) <= {"s", "inlineStr"}
        assert len(re.findall(r"<c [^>]*t=", xml)) == 2

    def test_xlsx_file_days_instants_and_figures_are_not_text(self, tmp_path: Path) -> None:
        row = [dt.date(2009, 2, 1), dt.datetime(2026, 9, 1, 14, 30), 12, dt.date(1899, 2, 1), True]
        (tmp_path / "a.xlsx").write_bytes(xlsx_file([["a", "b", "c", "d", "e"], row], title="Élèves"))

        xml = sheet_xml((tmp_path / "a.xlsx").read_bytes())
        assert re.findall(r'<c r="([A-Z])2"(?: s="\d")?><v>([\d.]+)</v>', xml) == [
            ("A", "39845"),
            ("B", "46266.60416666666"),
            ("C", "12"),
        ]
        assert re.findall(r'<col min="1" max="64" width="(\d+)', xml) == ["18"], "no day shows as « ##### »"
        styles = sheet_xml((tmp_path / "a.xlsx").read_bytes(), "xl/styles.xml")
        assert re.findall(r'formatCode="([^"]*)"', styles) == ["dd/mm/yyyy", "dd/mm/yyyy hh:mm"]
        [_titles, (_line, read)] = list(iter_xlsx_lines(tmp_path / "a.xlsx"))
        assert read == ["01/02/2009", "01/09/2026", "12", "01/02/1899", "True"]

    @pytest.mark.parametrize("title", ["Élèves / classes [2026]: *?\\", "x" * 60, "'a'"])
    def test_xlsx_file_any_title_names_the_sheet(self, title: str) -> None:
        content = xlsx_file([["Titre"]], title=title)

        [name] = re.findall(r'<sheet name="([^"]*)"', sheet_xml(content, "xl/workbook.xml"))
        assert 1 <= len(name) <= 31

    def test_xlsx_file_accents_and_empty_cells_are_kept(self) -> None:
        content = xlsx_file([["Nom", "Prénom"], ["ÉLÈVE", None]], title="Élèves")

        assert "ÉLÈVE" in sheet_xml(content)


class TestChunks:
    BLOCKS = ([["ÉLÈVE", "=1+1"], ["Zoé", "a;b"]], [["Fin"], [""]])

    def test_csv_chunks_are_a_file_as_its_lines_make_it(self) -> None:
        rows = [["Nom", "Prénom"], ["ÉLÈVE", "Zoé"], ["=1+1", "a;b"], ["Fin", ""]]

        assert b"".join(csv_chunks(rows[0], iter(self.BLOCKS))).decode() == "".join(csv_lines(rows))

    @pytest.mark.parametrize("make", [csv_chunks, partial(xlsx_chunks, title="Élèves")])
    def test_chunks_leave_with_each_block(self, make: Any) -> None:
        asked: list[int] = []

        def blocks() -> Any:
            for number, block in enumerate(self.BLOCKS):
                asked.append(number)
                yield block

        assert next(make(["Nom", "Prénom"], blocks()))
        assert asked == [0]

    def test_xlsx_chunks_without_rows_hold_the_titles(self) -> None:
        assert "Nom" in sheet_xml(b"".join(xlsx_chunks(["Nom"], [], title="Élèves")))

    def test_xlsx_chunks_keep_odd_texts_readable(self) -> None:
        texts = ["a\x0bb", "_x0041_", "x" * 40_000, "<&>", " deux "]

        xml = sheet_xml(b"".join(xlsx_chunks(["Texte"], [[texts]], title="Élèves")))

        found = re.findall(r"<t[^>]*>([^<]*)</t>", xml)[1:]
        assert found == ["a_x000B_b", "_x005F_x0041_", "x" * 32_766 + "…", "&lt;&amp;&gt;", " deux "]

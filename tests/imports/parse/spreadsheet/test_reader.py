"""Tables: the template, what comes back from it, what is refused."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
import xlsxwriter

from cpro.imports import errors
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.records import StudentRecord
from cpro.imports.parse.spreadsheet import reader, xlsx_lines
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.parse.spreadsheet.reader import read_staff_worksheet, read_student_worksheet, recognise_worksheet
from tests.helpers.siecle import zip_of
from tests.imports.conftest import WriteFile

TODAY = dt.date(2026, 10, 5)
TITLES = "Nom de famille;Prénom;Classe;INE;Date de naissance"


def students(path: Path) -> list[StudentRecord]:
    return list(read_student_worksheet(path, today=TODAY))


def workbook(*rows: list[object]) -> bytes:
    """Return a workbook of those rows; dates are real dates, texts beginning with = formulas of value 7."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_urls": False}) as book:
        worksheet = book.add_worksheet("Feuille")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    worksheet.write_datetime(index, column, dt.datetime(cell.year, cell.month, cell.day), day)
                elif isinstance(cell, str) and cell.startswith("="):
                    worksheet.write_formula(index, column, cell, None, 7)
                elif cell is not None:
                    worksheet.write(index, column, cell)
    return buffer.getvalue()


class TestReadStudentWorksheetCSV:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
    @pytest.mark.parametrize("delimiter", [";", ","])
    def test_read_student_worksheet_reads_the_usual_forms(
        self, write: WriteFile, encoding: str, delimiter: str
    ) -> None:
        text = f"{TITLES}\r\nSŒUR;Zoë;2 MELEC;990000011DB;1/9/2010\r\n".replace(";", delimiter)

        [record] = students(write(text.encode(encoding)))

        assert record == StudentRecord(
            2, "", "990000011DB", "SŒUR", "", "Zoë", dt.date(2010, 9, 1), "", "2 MELEC", None, False, ()
        )

    def test_read_student_worksheet_finds_columns_in_any_order_and_leaves_others(self, write: WriteFile) -> None:
        text = "Téléphone;CLASSE ;prenom;né(e) le;NOM\n0600000001;A;Zoé;2010-09-01;DURAND\n"

        [record] = students(write(text.encode()))

        assert (record.last_name, record.first_name, record.division_code, record.birth_date) == (
            "DURAND",
            "Zoé",
            "A",
            dt.date(2010, 9, 1),
        )

    def test_read_student_worksheet_counts_lines_as_an_editor_does(self, write: WriteFile) -> None:
        text = f'sep=;\n\n{TITLES}\nA;"Zo\né";X;;\n;;;;\nB;Léo;X;;\n'

        assert [(record.last_name, record.line) for record in students(write(text.encode()))] == [("A", 4), ("B", 7)]

    def test_read_student_worksheet_takes_back_the_apostrophe_our_own_files_add(self, write: WriteFile) -> None:
        [record] = students(write(f"{TITLES}\nDURAND;Zoé;'-A;;\n".encode()))

        assert record.division_code == "-A"

    def test_recognise_worksheet_names_the_missing_columns(self, write: WriteFile) -> None:
        with pytest.raises(errors.MissingColumns, match=r"Prénom.*Division"):
            recognise_worksheet(write(b"Nom;INE;Date de naissance\n"))

    def test_recognise_worksheet_refuses_a_column_twice(self, write: WriteFile) -> None:
        with pytest.raises(errors.MissingColumns, match="deux fois"):
            recognise_worksheet(write(f"{TITLES};INE\n".encode()))

    @pytest.mark.parametrize(
        "content",
        [
            f"{TITLES}\n\0;a;b\n".encode(),
            f'{TITLES}\n"never closed;{"x" * 200_000}'.encode(),
            f"{TITLES}\n{'x' * 300_000}".encode(),
            f'{TITLES}\n"a"b;c;d\n'.encode(),
            TITLES.encode("cp1252") + b"\n\x81;a;b\n",
        ],
    )
    def test_read_student_worksheet_refuses_what_is_not_a_table(self, write: WriteFile, content: bytes) -> None:
        with pytest.raises(errors.UnreadableTable):
            students(write(content))

    def test_read_student_worksheet_refuses_too_many_lines(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "MAX_LINES", 1)

        with pytest.raises(errors.TooManyLines):
            students(write(f"{TITLES}\nA;B;C;;\nA;B;C;;\n".encode()))


class TestReadStudentWorksheetRules:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (";Zoé;A;990000011DB;01/09/2010", FindingCode.NAME_MISSING),
            ("D;Zoé;;990000011DB;01/09/2010", FindingCode.WITHOUT_CLASS),
            ("D;Zoé;A;98;01/09/2010", FindingCode.INE_MALFORMED),
            ("D;Zoé;A;;01/09/2010", FindingCode.INE_MISSING),
            ("D;Zoé;A;990000011DB;31/02/2010", FindingCode.DATE_MALFORMED),
            ("D;Zoé;A;990000011DB;", FindingCode.BIRTH_DATE_MISSING),
            ("D;#N/A;A;990000011DB;01/09/2010", FindingCode.CELL_REFUSED),
        ],
    )
    def test_read_student_worksheet_has_the_rules_of_the_ministry_s_files(
        self, write: WriteFile, line: str, code: FindingCode
    ) -> None:
        [record] = students(write(f"{TITLES}\n{line}\n".encode()))

        assert [(finding.code, finding.line) for finding in record.findings] == [(code, 2)]

    @pytest.mark.parametrize(("typed", "read"), [("2E20", "2E20"), ("2E+20", ""), ("2,00E+20", "")])
    def test_read_student_worksheet_takes_a_division_retyped_as_text(
        self, write: WriteFile, typed: str, read: str
    ) -> None:
        [record] = students(write(f"{TITLES}\nD;Zoé;{typed};990000011DB;01/09/2010\n".encode()))

        assert record.division_code == read

    def test_read_student_worksheet_refuses_every_row_of_a_double(self, write: WriteFile) -> None:
        records = students(write(f"{TITLES}\nD;Zoé;A;990000011DB;\nE;Léo;A;990000011db;\n".encode()))

        assert [record.is_refused for record in records] == [True, True]


class TestReadStaffWorksheet:
    def test_read_staff_worksheet_reads_people(self, write: WriteFile) -> None:
        text = (
            "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes\n"
            "Madame;BOBINE;Anne;Professeure;Électrotechnique;anne@example.org;2 MELEC, 201\n"
            "M.;CUIVRE;Paul;dir;;pas une adresse;\nM;SANS;Jean;;;;\n"
        )

        records = list(read_staff_worksheet(write(text.encode())))

        assert [(record.civility, record.last_name, record.function, record.email) for record in records] == [
            ("Mme", "BOBINE", "ENS", "anne@example.org"),
            ("M.", "CUIVRE", "DIR", ""),
            ("M.", "SANS", "", ""),
        ]
        assert records[0].division_codes == ("2 MELEC", "201")
        assert [[finding.code for finding in record.findings] for record in records] == [
            [],
            [FindingCode.EMAIL_REFUSED],
            [FindingCode.WITHOUT_FUNCTION],
        ]


class TestReadStudentWorksheetXLSX:
    def test_read_student_worksheet_reads_dates_numbers_and_computed_values(self, write: WriteFile) -> None:
        content = workbook(
            TITLES.split(";"),
            ["SŒUR", "Zoë", 201, "990000011DB", dt.date(2010, 9, 1)],
            ["DURAND", "Léo", "=3+4", None, "01/09/2010"],
        )

        records = students(write(content))

        assert [(record.line, record.last_name, record.division_code, record.birth_date) for record in records] == [
            (2, "SŒUR", "201", dt.date(2010, 9, 1)),
            (3, "DURAND", "7", dt.date(2010, 9, 1)),
        ]

    def test_read_student_worksheet_counts_blank_rows_and_leaves_far_columns(self, write: WriteFile) -> None:
        content = workbook(TITLES.split(";"), [], ["D", "Zoé", "A", *[None] * 100, "far"])

        [record] = students(write(content))

        assert record.line == 3

    @pytest.mark.integration
    def test_read_student_worksheet_does_not_grow_for_the_last_cell_that_a_sheet_can_have(
        self, write: WriteFile
    ) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            worksheet = book.add_worksheet()
            worksheet.write_row(0, 0, TITLES.split(";"))
            worksheet.write_row(1, 0, ["D", "Zoé", "A"])
            worksheet.write(1_048_575, 16_383, 1)

        [record] = students(write(buffer.getvalue()))

        assert record.line == 2

    def test_recognise_worksheet_reads_the_first_visible_sheet(self, write: WriteFile) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            hidden, shown = book.add_worksheet("Cachée"), book.add_worksheet("Élèves")
            hidden.write_string(0, 0, "secret")
            hidden.hide()
            shown.activate()
            shown.set_first_sheet()
            for column, title in enumerate(TITLES.split(";")):
                shown.write_string(0, column, title)

        assert recognise_worksheet(write(buffer.getvalue())) is WorksheetKind.STUDENTS

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"xl/workbook.xml": b"<workbook/>"},
            {"xl/workbook.xml": b"<!DOCTYPE a [<!ENTITY x 'y'>]><workbook>&x;</workbook>"},
            {
                "xl/workbook.xml": b"<w xmlns:r='x'><sheets><sheet r:id='a'/></sheets></w>",
                "xl/_rels/workbook.xml.rels": b"<r><Relationship Id='a' Target='../../etc/passwd'/></r>",
            },
        ],
    )
    def test_read_student_worksheet_refuses_a_workbook_that_is_not_one(
        self, write: WriteFile, parts: dict[str, bytes]
    ) -> None:
        with pytest.raises(errors.FileRefused):
            students(write(zip_of({"[Content_Types].xml": b"<Types/>", **parts})))

    def test_read_student_worksheet_refuses_a_sheet_out_of_bounds(
        self, write: WriteFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_lines, "_WORKSHEET_SIZE", 100)

        with pytest.raises(errors.TooManyLines):
            students(write(workbook(TITLES.split(";"))))

    def test_read_student_worksheet_refuses_a_bomb(self, write: WriteFile) -> None:
        with pytest.raises(errors.FileRefused):
            students(write(zip_of({"xl/workbook.xml": b" " * 9_000_000})))

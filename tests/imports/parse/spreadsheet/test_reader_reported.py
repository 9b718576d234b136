"""Cases of public reports about other tools, by kind; `docs/real-files.md` lists them with what we make of each."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from cpro.core.validators.mojibake import repair_text
from cpro.imports.errors import FileRefused, MissingColumns, UnknownFile
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.spreadsheet.notes import WorksheetNotes
from cpro.imports.parse.spreadsheet.reader import read_student_worksheet
from tests.imports.parse.spreadsheet.test_reader import workbook
from tests.imports.parse.spreadsheet.test_xlsx_lines import altered

TODAY = dt.date(2026, 11, 27)
TITLES = ["Nom", "Prénom", "Classe"]
ROW = ["ONYX", "Zoé", "2CAP"]
READ = [("ONYX", "Zoé", "2CAP")]

#: (thread, the text as it was found, as it is repaired; None: letters are lost, it is refused)
TEXTS = [
    ("lostindark/DriverStoreExplorer#93", "PÃ©riphÃ©riques USB", "Périphériques USB"),
    ("lostindark/DriverStoreExplorer#93", "Lecteurs de cartes Ã\u00a0 puce", "Lecteurs de cartes à puce"),
    ("lostindark/DriverStoreExplorer#93", "PÃ©riphÃ©riques systÃ¨me", "Périphériques système"),
    ("cds-snc/platform-forms-client#3877", "RÃ©ponses", "Réponses"),
    ("glpi-project/glpi#24086", "Ã§, Ã£, Ã©", "ç, ã, é"),
    ("consuldemocracy/consuldemocracy#6499", "Investigaci\ufffdn", None),
    ("Librarika/Issues#73", "Mu&ntilde;oz P&aacute;ez", "Muñoz Páez"),
    ("rspeer/python-ftfy#155", "S.Ã\u00a0 r.l.", "S.à r.l."),
    ("rspeer/python-ftfy#203", "Ã…lesund", "Ålesund"),
    ("rspeer/python-ftfy#222", "Ã¥klagarmyndighets", "åklagarmyndighets"),
    ("rspeer/python-ftfy#192", "Ä°stanbul", "İstanbul"),
    ("rspeer/python-ftfy#192", "RÄ«ga", "Rīga"),
    ("rspeer/python-ftfy#157", "LinkÃ¶pings Universitet, LiU,\u00a0SE", "Linköpings Universitet, LiU,\u00a0SE"),
    ("rspeer/python-ftfy#103", "KÃ¶nig", "König"),
    ("rspeer/python-ftfy#103", "K\ufffdnig", None),
    # one letter says too little to be certain: left as they are
    ("rspeer/python-ftfy#91", "Thιβtre", "Thιβtre"),
    ("rspeer/python-ftfy#138", "LegaA¯a", "LegaA¯a"),
]

#: (thread, bytes of a CSV file, the pupils read)
TABLES = [
    ("directus/directus#23332", "\ufeffNom;Prénom;Classe\nONYX;Zoé;2CAP\n".encode(), READ),
    ("dotCMS/core#36508", '\ufeff"Nom","Prénom","Classe"\r\nONYX,Zoé,2CAP\r\n'.encode(), READ),
    ("socrata/datasync#29", " Nom ; Prénom;Classe \nONYX;Zoé;2CAP\n".encode(), READ),
    ("netbox-community/netbox#11929", "Nom\u00a0;\tPrénom;Classe\nONYX;Zoé;2CAP\n".encode(), READ),
    ("knadh/listmonk#2189", "Nom, Prénom, Classe\nONYX, Zoé, 2CAP\n".encode(), READ),
    ("oroinc/crm#96", "Nom;Prénom;Classe\nONYX;Zoé;2CAP\n".encode("cp1252"), READ),
    ("buckets/application#530", '"Nom";"Prénom";"Classe"\n"ONYX";"Zoé";"2CAP"\n'.encode(), READ),
    ("invoiceninja/ui#1829", 'Nom,Prénom,Classe,Avis\nONYX,Zoé,2CAP,"a; b; c; d"\n'.encode(), READ),
    ("nuxsmin/sysPass#754", "Nom\tPrénom\tClasse\nÖDÖN\tÜlle\t2CAP\n".encode("cp1252"), [("ÖDÖN", "Ülle", "2CAP")]),
    ("aliasvault/aliasvault#2418", "Nom;Prénom;Classe\nONYX;Zoé;'-2CAP\n".encode(), [("ONYX", "Zoé", "-2CAP")]),
    ("SandeepVashishtha/Eventra#2458", "Nom;Prénom;Classe\nONYX;Zoé;'|CAP\n".encode(), [("ONYX", "Zoé", "|CAP")]),
]

#: (thread, what a spreadsheet made of the code of a division)
ALTERED = [
    ("sqlitebrowser/sqlitebrowser#160", "5.57e+92"),
    ("doorstop-dev/doorstop#101", "1.0"),
]


def pupils(path: Path, notes: WorksheetNotes | None = None) -> list[tuple[str, str, str]]:
    records = read_student_worksheet(path, today=TODAY, notes=notes)
    return [(each.last_name, each.first_name, each.division_code) for each in records]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file of a test is written."""
    return tmp_path / "table"


@pytest.mark.parametrize(("thread", "found", "expected"), TEXTS)
def test_reported_texts_are_repaired_where_it_is_certain(thread: str, found: str, expected: str | None) -> None:
    assert repair_text(found) == expected, thread


@pytest.mark.parametrize(("thread", "content", "expected"), TABLES)
def test_reported_tables_are_read(
    path: Path, thread: str, content: bytes, expected: list[tuple[str, str, str]]
) -> None:
    path.write_bytes(content)

    assert pupils(path) == expected, thread


@pytest.mark.parametrize(("thread", "code"), ALTERED)
def test_reported_codes_that_a_spreadsheet_changed_are_refused(path: Path, thread: str, code: str) -> None:
    path.write_text(f'Nom;Prénom;Classe\nONYX;Zoé;"{code}"\n', encoding="utf-8")

    [record] = read_student_worksheet(path, today=TODAY)

    assert [each.code for each in record.findings if each.code is FindingCode.DIVISION_ALTERED], thread


class TestReportedNumbers:
    @pytest.mark.parametrize(
        ("thread", "number"),
        [
            ("proompteng/bilig#28", "0010"),
            ("jakob/TableTool#41", "012345678901"),
            ("wireservice/csvkit#977", "000123"),
            ("sqlitebrowser/sqlitebrowser#160", "000000"),
        ],
    )
    def test_reported_numbers_keep_their_zeros(self, path: Path, thread: str, number: str) -> None:
        path.write_text(f'Nom;Prénom;Classe;Matricule\nONYX;Zoé;2CAP;"{number}"\n', encoding="utf-8")

        [record] = read_student_worksheet(path, today=TODAY)

        assert record.siecle_id == number, thread


class TestReportedHeads:
    def test_reported_heads_that_stand_twice_are_named(self, path: Path) -> None:
        """nodebox/nodebox#73."""
        path.write_text("Nom;Nom;Prénom;Classe\nONYX;ONYX;Zoé;2CAP\n", encoding="utf-8")

        with pytest.raises(MissingColumns, match="figure deux fois"):
            pupils(path)

    def test_reported_separators_that_nobody_uses_are_refused(self, path: Path) -> None:
        """omeka/plugin-CsvImport#74."""
        path.write_text("Nom#Prénom#Classe\nONYX#Zoé#2CAP\n", encoding="utf-8")

        with pytest.raises(UnknownFile):
            pupils(path)

    def test_reported_bytes_cut_in_a_letter_are_refused_or_read_as_windows(self, path: Path) -> None:
        """sozialhelden/wheelmap-classic#613."""
        path.write_bytes(b"Nom;Pr\xc3\xa9nom;Classe\nONYX;Zo\xc3;2CAP\n")

        with pytest.raises(FileRefused):
            pupils(path)


class TestReportedWorkbooks:
    def test_reported_workbooks_whose_inline_text_is_blank_are_read(self, path: Path) -> None:
        """JanMarvin/openxlsx2#1039."""
        path.write_bytes(altered(r'<c r="C2"[^>]*>.*?</c>', '<c r="C2" t="inlineStr"/>', (TITLES, ROW)))

        assert pupils(path) == [("ONYX", "Zoé", "")]

    def test_reported_workbooks_whose_text_names_none_are_read(self, path: Path) -> None:
        """catamphetamine/read-excel-file#92."""
        path.write_bytes(altered(r'<c r="C2"[^>]*>.*?</c>', '<c r="C2" t="s"/>', (TITLES, ROW)))

        assert pupils(path) == [("ONYX", "Zoé", "")]

    def test_reported_workbooks_without_spans_are_read(self, path: Path) -> None:
        """tfussell/xlnt#10."""
        path.write_bytes(altered(r'<row r="2" spans="[^"]*"', '<row r="2"', (TITLES, ROW)))

        assert pupils(path) == READ

    def test_reported_workbooks_whose_cells_have_no_place_are_read(self, path: Path) -> None:
        """tfussell/xlnt#10."""
        path.write_bytes(altered(r'<c r="B2"', "<c", (TITLES, ROW)))

        assert pupils(path) == READ

    def test_reported_workbooks_of_inline_texts_alone_are_read(self, path: Path) -> None:
        """akeneo-labs/spreadsheet-parser#46, CoreOffice/CoreXLSX#141."""
        with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([TITLES, ROW]):
                sheet.write_row(number, 0, row)

        assert pupils(path) == READ

    def test_reported_workbooks_whose_texts_come_last_are_read(self, path: Path) -> None:
        """DaSpawn/xlsx-stream-reader#2."""
        with zipfile.ZipFile(io.BytesIO(workbook(TITLES, [], [], ROW))) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist(), key=lambda name: "sharedStrings" in name):
                target.writestr(name, source.read(name))

        assert pupils(path) == READ

    def test_reported_workbooks_with_prefixed_names_are_read(self, path: Path) -> None:
        """catamphetamine/read-excel-file#92."""
        with zipfile.ZipFile(io.BytesIO(workbook(TITLES, ROW))) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    text = re.sub(r"<(/?)(\w)", r"<\1x:\2", content.decode()).replace("xmlns=", "xmlns:x=")
                    content = text.encode()
                target.writestr(name, content)

        assert pupils(path) == READ

    def test_reported_workbooks_with_a_text_in_a_cell_of_dates_say_so(self, path: Path) -> None:
        """shuchkin/simplexlsx#36."""
        with xlsxwriter.Workbook(str(path)) as book:
            sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
            sheet.write_row(0, 0, [*TITLES, "Né(e) le"])
            sheet.write_row(1, 0, ROW)
            sheet.write(1, 3, "19/19/2000", day)

        [record] = read_student_worksheet(path, today=TODAY)

        assert record.birth_date is None
        assert FindingCode.DATE_MALFORMED in {each.code for each in record.findings}

    def test_reported_workbooks_that_count_from_1904_give_the_day(self, path: Path) -> None:
        """shuchkin/simplexlsx#40."""
        with xlsxwriter.Workbook(str(path), {"date_1904": True}) as book:
            sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
            sheet.write_row(0, 0, [*TITLES, "Né(e) le"])
            sheet.write_row(1, 0, ROW)
            sheet.write_datetime(1, 3, dt.datetime(2010, 4, 3), day)

        [record] = read_student_worksheet(path, today=TODAY)

        assert record.birth_date == dt.date(2010, 4, 3)

    def test_reported_workbooks_with_escaped_ends_of_lines_are_read(self, path: Path) -> None:
        """productdevbook/hucre#3."""
        text = '<c r="A2" t="inlineStr"><is><t>DUPONT_x000D__x000A_ONYX_x000D_</t></is></c>'
        path.write_bytes(altered(r'<c r="A2"[^>]*>.*?</c>', text, (TITLES, ROW)))

        assert pupils(path) == [("DUPONT ONYX", "Zoé", "2CAP")]

    @pytest.mark.parametrize("thread", ["ExcelDataReader/ExcelDataReader#269", "aVadim483/fast-excel-reader#28"])
    def test_reported_workbooks_tell_their_merged_cells(self, path: Path, thread: str) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([TITLES, ROW, ["BLÉ", "Éva"]]):
                sheet.write_row(number, 0, row)
            sheet.merge_range(1, 2, 2, 2, "2CAP")
        notes = WorksheetNotes()

        assert pupils(path, notes) == [*READ, ("BLÉ", "Éva", "")], thread
        assert [each.code for each in notes.findings] == [FindingCode.MERGED_CELLS]

    @pytest.mark.parametrize("thread", ["SheetJS/sheetjs#630", "EPPlusSoftware/EPPlus#602"])
    def test_reported_workbooks_tell_their_hidden_lines(self, path: Path, thread: str) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([TITLES, ROW]):
                sheet.write_row(number, 0, row)
            sheet.set_row(1, options={"hidden": True})

        [record] = read_student_worksheet(path, today=TODAY)

        assert FindingCode.HIDDEN_LINE in {each.code for each in record.findings}, thread

    def test_reported_workbooks_tell_their_hidden_columns(self, path: Path) -> None:
        """MathNya/umya-spreadsheet#221."""
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([TITLES, ROW]):
                sheet.write_row(number, 0, row)
            sheet.set_column(2, 2, options={"hidden": True})
        notes = WorksheetNotes()

        assert pupils(path, notes) == READ
        assert [each.code for each in notes.findings] == [FindingCode.HIDDEN_COLUMN]

"""Files as people's spreadsheets and editors really save them; everybody in them is fictitious."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter

from cpro.imports.errors import MissingColumns, StrayQuote, UnknownTableEncoding
from cpro.imports.parse.checks import check_birth_date
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.siecle.reader import read_students
from cpro.imports.parse.siecle.sts import read_sts
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.parse.spreadsheet.reader import read_staff_worksheet, read_student_worksheet, recognise_worksheet
from cpro.imports.parse.xml.encoding import detect_encoding

FILES = Path(__file__).parents[1] / "files" / "real-world"
TODAY = dt.date(2026, 11, 27)
TITLES = "Nom de famille;Prénom;Classe;Date de naissance\n"


class TestReadStudents:
    def test_read_students_repairs_a_first_name_retyped_in_another_encoding(self) -> None:
        records = read_xml("01-encodage-mele.xml")

        [repaired] = [record for record in records if codes(record.findings) & {FindingCode.TEXT_REPAIRED}]
        assert repaired.first_name == "Andréa"
        assert not repaired.is_refused

    def test_read_students_refuses_lost_letters_and_unescapes_what_was_escaped_twice(self) -> None:
        records = read_xml("03-caractere-perdu.xml")

        assert [record.line for record in records if FindingCode.NAME_REFUSED in codes(record.findings)] == [5]
        [unescaped] = [record for record in records if FindingCode.TEXT_REPAIRED in codes(record.findings)]
        assert (unescaped.line, unescaped.first_name) == (14, "D'EssaiÉ")


def test_read_sts_speaks_of_people_when_a_number_stands_twice() -> None:
    with (FILES / "22-sts-id-double.xml").open("rb") as stream:
        people = read_sts(stream).people

    sentences = [finding.sentence for person in people for finding in person.findings]
    assert len(sentences) == 2
    assert all("porté par plusieurs personnes (lignes 3 et 4)" in sentence for sentence in sentences)

    def test_read_students_reports_ages_of_nobody_who_learns(self) -> None:
        records = read_xml("24-naissances-invraisemblables.xml")

        found = [
            each.sentence for record in records for each in record.findings if each.code is FindingCode.AGE_UNLIKELY
        ]
        assert found == [
            "L’élève aurait 1 an : vérifiez l’année de naissance.",
            "L’élève aurait 100 ans : vérifiez l’année de naissance.",
        ]
        assert not any(record.is_refused for record in records)


class TestCheckBirthDate:
    @pytest.mark.parametrize(
        ("born", "is_told"),
        [
            ("27/11/2026", True),
            ("28/11/2015", True),
            ("27/11/2015", False),
            ("15/06/2010", False),
            ("28/11/1955", False),
            ("27/11/1955", True),
        ],
    )
    def test_check_birth_date_reports_ages_before_eleven_and_after_seventy(self, born: str, is_told: bool) -> None:
        findings: list[Finding] = []

        kept = check_birth_date(2, born, lambda text: dt.datetime.strptime(text, "%d/%m/%Y").date(), TODAY, findings)

        assert kept is not None
        assert [each.code for each in findings] == [FindingCode.AGE_UNLIKELY] * is_told


class TestReadStudentWorksheet:
    @pytest.mark.parametrize(
        "name", ["16-tabulations.txt", "16-texte-unicode.txt", "16-sep-tab.csv", "20-titre-au-dessus.csv"]
    )
    def test_read_student_worksheet_reads_what_spreadsheets_save(self, name: str) -> None:
        assert recognise_worksheet(FILES / name) is WorksheetKind.STUDENTS
        [record] = read_student_worksheet(FILES / name, today=TODAY)
        assert (record.last_name, record.first_name, record.division_code) == ("MODÈLE", "Ana", "2MELEC")

    @pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "utf-8", "utf-8-sig", "utf-16"])
    def test_read_student_worksheet_recognises_the_encoding(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "eleves.csv"
        path.write_bytes(f"{TITLES}LEFÈVRE;Éloïse;2MELEC;01/02/2009\nNOËL;Chloé;2MELEC;\n".encode(encoding))

        names = [(record.last_name, record.first_name) for record in read_student_worksheet(path, today=TODAY)]

        assert names == [("LEFÈVRE", "Éloïse"), ("NOËL", "Chloé")]

    def test_read_student_worksheet_keeps_a_letter_of_windows_1252_that_is_rare_in_french(self, tmp_path: Path) -> None:
        path = tmp_path / "eleves.csv"
        path.write_bytes(f"{TITLES}ŽIŽKA;Tomáš;2MELEC;\nD’ARC;Blažena;2MELEC;\n".encode("cp1252"))

        names = [(record.last_name, record.first_name) for record in read_student_worksheet(path, today=TODAY)]

        assert names == [("ŽIŽKA", "Tomáš"), ("D’ARC", "Blažena")]

    def test_read_student_worksheet_repairs_letters_that_end_in_a_quotation_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "eleves.csv"
        lines = "D’AOÛT;Zoë;2MELEC;\nŒUVRARD;Maëlle;2MELEC;\n".encode().decode("cp1252")
        path.write_text(TITLES + lines, encoding="utf-8")

        records = list(read_student_worksheet(path, today=TODAY))

        assert [(each.last_name, each.first_name) for each in records] == [("D’AOÛT", "Zoë"), ("ŒUVRARD", "Maëlle")]
        assert all(FindingCode.TEXT_REPAIRED in codes(each.findings) for each in records)

    def test_read_student_worksheet_refuses_two_encodings_in_one_file(self, tmp_path: Path) -> None:
        path = tmp_path / "eleves.csv"
        line = "MODÈLE;Chloé;2MELEC;\n"
        path.write_bytes(TITLES.encode("cp1252") + line.encode("cp1252") + line.encode("mac_roman"))

        with pytest.raises(UnknownTableEncoding, match="Windows-1252 ou Mac OS Roman"):
            recognise_worksheet(path)

    def test_read_student_worksheet_names_the_line_of_a_stray_quote(self) -> None:
        with pytest.raises(StrayQuote, match="La ligne 2 "):
            list(read_student_worksheet(FILES / "19-guillemet.csv", today=TODAY))

    def test_read_student_worksheet_refuses_a_name_that_no_document_prints(self, tmp_path: Path) -> None:
        path = tmp_path / "eleves.csv"
        path.write_text(f"{TITLES}李;Minh;2MELEC;\nNGUYỄN;Łucja;2MELEC;\nعبد;Ґалина;2MELEC;\n", encoding="utf-8")

        refused, *others = read_student_worksheet(path, today=TODAY)

        [finding] = [each for each in refused.findings if each.code is FindingCode.NAME_REFUSED]
        assert "« 李 », un signe que les documents ne peuvent pas imprimer" in finding.sentence
        assert not any(record.is_refused for record in others)

    def test_read_student_worksheet_knows_the_titles_people_write(self) -> None:
        records = list(read_student_worksheet(FILES / "21-titre-prenoms.csv", today=TODAY))

        assert records
        assert all(record.first_name for record in records)

    @pytest.mark.parametrize("name", ["07-classe-excel.csv", "07-classe-excel.xlsx"])
    def test_read_student_worksheet_refuses_codes_that_the_spreadsheet_changed(self, name: str) -> None:
        records = list(read_student_worksheet(FILES / name, today=TODAY))

        assert len(records) == 3
        assert all(FindingCode.DIVISION_ALTERED in codes(record.findings) and record.is_refused for record in records)

    def test_read_student_worksheet_reads_one_class_whatever_its_blanks(self) -> None:
        records = list(read_student_worksheet(FILES / "05-classe-insecable.csv", today=TODAY))

        assert {record.division_code for record in records} == {"2 MELEC"}
        assert len(records) == 3

    def test_read_student_worksheet_takes_no_filler_for_an_ine(self) -> None:
        records = list(read_student_worksheet(FILES / "08-ine-fictif.csv", today=TODAY))

        assert [(record.ine or "", record.is_refused) for record in records] == [("", False)] * 4
        assert all(codes(record.findings) == {FindingCode.INE_FILLER} for record in records)

    def test_read_student_worksheet_keeps_the_zeros_that_a_cell_shows(self, tmp_path: Path) -> None:
        path = tmp_path / "eleves.xlsx"
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Nom de famille", "Prénom", "Classe"])
        sheet.write_row(1, 0, ["MODÈLE", "Ana"])
        sheet.write_number(1, 2, 1, book.add_format({"num_format": "000"}))
        book.close()

        [record] = read_student_worksheet(path, today=TODAY)

        assert record.division_code == "001"


class TestReadStaffWorksheet:
    def test_read_staff_worksheet_knows_the_words_of_functions_and_between_classes(self) -> None:
        records = {record.last_name: record for record in read_staff_worksheet(FILES / "21-personnels.csv")}

        assert {name: record.function for name, record in records.items()} == {
            **dict.fromkeys(["DURAND", "MOREL", "PETIT", "LEROY"], "ENS"),
            "DUPUY": "DIR",
        }
        assert [records[name].division_codes for name in ("DURAND", "MOREL", "PETIT")] == [("2MELEC", "1MELEC")] * 3

    def test_read_staff_worksheet_shows_whole_a_function_it_does_not_know(self, tmp_path: Path) -> None:
        path = tmp_path / "personnels.csv"
        path.write_text("Nom;Prénom;Fonction\nDURAND;Léa;Gestionnaire comptable\n", encoding="utf-8")

        [record] = read_staff_worksheet(path)

        assert record.is_ignored
        assert "Gestionnaire comptable" in record.findings[0].sentence
        assert "ENS pour un enseignant" in record.findings[0].sentence

    def test_recognise_worksheet_never_takes_staff_without_function_for_pupils(self) -> None:
        with pytest.raises(MissingColumns, match=r"Personnels.*Fonction"):
            recognise_worksheet(FILES / "42-personnels-sans-fonction.csv")


def read_xml(name: str) -> list:
    with (FILES / name).open("rb") as stream:
        return list(read_students(stream, detect_encoding(stream), today=TODAY))


def codes(findings: tuple) -> set[FindingCode]:
    return {finding.code for finding in findings}

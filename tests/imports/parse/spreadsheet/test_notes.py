"""What a table holds and that is not read is told: columns, worksheets, hidden lines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter

from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.spreadsheet.columns import WorksheetKind, template_titles
from cpro.imports.parse.spreadsheet.notes import WorksheetNotes, suggest_column
from cpro.imports.parse.spreadsheet.reader import read_staff_worksheet, read_student_worksheet

TODAY = dt.date(2026, 11, 27)
TITLES = ["Nom de famille", "Prénom", "Classe"]
ANA, ZOE = ["MODÈLE", "Ana", "2MELEC"], ["ROUX", "Zoé", "2MELEC"]


def sentences(notes: WorksheetNotes, code: FindingCode) -> list[str]:
    return [finding.sentence.replace("\u202f", " ") for finding in notes.findings if finding.code is code]


def read_csv(path: Path, *rows: list[str]) -> WorksheetNotes:
    """Return what is noted of a table of pupils."""
    path.write_text("".join(";".join(row) + "\n" for row in rows), encoding="utf-8")
    notes = WorksheetNotes()
    assert list(read_student_worksheet(path, today=TODAY, notes=notes))
    return notes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the table of a test is written."""
    return tmp_path / "table"


class TestUnreadColumns:
    def test_columns_that_are_not_read_are_told_on_the_line_of_titles(self, path: Path) -> None:
        notes = read_csv(path, ["Lycée des Métiers", "", ""], [*TITLES, "Régime", "Option"], [*ANA, "DP", ""])

        assert notes.findings == [
            Finding(FindingCode.UNREAD_COLUMN, 2, "La colonne «\u202fRégime\u202f» n’est pas reprise.")
        ]

    def test_columns_without_title_are_told_by_their_letter(self, path: Path) -> None:
        notes = read_csv(path, [*TITLES, "", ""], [*ANA, "x", "y"])

        assert [sentence[:35] for sentence in sentences(notes, FindingCode.UNREAD_COLUMN)] == [
            "La colonne D n’a pas de titre (des ",
            "La colonne E n’a pas de titre (des ",
        ]

    def test_columns_of_the_model_and_empty_ones_are_not_told(self, path: Path) -> None:
        titles = template_titles(WorksheetKind.STUDENTS)
        row = ["MODÈLE", "", "Ana", "01/02/2010", "", "2MELEC", "", "", "12"]

        assert read_csv(path, [*titles, "Remarques"], row).findings == []

    def test_columns_beyond_many_lines_are_still_told(self, path: Path) -> None:
        notes = read_csv(path, [*TITLES, "A", "B"], *([[*ANA, "x", ""]] * 50), [*ZOE, "x", "late"])

        assert len(sentences(notes, FindingCode.UNREAD_COLUMN)) == 2

    @pytest.mark.parametrize(
        ("title", "value", "suggested"),
        [
            ("Date naissance élève", "01/02/2010", "Date de naissance"),
            ("Date de naisance", "01/02/2010", "Date de naissance"),
            ("Identification", "990000011DB", "INE"),
            ("", "990000011DB", "INE"),
            ("Code du MEF", "24722101231", "Code MEF"),
            ("Nom d usage 2", "DUPONT", "Nom d’usage"),
            ("Régime", "DP", ""),
            ("Classe précédente", "3A", ""),
        ],
    )
    def test_suggest_column_goes_by_the_values_then_by_the_title(self, title: str, value: str, suggested: str) -> None:
        known = {"last_name": 0, "first_name": 1, "division": 2}

        assert suggest_column(WorksheetKind.STUDENTS, title, [value], known) == suggested

    def test_suggestions_are_asked_in_the_sentence(self, path: Path) -> None:
        [sentence] = sentences(
            read_csv(path, [*TITLES, "Identification"], [*ANA, "990000011DB"]), FindingCode.UNREAD_COLUMN
        )

        assert sentence == (
            "La colonne « Identification » n’est pas reprise. Est-ce « INE » ? Répondez sur la page de l’import, ou "
            "donnez-lui ce titre."
        )

    def test_addresses_of_staff_are_known_by_their_shape(self, path: Path) -> None:
        path.write_text("Nom;Prénom;Fonction;Contact\nBON;Léa;ENS;lea.bon@example.org\n", encoding="utf-8")
        notes = WorksheetNotes()

        assert list(read_staff_worksheet(path, notes=notes))

        assert "Est-ce « Adresse électronique » ?" in sentences(notes, FindingCode.UNREAD_COLUMN)[0]

    def test_columns_that_another_one_stands_for_are_told_with_it(self, path: Path) -> None:
        titles, row = [*TITLES, "INE", "N° national"], [*ANA, "990000011DB", "990000011DB"]

        assert sentences(read_csv(path, titles, row), FindingCode.UNREAD_COLUMN) == [
            "La colonne « N° national » n’est pas reprise, parce que la colonne « INE » est déjà lue à sa place."
        ]


class TestLongLines:
    @pytest.mark.parametrize("end", ["", "x"])
    def test_long_lines_of_a_csv_file_are_refused_for_what_they_shift(self, path: Path, end: str) -> None:
        path.write_text(
            f"Nom,Prénom,Division,Remarque\nMODÈLE,Ana,2,00E+03,{end}\nMODÈLE,Zoé,2MELEC,\n", encoding="utf-8"
        )

        ana, zoe = read_student_worksheet(path, today=TODAY)

        found = [each for each in ana.findings if each.code is FindingCode.LINE_TOO_LONG]
        assert [each.sentence.replace("\u202f", " ")[:60] for each in found] == [
            "Cette ligne compte 5 valeurs, plus que de titres : un sépara"
        ]
        assert (ana.is_refused, zoe.is_refused) == (True, False)

    def test_long_lines_of_a_workbook_shift_nothing(self, path: Path) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, TITLES)
            sheet.write_row(1, 0, [*ANA, "une remarque"])

        [record] = read_student_worksheet(path, today=TODAY)

        assert not record.is_refused


class TestWorkbooks:
    @pytest.fixture
    def notes(self, path: Path) -> WorksheetNotes:
        """Return the notes of a workbook with a hidden line, a filtered one and four more worksheets."""
        with xlsxwriter.Workbook(str(path)) as book:
            first = book.add_worksheet("2de")
            for number, row in enumerate([TITLES, ANA, ZOE, ["BLÉ", "Éva", "2MELEC"]]):
                first.write_row(number, 0, row)
            first.autofilter(0, 0, 3, 2)
            first.set_row(2, options={"hidden": True})
            second = book.add_worksheet("1re")
            second.write_row(0, 0, TITLES)
            book.add_worksheet("Feuil3")
            hidden = book.add_worksheet("Listes")
            hidden.write_row(0, 0, TITLES)
            hidden.hide()
        return WorksheetNotes()

    def test_hidden_lines_are_read_and_told(self, path: Path, notes: WorksheetNotes) -> None:
        records = list(read_student_worksheet(path, today=TODAY, notes=notes))

        told = [[finding.code for finding in record.findings] for record in records]
        assert [record.last_name for record in records] == ["MODÈLE", "ROUX", "BLÉ"]
        assert [FindingCode.HIDDEN_LINE in each for each in told] == [False, True, False]
        assert not any(record.is_refused for record in records)

    def test_other_visible_worksheets_that_hold_something_are_named(self, path: Path, notes: WorksheetNotes) -> None:
        assert list(read_student_worksheet(path, today=TODAY, notes=notes))

        [sentence] = sentences(notes, FindingCode.OTHER_SHEET)
        assert "La feuille « 1re » n’est pas lue" in sentence

    def test_hidden_columns_that_are_read_are_told(self, path: Path) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([[*TITLES, "Option"], [*ANA, "x"]]):
                sheet.write_row(number, 0, row)
            sheet.set_column(2, 3, options={"hidden": True})
        notes = WorksheetNotes()

        [record] = read_student_worksheet(path, today=TODAY, notes=notes)

        assert record.division_code == "2MELEC"
        assert sentences(notes, FindingCode.HIDDEN_COLUMN) == [
            "La colonne « Classe » est masquée dans le classeur : elle est lue comme les autres."
        ]

    def test_merged_cells_are_told_below_the_titles_alone(self, path: Path) -> None:
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            sheet.merge_range(0, 0, 0, 2, "Lycée des Métiers")
            for number, row in enumerate([TITLES, ANA, ZOE[:2]], 1):
                sheet.write_row(number, 0, row)
            sheet.merge_range(2, 2, 3, 2, "2MELEC")
        notes = WorksheetNotes()

        records = list(read_student_worksheet(path, today=TODAY, notes=notes))

        assert [record.division_code for record in records] == ["2MELEC", ""]
        [sentence] = sentences(notes, FindingCode.MERGED_CELLS)
        assert sentence.startswith("Les cellules C3:C4 sont fusionnées : seule la première a une valeur")
        assert [finding.line for finding in notes.findings] == [3]

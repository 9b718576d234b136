"""The template that schools without SIECLE fill in: it comes back recognised, and opens in French spreadsheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpro.imports.parse.files.extraction import unpack
from cpro.imports.parse.files.recognition import recognise
from cpro.imports.parse.spreadsheet.columns import WorksheetKind, template_csv, template_titles, template_xlsx
from tests.imports.conftest import WriteFile


class TestTemplate:
    @pytest.mark.parametrize("kind", WorksheetKind)
    @pytest.mark.parametrize("make", [template_csv, template_xlsx])
    def test_template_is_recognised_when_it_comes_back(
        self, write: WriteFile, folder: Path, kind: WorksheetKind, make
    ) -> None:  # type: ignore[no-untyped-def]
        [file] = unpack([("modele", write(make(kind)))], folder)

        assert recognise(file).worksheet_kind is kind

    def test_template_csv_opens_with_its_accents_in_french_spreadsheets(self) -> None:
        assert template_csv(WorksheetKind.STUDENTS).startswith("\ufeffNom de famille;Nom d’usage;Prénom;".encode())

    def test_template_titles_names_no_column_twice(self) -> None:
        for kind in WorksheetKind:
            assert len(set(template_titles(kind))) == len(template_titles(kind))

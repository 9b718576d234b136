"""The empty tables offered for download."""

from __future__ import annotations

from cpro.core.spreadsheets import csv_lines, xlsx_file
from cpro.imports.parse.spreadsheet.columns import COLUMNS, WorksheetKind


def template_csv(kind: WorksheetKind) -> bytes:
    """Return the titles alone as CSV: semicolons, UTF-8 with its mark. An example line would end up imported."""
    return "".join(csv_lines([template_titles(kind)])).encode()


def template_xlsx(kind: WorksheetKind) -> bytes:
    """Return the titles alone as a workbook."""
    return xlsx_file([template_titles(kind)], title=kind.value)


def template_titles(kind: WorksheetKind) -> list[str]:
    """Return the titles in the order of the template."""
    return [column.title for column in COLUMNS[kind]]

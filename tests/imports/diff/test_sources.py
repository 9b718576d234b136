"""How much there is to read in a deposit, which says who reads it: the page or a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpro.imports.diff.sources import TableSources, size_of
from cpro.imports.parse.files.archives import Shape
from cpro.imports.parse.files.extraction import UnpackedFile
from cpro.imports.parse.files.recognition import RecognisedFile
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.runs.deposits import AT_ONCE_SIZE


@pytest.mark.parametrize(("shape", "bytes_of_a_line"), [(Shape.WORKBOOK, 320), (None, 80)])
def test_size_of_a_table_counts_its_lines_as_those_of_an_export(
    tmp_path: Path, shape: Shape | None, bytes_of_a_line: int
) -> None:
    path = tmp_path / "eleves"

    def size(lines: int) -> int:
        path.write_bytes(b"x" * lines * bytes_of_a_line)
        file = UnpackedFile("eleves", path, shape or next(each for each in Shape if each is not Shape.WORKBOOK))
        return size_of(TableSources({WorksheetKind.STUDENTS: RecognisedFile(file)}, 2026))

    assert size(8_000) <= AT_ONCE_SIZE < size(10_000)

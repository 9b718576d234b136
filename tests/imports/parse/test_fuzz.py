"""Whatever is deposited, the answer is a reading or a refusal in French, never a defect."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from pathlib import Path

import pytest

from bench.campaigns import size_of
from cpro.core.errors import DomainError
from cpro.imports.parse.files.extraction import unpack
from cpro.imports.parse.files.recognition import RecognisedFile, recognise
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.parse.siecle.reader import read_students
from cpro.imports.parse.siecle.structures import read_nomenclature, read_structures
from cpro.imports.parse.siecle.sts import read_sts
from cpro.imports.parse.spreadsheet.columns import WorksheetKind, template_csv, template_xlsx
from cpro.imports.parse.spreadsheet.reader import read_staff_worksheet, read_student_worksheet
from tests.helpers.siecle import FILES

pytestmark = pytest.mark.slow

TODAY = dt.date(2026, 10, 5)
SAMPLES = [path.read_bytes() for path in sorted(FILES.glob("*.[xz]*"))] + [
    make(kind) for make in (template_csv, template_xlsx) for kind in WorksheetKind
]
TOKENS = (b"<", b">", b"&", b"]]>", b"<!DOCTYPE a>", b"&#0;", b"&x;", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"PK")


def corrupt(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to four wounds."""
    wounded = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(wounded) or 1)
        end = place + chance.randint(1, 400)
        match chance.randrange(6):
            case 0:
                wounded[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del wounded[place:end]
            case 2:
                wounded[place:place] = chance.choice(TOKENS)
            case 3:
                wounded[place:place] = wounded[place:end]
            case 4:
                del wounded[place:]
            case _:
                wounded[place:end] = chance.randbytes(min(end, len(wounded)) - place)
    return bytes(wounded)


def read(found: RecognisedFile) -> None:
    """Read the file to its end with the reader of its kind."""
    path = found.file.path
    if found.worksheet_kind is WorksheetKind.STUDENTS:
        list(read_student_worksheet(path, today=TODAY))
    elif found.worksheet_kind is WorksheetKind.STAFF:
        list(read_staff_worksheet(path))
    elif found.header:
        with path.open("rb") as stream:
            match found.header.kind:
                case ExportKind.STUDENTS:
                    list(read_students(stream, today=TODAY))
                case ExportKind.STRUCTURES:
                    read_structures(stream)
                case ExportKind.NOMENCLATURE:
                    read_nomenclature(stream)
                case ExportKind.STAFF:
                    read_sts(stream)


@pytest.mark.parametrize("seed", range(size_of("corrupted-files")))
def test_parse_reads_or_refuses_corruptions(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        folder = tmp_path / "unfolded"
        folder.mkdir()
        deposit = tmp_path / "deposit"
        deposit.write_bytes(corrupt(chance.choice(SAMPLES), chance))

        try:
            for file in unpack([("deposit", deposit)], folder):
                read(recognise(file))
        except DomainError as refusal:
            assert refusal.message.startswith("«\u202fdeposit") or refusal.message[0].isupper()
        shutil.rmtree(folder)

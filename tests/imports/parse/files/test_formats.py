"""Formats that people deposit and that are not read: the refusal says which one, and how to save the file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from cpro.imports.errors import EncryptedWorkbook, FileRefused, OtherFormat, TableInWebPage, UnknownFile, WebPage
from cpro.imports.parse.files.extraction import unpack
from cpro.imports.parse.files.recognition import recognise
from tests.helpers.siecle import zip_of
from tests.imports.conftest import WriteFile

REAL_WORLD = Path(__file__).parents[2] / "files" / "real-world"
OPEN_DOCUMENT = b"application/vnd.oasis.opendocument."


def refusal_of(path: Path, folder: Path) -> FileRefused:
    """Return the refusal of a file that a person deposits."""
    with pytest.raises(FileRefused) as caught:
        for file in unpack([(path.name, path)], folder):
            recognise(file)
    return caught.value


def compound_file(*streams: str) -> bytes:
    """Return a file of Microsoft's older formats: its header, then, in its third sector, its directory."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 2)
    directory = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *streams))
    return bytes(header) + bytes(1024) + directory


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (compound_file("Workbook"), "l’ancien format d’Excel (.xls)"),
        (compound_file("\1CompObj", "Book"), "l’ancien format d’Excel (.xls)"),
        (zip_of({"mimetype": OPEN_DOCUMENT + b"spreadsheet", "content.xml": b"<a/>"}), "OpenDocument (.ods)"),
        (zip_of({"mimetype": OPEN_DOCUMENT + b"spreadsheet-template", "content.xml": b"<a/>"}), "OpenDocument (.ods)"),
        (zip_of({"[Content_Types].xml": b"<a/>", "xl/workbook.bin": b"x"}), "binaire d’Excel (.xlsb)"),
        (zip_of({"Index/Document.iwa": b"x", "Index/CalculationEngine.iwa": b"x"}), "document de Numbers"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook></Workbook>', "« XML 2003 »"),
        (b'<?xml version="1.0"?><office:document xmlns:office="x"></office:document>', "(.fods)"),
        (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "format page web (.mht)"),
    ],
)
def test_recognise_names_the_format_of_a_table_that_is_not_read(
    write: WriteFile, folder: Path, content: bytes, words: str
) -> None:
    refusal = refusal_of(write(content, "eleves.xls"), folder)

    assert isinstance(refusal, OtherFormat)
    assert words in refusal.message
    assert "enregistrez-le en XLSX" in refusal.message


def test_recognise_says_that_a_workbook_has_a_password(write: WriteFile, folder: Path) -> None:
    refusal = refusal_of(write(compound_file("EncryptionInfo", "EncryptedPackage"), "eleves.xlsx"), folder)

    assert isinstance(refusal, EncryptedWorkbook)
    assert "mot de passe" in refusal.message


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"{\\rtf1\\ansi Nom;Classe}",
        compound_file("WordDocument"),
        zip_of({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}),
        zip_of({"mimetype": OPEN_DOCUMENT + b"text", "content.xml": b"<a/>"}),
        zip_of({"Index/Document.iwa": b"x"}),
    ],
)
def test_recognise_takes_a_document_or_a_picture_for_no_table(write: WriteFile, folder: Path, content: bytes) -> None:
    assert isinstance(refusal_of(write(content, "liste.csv"), folder), UnknownFile)


@pytest.mark.parametrize("start", ["", "<!DOCTYPE html>\n<html>", "<meta charset=utf-8>", "<HTML xmlns:x='urn'>"])
def test_recognise_says_that_a_web_page_may_be_a_table(write: WriteFile, folder: Path, start: str) -> None:
    refusal = refusal_of(write(f"{start}<TABLE><tr><td>MODÈLE</td></tr></TABLE>".encode(), "eleves.xls"), folder)

    assert isinstance(refusal, TableInWebPage)
    assert "tableau enregistré au format page web" in refusal.message
    assert "session expirée" in refusal.message


def test_recognise_says_so_of_the_table_that_another_program_named_xls(folder: Path) -> None:
    assert isinstance(refusal_of(REAL_WORLD / "18-html.xls", folder), TableInWebPage)


def test_recognise_takes_a_page_without_table_for_an_expired_session(write: WriteFile, folder: Path) -> None:
    refusal = refusal_of(write(b"<!DOCTYPE html><html><body>Connexion</body></html>"), folder)

    assert type(refusal) is WebPage

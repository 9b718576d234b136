"""Files recognised by their root, read in the encoding they are really in, attacks refused at once."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from cpro.imports import errors
from cpro.imports.parse.files.extraction import unpack
from cpro.imports.parse.files.recognition import RecognisedFile, recognise
from cpro.imports.parse.siecle.header import ExportKind, Header
from cpro.imports.parse.siecle.reader import read_students
from cpro.imports.parse.xml.encoding import detect_encoding
from tests.helpers.siecle import FILES, student, students_xml
from tests.imports.conftest import WriteFile

TODAY = dt.date(2026, 10, 5)
ACCENTED = students_xml(student(NOM_DE_FAMILLE="SŒURFACTICE", PRENOM="Zoë"))


def recognise_path(path: Path, folder: Path) -> RecognisedFile:
    [file] = unpack([(path.name, path)], folder)
    return recognise(file)


class TestRecognise:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("ElevesSansAdresses.xml", ExportKind.STUDENTS),
            ("ElevesAvecAdresses.xml", ExportKind.STUDENTS),
            ("Structures.xml", ExportKind.STRUCTURES),
            ("Nomenclature.xml", ExportKind.NOMENCLATURE),
        ],
    )
    def test_recognise_reads_the_header_of_siecle(self, folder: Path, name: str, kind: ExportKind) -> None:
        found = recognise_path(FILES / name, folder)

        assert found.header == Header(kind, "0999001W", 2026, dt.date(2026, 10, 5))

    def test_recognise_reads_the_header_of_sts(self, folder: Path) -> None:
        found = recognise_path(FILES / "sts_emp_0999001W_2026.xml", folder)

        assert found.header == Header(ExportKind.STAFF, "0999001W", 2026, None)

    def test_recognise_does_not_look_at_the_name(self, write: WriteFile, folder: Path) -> None:
        path = write((FILES / "Structures.xml").read_bytes(), "sts_emp.csv")

        found = recognise_path(path, folder)

        assert found.header is not None
        assert found.header.kind is ExportKind.STRUCTURES

    @pytest.mark.parametrize(
        ("content", "refusal"),
        [
            (b"<BEE_RESPONSABLES/>", errors.ResponsiblesRefused),
            (b"<?xml version='1.0'?>\n<!-- x -->\n<EDT_STS></EDT_STS>", errors.WrongDirection),
            (b"<BEE_COMMUN></BEE_COMMUN>", errors.UnusedExport),
            (b"<IMPORT_ELEVES/>", errors.UnknownFile),
            (b"<!DOCTYPE html><html></html>", errors.WebPage),
            (b"\n<HTML><body></HTML>", errors.WebPage),
            (b"<!-- never closed", errors.ForbiddenDeclaration),
            (b"< ", errors.UnknownFile),
            (b"   ", errors.EmptyFile),
            (b"\xff\xfe\0\0<\0\0\0", errors.FileRefused),
            (b"<?xml version='1.0' encoding='EBCDIC-CP-FR'?><BEE_ELEVES/>", errors.UnknownEncoding),
            (b"<?xml version='1.0' encoding='klingon'?><BEE_ELEVES/>", errors.UnknownEncoding),
            (b"<BEE_ELEVES><DONNEES/></BEE_ELEVES>", errors.MissingHeader),
            (b"<BEE_ELEVES><PARAMETRES><UAJ>0999001A</UAJ></PARAMETRES></BEE_ELEVES>", errors.MissingHeader),
            (b"<STS_EDT><PARAMETRES/></STS_EDT>", errors.MissingHeader),
            (b"Bonjour\nun deux trois", errors.UnknownFile),
            (bytes(range(256)), errors.FileRefused),
        ],
    )
    def test_recognise_refuses_the_rest_with_its_reason(
        self, write: WriteFile, folder: Path, content: bytes, refusal: type[errors.FileRefused]
    ) -> None:
        with pytest.raises(refusal):
            recognise_path(write(content), folder)

    def test_recognise_refuses_a_file_of_the_timetable_software(self, write: WriteFile, folder: Path) -> None:
        content = (FILES / "sts_emp_0999001W_2026.xml").read_bytes()
        content = content.replace(b"<PARAMETRES>", b"<PARAMETRES><APPLICATION_SOURCE>EDT</APPLICATION_SOURCE>", 1)

        with pytest.raises(errors.WrongDirection):
            recognise_path(write(content), folder)

    def test_recognise_refuses_a_cut_file_at_once(self, write: WriteFile, folder: Path) -> None:
        with pytest.raises(errors.BrokenXML):
            recognise_path(write((FILES / "ElevesSansAdresses.xml").read_bytes()[:-40]), folder)

    @pytest.mark.parametrize(
        "declaration",
        [
            '<!DOCTYPE a [<!ENTITY x "y">]>',
            '<!DOCTYPE a SYSTEM "http://example.invalid/a.dtd">',
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            "<!-- x --><?y z?><!DOCTYPE a>",
            "<!DOCTYPE a [" + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 30)) + "]>",
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
    def test_recognise_refuses_any_doctype(
        self, write: WriteFile, folder: Path, declaration: str, encoding: str
    ) -> None:
        content = f'<?xml version="1.0"?>{declaration}<BEE_ELEVES>&x;</BEE_ELEVES>'.encode(encoding)

        with pytest.raises(errors.ForbiddenDeclaration):
            recognise_path(write(content), folder)

    def test_read_students_refuses_an_undeclared_entity(self, write: WriteFile) -> None:
        path = write(students_xml(student(PRENOM="&bomb;")).encode())

        with path.open("rb") as stream, pytest.raises(errors.BrokenXML):
            list(read_students(stream, today=TODAY))


class TestDetectEncoding:
    @pytest.mark.parametrize(
        ("declared", "real"),
        [
            ("ISO-8859-15", "iso-8859-15"),
            ("UTF-8", "utf-8"),
            ("ISO-8859-15", "utf-8-sig"),
            ("ISO-8859-15", "utf-8"),
            ("ISO-8859-15", "cp1252"),
            ("ISO-8859-1", "cp1252"),
            ("windows-1252", "cp1252"),
            ("ISO-8859-15", "utf-16"),
            ("UTF-8", "utf-16-le"),
            ("UTF-16", "utf-16-be"),
            ("UTF-16", "utf-8"),
            ("latin9", "iso-8859-15"),
        ],
    )
    def test_read_students_reads_the_encoding_a_file_is_really_in(
        self, write: WriteFile, declared: str, real: str
    ) -> None:
        path = write(ACCENTED.replace("ISO-8859-15", declared).encode(real))

        with path.open("rb") as stream:
            [found] = read_students(stream, today=TODAY)

        assert (found.last_name, found.first_name) == ("SŒURFACTICE", "Zoë")

    def test_read_students_refuses_latin_bytes_declared_utf_8(self, write: WriteFile) -> None:
        path = write(ACCENTED.replace("ISO-8859-15", "UTF-8").encode("iso-8859-15"))

        with path.open("rb") as stream, pytest.raises(errors.BrokenXML):
            list(read_students(stream, today=TODAY))

    def test_detect_encoding_believes_the_declaration_of_pure_ascii(self, write: WriteFile) -> None:
        path = write(students_xml(student()).encode())

        with path.open("rb") as stream:
            assert detect_encoding(stream).name == "ISO-8859-15"


_MEASURE = """
import datetime as dt, resource, sys
from cpro.imports.errors import FileRefused
from cpro.imports.parse.siecle.reader import read_students
from cpro.imports.parse.siecle.header import read_header
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for read in (read_header, lambda stream: list(read_students(stream, today=dt.date(2026, 10, 5)))):
    with open(sys.argv[1], "rb") as stream:
        try:
            read(stream)
        except FileRefused:
            pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
class TestMemory:
    @pytest.mark.skipif(sys.platform == "win32", reason="the peak is asked of the system as Unix has it")
    @pytest.mark.parametrize(
        ("start", "unit"),
        [
            (b"<BEE_ELEVES><DONNEES><ELEVES>", b"<X><Y>z</Y></X>"),
            (b"<BEE_ELEVES>", b"<X/>"),
            (b"<BEE_ELEVES><DONNEES><ELEVES><ELEVE>", b"<NOM>x</NOM>"),
            (b"<BEE_ELEVES><DONNEES><ELEVES><ELEVE/>", b"<ELEVE/>"),
            (b"<BEE_ELEVES><DONNEES><ELEVES><ELEVE><NOM>", b"xxxxxxxxxxxxxxxx"),
            (b"<BEE_ELEVES><DONNEES><ELEVES><ELEVE/>", b"<!-- comment -->"),
            (b"<BEE_ELEVES><a ", b"a='bbbbbbbbbbbbbbbbbbb' "),
            (b"<!DOCTYPE a [", b"<!ENTITY a 'b'>"),
        ],
    )
    def test_read_root_memory_stays_bounded_on_twenty_million_bytes_of_anything(
        self, write: WriteFile, start: bytes, unit: bytes
    ) -> None:
        path = write(start + unit * (20_000_000 // len(unit)))

        done = subprocess.run([sys.executable, "-c", _MEASURE, path], capture_output=True, text=True, check=True)

        assert int(done.stdout) < 80, "megabytes above the start"

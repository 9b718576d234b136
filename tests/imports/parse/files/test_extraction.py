"""Archives: what is taken, what is refused, in which sentence."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from cpro.imports.errors import (
    ArchiveBomb,
    ArchiveWithoutFile,
    BrokenArchive,
    CrowdedArchive,
    DepositTooLarge,
    EmptyFile,
    EncryptedArchive,
    FileRefused,
    NestedArchive,
    UnreadableTable,
    UnsafeArchive,
    UnsupportedArchive,
)
from cpro.imports.parse.files import archives, extraction
from cpro.imports.parse.files.archives import Shape
from cpro.imports.parse.files.extraction import unpack
from cpro.imports.refusals import Refusals
from tests.helpers.siecle import FILES, zip_of
from tests.imports.conftest import WriteFile


class TestUnpack:
    def test_unpack_takes_several_files_zipped_or_not(self, folder: Path) -> None:
        uploads = [(name, FILES / name) for name in ("ExportXML_ElevesSansAdresses.zip", "Structures.xml")]

        files = unpack(uploads, folder)

        assert [file.name for file in files] == [
            "ExportXML_ElevesSansAdresses.zip › ElevesSansAdresses.xml",
            "Structures.xml",
        ]
        assert files[0].path.read_bytes() == (FILES / "ElevesSansAdresses.xml").read_bytes()

    def test_unpack_names_the_files_it_writes_itself(self, write: WriteFile, folder: Path) -> None:
        path = write(zip_of({"a/b/Eleves.xml": b"<A/>", "c/Eleves.xml": b"<B/>"}), "depot.zip")

        files = unpack([("depot.zip", path)], folder)

        assert sorted(path.name for path in folder.iterdir()) == ["001", "002"]
        assert [file.path.read_bytes() for file in files] == [b"<A/>", b"<B/>"]

    def test_unpack_leaves_what_systems_put_and_what_is_not_data(self, write: WriteFile, folder: Path) -> None:
        members = {
            "__MACOSX/._a.xml": b"x",
            ".DS_Store": b"x",
            "d/.b.xml": b"x",
            "lisezmoi.pdf": b"x",
            "a.XML": b"<A/>",
        }
        refusals = Refusals()

        files = unpack([("z", write(zip_of(members)))], folder, refusals)

        assert [file.name for file in files] == ["z › a.XML"]
        assert [left.name for left in refusals.left] == ["z › lisezmoi.pdf"]

    def test_unpack_tells_a_workbook_from_an_archive(self, write: WriteFile, folder: Path) -> None:
        workbook = zip_of({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})

        files = unpack([("t.zip", write(zip_of({"eleves.xlsx": workbook})))], folder)

        assert [file.shape for file in files] == [Shape.WORKBOOK]

    def test_unpack_refuses_an_empty_file(self, write: WriteFile, folder: Path) -> None:
        with pytest.raises(EmptyFile, match=r"^«\u202fvide\.xml\u202f»\u202f: ce fichier est vide"):
            unpack([("vide.xml", write(b""))], folder)

    def test_unpack_refuses_a_large_deposit_before_unfolding(
        self, write: WriteFile, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(extraction, "MAX_DEPOSIT_SIZE", 1000)
        path = write(zip_of({"a.xml": b"<A/>" * 200, "b.xml": b"<A/>" * 200}))

        with pytest.raises(DepositTooLarge):
            unpack([("a.zip", path)], folder)
        assert not list(folder.iterdir())

    @pytest.mark.parametrize("content", [b"7z\xbc\xaf\x27\x1c0000", b"Rar!\x1a\x07", b"\x1f\x8b\x08\0"])
    def test_unpack_refuses_other_archives(self, write: WriteFile, folder: Path, content: bytes) -> None:
        with pytest.raises(UnsupportedArchive):
            unpack([("a.7z", write(content))], folder)

    def test_unpack_refuses_an_old_workbook(self, write: WriteFile, folder: Path) -> None:
        with pytest.raises(UnreadableTable):
            unpack([("a.xls", write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50)))], folder)

    @pytest.mark.parametrize("name", ["b.zip", "b.7z", "b.xml"])
    def test_unpack_refuses_an_archive_inside(self, write: WriteFile, folder: Path, name: str) -> None:
        with pytest.raises(NestedArchive):
            unpack([("a.zip", write(zip_of({name: zip_of({"a.xml": b"<A/>"})})))], folder)

    def test_unpack_refuses_an_archive_without_data(self, write: WriteFile, folder: Path) -> None:
        with pytest.raises(ArchiveWithoutFile):
            unpack([("a.zip", write(zip_of({"a.pdf": b"x"})))], folder)

    @pytest.mark.parametrize("name", ["../a.xml", "/a.xml", "C:/a.xml", "b\\..\\..\\a.xml", "b/../../a.xml", "\\a.xml"])
    def test_unpack_refuses_names_that_point_outside(self, write: WriteFile, folder: Path, name: str) -> None:
        with pytest.raises(UnsafeArchive):
            unpack([("a.zip", write(zip_of({name: b"<A/>"})))], folder)

    def test_unpack_refuses_a_link(self, write: WriteFile, folder: Path) -> None:
        link = zipfile.ZipInfo("a.xml")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(link, "/etc/passwd")

        with pytest.raises(UnsafeArchive):
            unpack([("a.zip", write(buffer.getvalue()))], folder)

    def test_unpack_refuses_a_password(self, write: WriteFile, folder: Path) -> None:
        content = bytearray(zip_of({"a.xml": b"<A/>"}))
        content[content.index(b"PK\x01\x02") + 8] |= 1

        with pytest.raises(EncryptedArchive):
            unpack([("a.zip", write(bytes(content)))], folder)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_unpack_refuses_methods_that_unfold_in_one_go(self, write: WriteFile, folder: Path, method: int) -> None:
        with pytest.raises(UnsupportedArchive):
            unpack([("a.zip", write(zip_of({"a.xml": b"<A/>" * 1000}, method)))], folder)

    def test_unpack_refuses_a_bomb(self, write: WriteFile, folder: Path) -> None:
        with pytest.raises(ArchiveBomb):
            unpack([("a.zip", write(zip_of({"a.xml": bytes(5_000_000)})))], folder)

    @pytest.mark.parametrize("declared", [10, 100_000])
    def test_unpack_refuses_a_size_that_lies(self, write: WriteFile, folder: Path, declared: int) -> None:
        content = bytearray(zip_of({"a.xml": b"<A/>" * 1000}))
        struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 24, declared)

        with pytest.raises(BrokenArchive):
            unpack([("a.zip", write(bytes(content)))], folder)

    def test_unpack_refuses_members_that_share_their_bytes(self, write: WriteFile, folder: Path) -> None:
        content = zip_of({"a.xml": b"<A/>" * 1000}, zipfile.ZIP_STORED)
        start = content.index(b"PK\x01\x02")
        end = content.index(b"PK\x05\x06")
        directory = content[start:end] * 3
        tail = bytearray(content[end:])
        struct.pack_into("<HHL", tail, 8, 3, 3, len(directory))

        with pytest.raises(ArchiveBomb):
            unpack([("a.zip", write(content[:start] + directory + bytes(tail)))], folder)

    def test_unpack_refuses_very_many_members(
        self, write: WriteFile, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archives, "MAX_MEMBERS", 3)

        with pytest.raises(CrowdedArchive):
            unpack([("a.zip", write(zip_of({f"{number}.xml": b"<A/>" for number in range(4)})))], folder)

    @pytest.mark.integration
    def test_unpack_reads_no_table_of_contents_larger_than_its_bounds(self, write: WriteFile, folder: Path) -> None:
        content = zip_of({f"{'x' * 200}{number}.xml": b"" for number in range(5000)})

        with pytest.raises(CrowdedArchive):
            unpack([("a.zip", write(content))], folder)

    @pytest.mark.parametrize("cut", [30, 200, 500, 1000, 1890])
    def test_unpack_refuses_a_cut_archive(self, write: WriteFile, folder: Path, cut: int) -> None:
        content = (FILES / "ExportXML_ElevesSansAdresses.zip").read_bytes()[:cut]

        with pytest.raises(FileRefused):
            unpack([("a.zip", write(content))], folder)

"""Check zip archives before unpacking any byte, and unpack them under generated names; detect the shape of a file."""

from __future__ import annotations

import enum
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cpro.core.formatting import format_count
from cpro.imports.errors import (
    ArchiveBomb,
    BrokenArchive,
    CrowdedArchive,
    EmptyFile,
    EncryptedArchive,
    FileRefused,
    UnknownFile,
    UnsafeArchive,
    UnsupportedArchive,
)
from cpro.imports.parse.files.formats import NO_TABLE_STARTS, require_archive_read, require_format_read

MAX_MEMBERS = 200
#: Maximum compression ratio of a member; SIECLE's files reach 10 to 60. Small members are exempt.
MAX_RATIO, RATIO_FREE_SIZE = 200, 1 << 20
#: Maximum read by zipfile at once: the table of contents of an archive of `MAX_MEMBERS` is far smaller.
_READ_LIMIT = 1 << 20
_ENCRYPTED = 0x1 | 0x40
#: zipfile unpacks the others (bzip2, LZMA) a whole block at a time, however large.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_ARCHIVE_STARTS = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
#: First bytes of the files that are refused by those alone, and each refusal.
REFUSED_STARTS: tuple[tuple[re.Pattern[bytes], type[FileRefused]], ...] = (
    (re.compile(rb"\s*(?!.)", re.DOTALL), EmptyFile),
    (re.compile(b"|".join(map(re.escape, _OTHER_ARCHIVE_STARTS))), UnsupportedArchive),
    (re.compile(b"|".join(map(re.escape, NO_TABLE_STARTS))), UnknownFile),
)
_WORKBOOK_PART = "xl/workbook.xml"


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose table of contents is small and whose members are all safe to read.

    Raises CrowdedArchive, EncryptedArchive, UnsafeArchive, UnsupportedArchive, ArchiveBomb; also BrokenArchive for any
    zipfile error inside the block.
    """
    try:
        with _SparingFile(path) as file, zipfile.ZipFile(file) as archive:
            _judge(archive, path.stat().st_size)
            yield archive
    except _BROKEN as error:
        raise BrokenArchive from error


def measure_unfolded(path: Path) -> int:
    """Return the unpacked size of a file in bytes: its own size if it is not an archive."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with open_archive(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def list_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members added by people: no folders, and no files added by systems (`__MACOSX/`, dot files)."""
    return [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(member.filename).parts)
    ]


class _SparingFile(io.FileIO):
    """A file that never reads much at once, whatever size the archive claims for its table of contents."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._end = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most `_READ_LIMIT` bytes; raises CrowdedArchive when there would be more."""
        if size is None or size < 0:
            size = max(0, self._end - self.tell())
        if size > _READ_LIMIT:
            raise _crowded()
        return super().read(size) or b""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Seek; raises BadZipFile for a negative position, which only a forged archive asks for."""
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError) as error:
            raise zipfile.BadZipFile("offset out of the file") from error


def _judge(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise _crowded()
    if sum(member.compress_size for member in members) > size:
        raise ArchiveBomb  # members that share their bytes
    for member in members:
        _judge_member(member)


def _judge_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise EncryptedArchive
    if stat.S_ISLNK(member.external_attr >> 16) or _UNSAFE_NAME.search(member.orig_filename):
        raise UnsafeArchive
    if member.compress_type not in _METHODS:
        raise UnsupportedArchive
    if member.file_size > RATIO_FREE_SIZE and member.file_size > member.compress_size * MAX_RATIO:
        raise ArchiveBomb


def _crowded() -> CrowdedArchive:
    return CrowdedArchive(
        f"Cette archive contient plus de {format_count(MAX_MEMBERS)} fichiers : déposez seulement ceux de l’export."
    )


class Shape(enum.Enum):
    """The container format of a file."""

    TEXT = "texte"
    WORKBOOK = "classeur XLSX"
    ARCHIVE = "archive"


def detect_shape(path: Path) -> Shape:
    """Return the container format of a file. Raises EmptyFile, UnsupportedArchive, UnknownFile, and as `formats`."""
    with path.open("rb") as file:
        start = file.read(64)
    for beginning, refusal in REFUSED_STARTS:
        if beginning.match(start):
            raise refusal
    if not start.startswith(_ZIP_STARTS):
        require_format_read(path, start)
        return Shape.TEXT
    with open_archive(path) as archive:
        if _WORKBOOK_PART in archive.namelist():
            return Shape.WORKBOOK
        require_archive_read(archive)
        return Shape.ARCHIVE

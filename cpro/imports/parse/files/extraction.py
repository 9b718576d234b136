"""Extract the files of a deposit to disk, archives included, within size bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from cpro.core.formatting import format_size
from cpro.imports.errors import (
    ArchiveWithoutFile,
    BrokenArchive,
    DepositTooLarge,
    FileRefused,
    NestedArchive,
    NotAnExport,
    NotATable,
    UnknownFile,
)
from cpro.imports.parse.files.archives import Shape, detect_shape, list_members, open_archive
from cpro.imports.refusals import Refusals, about_file

#: Maximum bytes of a whole deposit, before and after unpacking.
MAX_DEPOSIT_SIZE = 200 * 1024 * 1024
_CHUNK_SIZE = 1 << 16
#: Suffixes of the members considered: those that can be read, or named in a refusal. Others are left aside.
_TAKEN = frozenset({".xml", ".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".fods", ".numbers"})
_ARCHIVES = frozenset({".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz"})


@dataclass(frozen=True, slots=True)
class UnpackedFile:
    """A file to recognise; `name` is for display only, « export.zip › Eleves.xml », never used to find a file."""

    name: str
    path: Path
    shape: Shape


def unpack(uploads: Sequence[tuple[str, Path]], folder: Path, refusals: Refusals | None = None) -> list[UnpackedFile]:
    """Return the files of a deposit; those of archives are written into the folder under numbers.

    The caller owns the folder, and deletes it. Raises DepositTooLarge before anything is unpacked, and a FileRefused
    naming the file for what cannot be read; with `refusals`, these are collected and the other files returned.
    Irrelevant files are left aside. After an archive that cannot be unpacked, no other is: the bytes it wrote are not
    counted.
    """
    _check_size(sum(path.stat().st_size for _, path in uploads))
    room = MAX_DEPOSIT_SIZE
    files: list[UnpackedFile] = []
    kept = Refusals() if refusals is None else refusals
    unfolds = True
    for name, path in uploads:
        members: list[UnpackedFile] = []
        with kept.gathered(FileRefused), about_file(name):
            shape = detect_shape(path)
            if shape is not Shape.ARCHIVE:
                members = [UnpackedFile(name, path, shape)]
            elif unfolds:
                unfolds = False
                members = _unfold(name, path, folder, len(files), room, kept)
                unfolds = True
        room -= sum(member.path.stat().st_size for member in members)
        _check_size(MAX_DEPOSIT_SIZE - room)
        files += members
    if refusals is None:
        kept.raise_if_any(useful=bool(files))
    return files


def _unfold(name: str, path: Path, folder: Path, count: int, room: int, refusals: Refusals) -> list[UnpackedFile]:
    files: list[UnpackedFile] = []
    with open_archive(path) as archive:
        members = list_members(archive)
        suffixes = {PurePosixPath(member.filename).suffix.lower() for member in members}
        if suffixes & _ARCHIVES:
            raise NestedArchive
        taken = [member for member in members if PurePosixPath(member.filename).suffix.lower() in _TAKEN]
        if not taken:
            raise ArchiveWithoutFile
        for member in members:
            if member not in taken:
                with refusals.gathered(FileRefused), about_file(_member_name(name, member)):
                    raise UnknownFile
        _check_size(MAX_DEPOSIT_SIZE - room + sum(member.file_size for member in taken))
        for number, member in enumerate(taken, count + 1):
            member_name, target = _member_name(name, member), folder / f"{number:03}"
            with refusals.gathered(UnknownFile, NotAnExport, NotATable), about_file(member_name):
                _copy(archive, member, target)
                shape = detect_shape(target)
                if shape is Shape.ARCHIVE:
                    raise NestedArchive
                files.append(UnpackedFile(member_name, target, shape))
    return files


def _member_name(name: str, member: zipfile.ZipInfo) -> str:
    return f"{name} › {PurePosixPath(member.filename).name}"


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member; zipfile stops at the declared size, and a false size fails the checksum."""
    with archive.open(member) as source, target.open("xb") as file:
        written = _pour(source, file)
    if written != member.file_size:
        raise BrokenArchive


def _pour(source: IO[bytes], file: BinaryIO) -> int:
    written = 0
    while chunk := source.read(_CHUNK_SIZE):
        file.write(chunk)
        written += len(chunk)
    return written


def _check_size(size: int) -> None:
    if size > MAX_DEPOSIT_SIZE:
        raise DepositTooLarge(
            f"Ce dépôt pèse plus de {format_size(MAX_DEPOSIT_SIZE)} une fois déployé : déposez moins de fichiers."
        )

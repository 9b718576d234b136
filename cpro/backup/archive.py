"""The file of a backup: a compressed tar whose last member has the SHA-256 of all others, written and read in one pass.

`tar xzf FILE && sha256sum -c SHA256SUMS` checks it too. Its members, in order: `cpro.json` (format, product, key),
`files/…` (the store), `database.json` (revision, tables), `tables/<table>/…` (rows, one JSON list a line),
`SHA256SUMS`. If a name appears twice, the last member wins.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from cpro.core.errors import DomainError

HEADER, DATABASE, SUMS = "cpro.json", "database.json", "SHA256SUMS"
FILES, TABLES = "files/", "tables/"
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}"
#: A file of the store, relative to its root.
STORED = re.compile(rf"{_PART}(?:/{_PART}){{0,7}}")
_MEMBER = re.compile(
    rf"cpro\.json|database\.json|SHA256SUMS|files/{STORED.pattern}|tables/[a-z0-9_]{{1,63}}/[0-9]{{8}}\.jsonl"
)
_CHUNK = 1 << 20
_LEVEL = 5
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError)
_MODE = 0o600


class Damaged(DomainError):
    """Refuse a file that is not a backup, or not a complete one."""

    message = (
        "Cette sauvegarde est endommagée ou incomplète, ou ce fichier n’en est pas une\u202f: rien n’a été restauré. "
        "Prenez-en une autre copie."
    )


class Writer:
    """Writes the members of a backup, one after the other."""

    def __init__(self, archive: tarfile.TarFile, sums: BinaryIO) -> None:
        self._archive, self._sums = archive, sums

    def add(self, name: str, content: bytes) -> None:
        """Add a member held in memory."""
        self.add_stream(name, io.BytesIO(content), len(content))

    def add_json(self, name: str, content: object) -> None:
        """Add a member with JSON content."""
        self.add(name, json.dumps(content, indent=1).encode())

    def add_stream(self, name: str, stream: BinaryIO, size: int) -> str:
        """Add the first `size` bytes of a stream; return their SHA-256. Raises OSError if it has fewer."""
        digest = _Hashed(stream, size)
        self._archive.addfile(_described(name, size), digest)
        self._sums.write(_sum_line(digest.hexdigest(), name))
        return digest.hexdigest()

    def finish(self) -> None:
        """Add the checksums of all members."""
        size = self._sums.tell()
        self._sums.seek(0)
        self._archive.addfile(_described(SUMS, size), self._sums)


@contextmanager
def writing(sink: BinaryIO) -> Iterator[Writer]:
    """Yield a writer of members into a stream; the archive is complete once the block ends without error."""
    with (
        tempfile.TemporaryFile() as sums,
        gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=_LEVEL, filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        writer = Writer(archive, sums)
        yield writer
        writer.finish()


class Member:
    """A member being read; read it to its end before the next one."""

    def __init__(self, name: str, stream: BinaryIO, size: int) -> None:
        self.name, self.size = name, size
        self._stream = _Hashed(stream, size)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in chunks."""
        while chunk := self._stream.read(_CHUNK):
            yield chunk

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the content."""
        return iter(io.BufferedReader(self._stream, _CHUNK))

    def fields(self, kinds: Mapping[str, type]) -> list[Any]:
        """Return the values of the content, a JSON object, under each name, checked by type. Raises `Damaged`."""
        try:
            content = json.loads(b"".join(self.chunks()))
        except (ValueError, RecursionError) as error:
            raise Damaged from error
        if type(content) is not dict or any(type(content.get(name)) is not kind for name, kind in kinds.items()):
            raise Damaged
        return [content[name] for name in kinds]

    def sha256(self) -> str:
        """Return the digest of the content, reading it to its end."""
        for _chunk in self.chunks():
            pass
        return self._stream.hexdigest()

    def sum_line(self) -> bytes:
        """Return the member's line in the checksums, reading its content to the end."""
        return _sum_line(self.sha256(), self.name)


def read(source: BinaryIO) -> Iterator[Member]:
    """Yield the members of a backup except the checksums, which are compared at the end. Raises `Damaged`."""
    computed, declared = hashlib.sha256(), b""
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            for info in archive:
                stream = archive.extractfile(info) if info.isreg() else None
                if stream is None or not _MEMBER.fullmatch(info.name) or declared:
                    raise Damaged
                member = Member(info.name, stream, info.size)  # type: ignore[arg-type]  # it reads bytes
                if info.name == SUMS:
                    digest = hashlib.sha256()
                    for chunk in member.chunks():
                        digest.update(chunk)
                    declared = digest.digest()
                else:
                    yield member
                    computed.update(member.sum_line())
            while packed.read(_CHUNK):  # to the end, where gzip has its own checksum
                pass
    except _UNREADABLE as error:
        raise Damaged from error
    if declared != computed.digest():
        raise Damaged


class _Hashed(io.RawIOBase):
    """The first bytes of a stream, and their digest as they are read."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left, self._digest = stream, size, hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises `Damaged` for content that is truncated or does not unpack."""
        try:
            chunk = self._stream.read(self._left if size < 0 else min(size, self._left))
        except _UNREADABLE as error:
            raise Damaged from error
        self._left -= len(chunk)
        self._digest.update(chunk)
        return chunk

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes; return how many."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def hexdigest(self) -> str:
        """Return the digest of what was read."""
        return self._digest.hexdigest()


def _described(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, _MODE
    return info


def _sum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()

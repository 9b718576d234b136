"""Rows kept aside until the end of the file is known: in memory while they are few, then on disk."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any

_BATCH = 500
_MEMORY_SIZE = 1 << 20


class Spool:
    """Tuples of plain values, written once, read once in the same order; the file has no name and dies with us."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_SIZE)
        self._batch: list[tuple[Any, ...]] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, row: tuple[Any, ...]) -> None:
        """Keep a tuple of None, numbers and texts."""
        self._batch.append(row)
        if len(self._batch) == _BATCH:
            self._flush()

    def replay(self) -> Iterator[tuple[Any, ...]]:
        """Yield the tuples in the order in which they came."""
        self._flush()
        self._file.seek(0)
        while size := int.from_bytes(self._file.read(8), "big"):
            yield from marshal.loads(self._file.read(size))

    def _flush(self) -> None:
        if self._batch:
            data = marshal.dumps(self._batch)
            self._file.write(len(data).to_bytes(8, "big") + data)
            self._batch = []

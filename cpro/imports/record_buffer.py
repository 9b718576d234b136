"""Buffer the records of a file until the whole file is read: in memory up to 1 MiB, then in a temporary file."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any

_BATCH = 500
_MEMORY_SIZE = 1 << 20


class RecordBuffer:
    """A buffer of tuples of plain values, read in the order in which they were appended.

    The temporary file has no name: the system deletes it when the process ends.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_SIZE)
        self._batch: list[tuple[Any, ...]] = []

    def __enter__(self) -> RecordBuffer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, values: tuple[Any, ...]) -> None:
        """Append a tuple of None, numbers and texts."""
        self._batch.append(values)
        if len(self._batch) == _BATCH:
            self._flush()

    def replay(self) -> Iterator[tuple[Any, ...]]:
        """Yield the tuples in the order in which they were appended."""
        self._flush()
        self._file.seek(0)
        while size := int.from_bytes(self._file.read(8), "big"):
            yield from marshal.loads(self._file.read(size))

    def _flush(self) -> None:
        if self._batch:
            data = marshal.dumps(self._batch)
            self._file.write(len(data).to_bytes(8, "big") + data)
            self._batch = []

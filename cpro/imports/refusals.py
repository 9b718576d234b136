"""Collect the refusals of one deposit: reported together, or ignored if there are useful files beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from cpro.core.errors import DomainError
from cpro.imports.errors import (
    ArchiveWithoutFile,
    FileRefused,
    MissingColumns,
    NotAnExport,
    NotATable,
    OtherFormat,
    ResponsiblesRefused,
    UnknownFile,
    UnreadableTable,
    UnusedExport,
    WrongDirection,
)


@contextmanager
def reword_refusals(uses_siecle: bool) -> Iterator[None]:
    """Replace the refusal of a file of an unknown kind by one that says what such a school deposits."""
    try:
        yield
    except (UnknownFile, UnreadableTable, MissingColumns) as refusal:
        if not uses_siecle and not isinstance(refusal, UnknownFile):
            raise
        fitting = NotAnExport() if uses_siecle else NotATable()
        fitting.name_file(refusal.file_name)
        raise fitting from refusal


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file of a deposit that is ignored, and why, in a sentence that names it."""

    name: str
    sentence: str


class SeveralRefused(DomainError):
    """Refuse several files of one deposit, each with its own sentence."""

    def __init__(self, refusals: Sequence[DomainError]) -> None:
        super().__init__(" ".join(each.message for each in refusals), field="files")


#: Refusals of files useless to a school in any case: ignored beside useful files, with the reason reported.
_USELESS = (
    UnknownFile,
    NotAnExport,
    NotATable,
    OtherFormat,
    ResponsiblesRefused,
    UnusedExport,
    WrongDirection,
    ArchiveWithoutFile,
)


class Refusals:
    """The refusals of one deposit, raised together, worded for the school's SIECLE setting if it is known.

    Useless files are refused only together with another file, or if nothing useful is left.
    """

    def __init__(self, *, uses_siecle: bool | None = None) -> None:
        self._uses_siecle = uses_siecle
        self._found: list[DomainError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def gathered(self, *kinds: type[DomainError]) -> Iterator[None]:
        """Collect refusals of these kinds raised in the block, and continue after it."""
        try:
            with nullcontext() if self._uses_siecle is None else reword_refusals(self._uses_siecle):
                yield
        except kinds as refusal:
            self._found.append(refusal)

    @property
    def left(self) -> tuple[LeftFile, ...]:
        """Return the ignored files, with the sentence of each."""
        return tuple(LeftFile(each.file_name, each.message) for each in self._found if isinstance(each, _USELESS))

    def raise_if_any(self, *, useful: bool = True) -> None:
        """Raise the only refusal, or `SeveralRefused`; those of useless files only if nothing is `useful`."""
        found = [each for each in self._found if not (useful and isinstance(each, _USELESS))]
        if len(found) > 1:
            raise SeveralRefused(found)
        if found:
            raise found[0]


@contextmanager
def about_file(name: str) -> Iterator[None]:
    """Add the file's name to any refusal raised in the block."""
    try:
        yield
    except FileRefused as refusal:
        refusal.name_file(name)
        raise

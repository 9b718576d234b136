"""Gather the refusals of one deposit: told together, or left aside where files of use are beside them."""

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
    """Put the refusal of a file that is none of those a school deposits in the words of such a school."""
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
    """A file that a deposit leaves aside, and why, in a sentence that names it."""

    name: str
    sentence: str


class SeveralRefused(DomainError):
    """Refuse several files of one deposit, each in its own sentence."""

    def __init__(self, refusals: Sequence[DomainError]) -> None:
        super().__init__(" ".join(each.message for each in refusals), field="files")


#: What can be of no use to a school, whatever is done again: left aside beside useful files, its reason told.
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
    """The refusals of one deposit, raised together, in the words of such a school if it is known.

    Files of no use are refused only where another one is, or where nothing useful is left.
    """

    def __init__(self, *, uses_siecle: bool | None = None) -> None:
        self._uses_siecle = uses_siecle
        self._found: list[DomainError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def gathered(self, *kinds: type[DomainError]) -> Iterator[None]:
        """Keep a refusal of these kinds that comes out of the block, and go on after it."""
        try:
            with nullcontext() if self._uses_siecle is None else reword_refusals(self._uses_siecle):
                yield
        except kinds as refusal:
            self._found.append(refusal)

    @property
    def left(self) -> tuple[LeftFile, ...]:
        """Return the files of no use, with the sentence of each."""
        return tuple(LeftFile(each.file_name, each.message) for each in self._found if isinstance(each, _USELESS))

    def raise_if_any(self, *, useful: bool = True) -> None:
        """Raise the only refusal, or `SeveralRefused`; those of files of no use only where nothing is `useful`."""
        found = [each for each in self._found if not (useful and isinstance(each, _USELESS))]
        if len(found) > 1:
            raise SeveralRefused(found)
        if found:
            raise found[0]


@contextmanager
def about_file(name: str) -> Iterator[None]:
    """Name the file in whatever refusal comes out of the block."""
    try:
        yield
    except FileRefused as refusal:
        refusal.name_file(name)
        raise

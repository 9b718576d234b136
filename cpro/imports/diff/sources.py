"""The files of one import: at most one of each kind, all of the same school and year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cpro.core.errors import DomainError
from cpro.core.formatting import format_school_year, join_french
from cpro.imports.errors import FilesDisagree, OtherSchool, SIECLENotUsed, SIECLEUsed, UAIMissing
from cpro.imports.models import RunKind
from cpro.imports.parse.files.archives import Shape, measure_unfolded
from cpro.imports.parse.files.recognition import RecognisedFile
from cpro.imports.parse.siecle.header import ExportKind, Header
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.refusals import LeftFile, Refusals

#: In August, SIECLE has switched to the year that begins (STS-Web names its files accordingly).
_FIRST_MONTH = 8
#: The beginning of each pupil in an export, in any encoding except those of two bytes a letter.
_PUPIL = b"<ELEVE "
_PIECE_SIZE = 1 << 20
#: A pupil takes about a thousand bytes of an export, eighty of a table, three hundred of an unpacked workbook.
_TABLE_WEIGHT, _WORKBOOK_WEIGHT = 12, 3


@dataclass(frozen=True)
class SIECLESources:
    """The exports of an import, and the other files of the deposit."""

    files: dict[ExportKind, RecognisedFile]
    school_year: int
    left: tuple[LeftFile, ...] = ()
    kind: RunKind = field(default=RunKind.SIECLE, init=False)

    @property
    def described(self) -> list[dict[str, str]]:
        """Return the files as stored in `ImportRun.files`."""
        return [
            *(_describe(file, kind.label) for kind, file in self.files.items()),
            *(_describe_left(each) for each in self.left),
        ]


@dataclass(frozen=True)
class TableSources:
    """The tables of an import, and the other files of the deposit."""

    files: dict[WorksheetKind, RecognisedFile]
    school_year: int
    left: tuple[LeftFile, ...] = ()
    kind: RunKind = field(default=RunKind.TABLE, init=False)

    @property
    def described(self) -> list[dict[str, str]]:
        """Return the files as stored in `ImportRun.files`."""
        return [
            *(_describe(file, kind.value) for kind, file in self.files.items()),
            *(_describe_left(each) for each in self.left),
        ]


Sources = SIECLESources | TableSources


def size_of(sources: Sources) -> int:
    """Return how many bytes there are to read, unpacked: a workbook of half a megabyte may contain a hundred.

    The size of a table is converted to that of an export with as many lines.
    """
    return sum(measure_unfolded(each.file.path) * _weigh(each) for each in sources.files.values())


def _weigh(file: RecognisedFile) -> int:
    if file.header is not None:
        return 1
    return _WORKBOOK_WEIGHT if file.file.shape is Shape.WORKBOOK else _TABLE_WEIGHT


def count_pupils(sources: Sources) -> int:
    """Return the number of pupils in an export without parsing it, 0 if only reading it can tell."""
    file = sources.files.get(ExportKind.STUDENTS) if isinstance(sources, SIECLESources) else None
    if file is None:
        return 0
    number, end = 0, b""
    with file.file.path.open("rb") as stream:
        while piece := stream.read(_PIECE_SIZE):
            number += (end + piece).count(_PUPIL)
            end = piece[1 - len(_PUPIL) :]
    return number


def _describe(recognised: RecognisedFile, kind: str) -> dict[str, str]:
    return {"name": recognised.file.name, "kind": kind, "stored": recognised.file.path.name}


def _describe_left(left: LeftFile) -> dict[str, str]:
    return {"name": left.name, "kind": "", "left": left.sentence}


def gather_all(files: Sequence[RecognisedFile], *, uai: str | None, uses_siecle: bool, today: dt.date) -> Sources:
    """Return the files deposited by a school, exports or tables, checked together and against its SIECLE setting.

    Beside files that the school uses, those of the other sort are ignored. Raises as `require_kind` and `gather` do.
    """
    tables = [file for file in files if file.header is None]
    exports = [file for file in files if file.header is not None]
    if not tables or (exports and uses_siecle):
        sources = gather(exports, uai=uai)
        require_kind(sources.kind, uses_siecle=uses_siecle)
        return replace(sources, left=tuple(_leave(file, SIECLEUsed()) for file in tables))
    require_kind(RunKind.TABLE, uses_siecle=uses_siecle)
    if uai:
        _require_own(exports, uai)
    return replace(_gather_tables(tables, today), left=tuple(_leave(file, SIECLENotUsed()) for file in exports))


def _require_own(exports: Sequence[RecognisedFile], uai: str) -> None:
    refusals = Refusals()
    for file in exports:
        with refusals.gathered(OtherSchool):
            _own_header(file, uai)
    refusals.raise_if_any()


def _leave(file: RecognisedFile, reason: DomainError) -> LeftFile:
    name = file.file.name
    return LeftFile(name, f"« {name} » : {reason.message[0].lower()}{reason.message[1:]}")


def require_kind(kind: RunKind, *, uses_siecle: bool) -> None:
    """Raise `SIECLENotUsed` or `SIECLEUsed` for files that do not match the school's SIECLE setting."""
    if kind is RunKind.SIECLE and not uses_siecle:
        raise SIECLENotUsed
    if kind is RunKind.TABLE and uses_siecle:
        raise SIECLEUsed


def _gather_tables(files: Sequence[RecognisedFile], today: dt.date) -> TableSources:
    gathered: dict[WorksheetKind, list[RecognisedFile]] = {}
    for file in files:
        assert file.worksheet_kind is not None, "a file without header is a table"
        gathered.setdefault(file.worksheet_kind, []).append(file)
    refusals = Refusals()
    for kind, alike in gathered.items():
        with refusals.gathered(FilesDisagree):
            _check_only("tableaux", kind.value, alike)
    refusals.raise_if_any()
    return TableSources({kind: alike[0] for kind, alike in gathered.items()}, current_school_year(today))


def gather(files: Sequence[RecognisedFile], *, uai: str | None) -> SIECLESources:
    """Return the exports, checked together.

    Raises UAIMissing, OtherSchool, and FilesDisagree for tables, two files of one kind, or of two school years; several
    of them together as SeveralRefused.
    """
    if not uai:
        raise UAIMissing
    gathered: dict[ExportKind, list[RecognisedFile]] = {}
    refusals = Refusals()
    for file in files:
        with refusals.gathered(FilesDisagree, OtherSchool):
            header = _own_header(file, uai)
            gathered.setdefault(header.kind, []).append(file)
    for kind, alike in gathered.items():
        with refusals.gathered(FilesDisagree):
            _check_only("fichiers", kind.label, alike)
    years = {file.header.school_year for alike in gathered.values() for file in alike if file.header}
    with refusals.gathered(FilesDisagree):
        _check_years(years)
    if not gathered and not refusals:
        raise FilesDisagree("Aucun fichier n’a été déposé.", field="files")
    refusals.raise_if_any()
    return SIECLESources({kind: alike[0] for kind, alike in gathered.items()}, years.pop())


def _own_header(file: RecognisedFile, uai: str) -> Header:
    if file.header is None:
        raise FilesDisagree(
            f"« {file.file.name} » est un tableau : déposez ici les exports de SIECLE et de STS-Web.", field="files"
        )
    if file.header.uai != uai:
        raise OtherSchool(file.file.name, file.header.uai, uai)
    return file.header


def _check_only(what: str, kind: str, files: Sequence[RecognisedFile]) -> None:
    """Raise FilesDisagree, naming the files, if there are several of one kind."""
    if len(files) > 1:
        number = "Deux" if len(files) == 2 else str(len(files))
        names = join_french([f"« {each.file.name} »" for each in files])
        raise FilesDisagree(
            f"{number} {what} sont du même type, « {kind} » : {names}. N’en déposez qu’un.", field="files"
        )


def _check_years(years: set[int]) -> None:
    if len(years) > 1:
        shown = " et ".join(format_school_year(year) for year in sorted(years))
        raise FilesDisagree(
            f"Ces fichiers sont d’années scolaires différentes ({shown}) : refaites les exports.", field="files"
        )


def current_school_year(today: dt.date) -> int:
    """Return the calendar year in which the current school year starts."""
    return today.year if today.month >= _FIRST_MONTH else today.year - 1

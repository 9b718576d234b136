"""The files of one import, one of each kind, all of one school and one year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpro.imports.deposit.recognition import RecognisedFile
from cpro.imports.refusals import FilesDisagree, OtherSchool, UAIMissing
from cpro.imports.siecle.header import ExportKind

#: In August, SIECLE has switched to the year that begins (STS-Web names its files so).
_FIRST_MONTH = 8


@dataclass(frozen=True)
class SIECLESources:
    """The exports of an import."""

    paths: dict[ExportKind, Path]
    names: dict[ExportKind, str]
    school_year: int

    @property
    def described(self) -> list[dict[str, str]]:
        """Return the files as `ImportRun.files` keeps them."""
        return [{"name": self.names[kind], "kind": kind.label} for kind in self.paths]


def gather(files: Sequence[RecognisedFile], *, uai: str | None) -> SIECLESources:
    """Return the exports, judged together.

    Raises UAIMissing, OtherSchool, and FilesDisagree for tables, two files of one kind, or of two school years.
    """
    if not uai:
        raise UAIMissing
    paths: dict[ExportKind, Path] = {}
    names: dict[ExportKind, str] = {}
    years: set[int] = set()
    for file in files:
        if file.header is None:
            raise FilesDisagree(
                f"« {file.file.name} » est un tableau : déposez ici les exports de SIECLE et de STS-Web.", field="files"
            )
        header = file.header
        if header.uai != uai:
            raise OtherSchool(header.uai, uai)
        if header.kind in paths:
            raise FilesDisagree(
                f"Deux fichiers sont du même type, « {header.kind.label} » : n’en déposez qu’un.", field="files"
            )
        paths[header.kind], names[header.kind] = file.file.path, file.file.name
        years.add(header.school_year)
    if not paths:
        raise FilesDisagree("Aucun fichier n’a été déposé.", field="files")
    if len(years) > 1:
        shown = " et ".join(year_label(year) for year in sorted(years))
        raise FilesDisagree(f"Ces fichiers sont d’années scolaires différentes ({shown}) : refaites les exports.")
    return SIECLESources(paths, names, years.pop())


def current_school_year(today: dt.date) -> int:
    """Return the calendar year in which the present school year starts."""
    return today.year if today.month >= _FIRST_MONTH else today.year - 1


def year_label(school_year: int) -> str:
    """Return « 2026-2027 »."""
    return f"{school_year}-{school_year + 1}"

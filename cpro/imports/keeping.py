"""Files of the imports that are not over, kept out of reach: an analysis is done again when the data changed.

They hold what we never store (addresses, telephone numbers), so each folder goes as soon as its import is applied,
replaced, abandoned or refused; `sweep` takes what a crash left. Folders stand under the uploads, which all the
machines of a deployment share: `imports/<school's id>/<random name>`.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flask import current_app

from cpro.core.parsing import read_id
from cpro.core.storage import FOLDER_MODE, StorageUnavailable

_TOKEN = re.compile(r"[0-9a-f]{32}")


class Upload(Protocol):
    """A file as a browser sends it."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write it."""


@dataclass
class Reception:
    """A folder that is being filled; it goes at the end unless `token` was kept by a row."""

    folder: Path
    token: str
    is_kept: bool = False

    def receive(self, uploads: Sequence[Upload]) -> list[tuple[str, Path]]:
        """Write what a browser sent; return each file's name, for people, and path. Raises StorageUnavailable."""
        received = []
        for number, upload in enumerate(uploads, 1):
            path = self.folder / f"depot-{number:03}"
            try:
                upload.save(path)
            except OSError as error:
                raise StorageUnavailable("Les fichiers n’ont pas pu être reçus par le serveur", error) from error
            received.append((_shown(upload.filename), path))
        return received

    def keep_only(self, names: Sequence[str]) -> None:
        """Delete all that is not among these names: archives once unfolded, files that serve no purpose."""
        for path in self.folder.iterdir():
            if path.name not in names:
                path.unlink()


@contextmanager
def open_reception(establishment_id: int) -> Iterator[Reception]:
    """Yield a new folder of the school, deleted at the end unless it was kept. Raises StorageUnavailable."""
    token = secrets.token_hex(16)
    folder = folder_of(establishment_id, token)
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True)
    except OSError as error:
        raise StorageUnavailable("Les fichiers n’ont pas pu être reçus par le serveur", error) from error
    reception = Reception(folder, token)
    try:
        yield reception
    finally:
        if not reception.is_kept:
            forget(establishment_id, token)


def folder_of(establishment_id: int, token: str) -> Path:
    """Return the folder of an import."""
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"not the name of a folder: {token!r}")
    return _root() / f"{establishment_id:d}" / token


def forget(establishment_id: int, token: str) -> None:
    """Delete the files of an import, if they are still there."""
    if token:
        shutil.rmtree(folder_of(establishment_id, token), ignore_errors=True)


def sweep(kept: set[tuple[int, str]], *, older_than: float) -> int:
    """Delete the folders that no import names, last written before an instant (seconds); return how many."""
    deleted = 0
    for folder in _root().glob("*/*"):
        school, token = folder.parent.name, folder.name
        school_id = read_id(school)
        if school_id is None or not _TOKEN.fullmatch(token) or (school_id, token) in kept:
            continue
        if folder.stat().st_mtime < older_than:
            shutil.rmtree(folder, ignore_errors=True)
            deleted += 1
    return deleted


def _root() -> Path:
    return Path(current_app.config["CPRO_UPLOADS"]) / "imports"


def _shown(name: str | None) -> str:
    """Return a file's name as it is shown and kept: without folders, control characters, nor more than 100 signs."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:100].strip() or "fichier sans nom"

"""Store the files of imports that are not over, so that an analysis can be repeated when the data changed.

The files contain data that is never stored (addresses, telephone numbers): each folder is deleted as soon as its
import is applied, replaced, abandoned or refused, and `delete_abandoned` deletes those left by a crash. The folders are
`imports/<school's id>/<random name>` under the uploads, a storage that all the machines of a deployment share.
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

from cpro.core.parsing import read_id
from cpro.core.storage import FOLDER_MODE, FileStorage, StorageUnavailable
from cpro.extensions import application

_TOKEN = re.compile(r"[0-9a-f]{32}")
_NOT_RECEIVED = "Les fichiers n’ont pas pu être reçus par le serveur"


class Upload(Protocol):
    """An uploaded file."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write it."""


@dataclass
class UploadFolder:
    """A folder that receives files; it is deleted at the end unless `is_kept`, once a row has stored its `token`."""

    path: Path
    token: str
    is_kept: bool = False

    def receive(self, uploads: Sequence[Upload]) -> list[tuple[str, Path]]:
        """Write uploaded files; return (name to show, path) for each. Raises `StorageUnavailable`."""
        received = []
        for number, upload in enumerate(uploads, 1):
            path = self.path / f"depot-{number:03}"
            try:
                upload.save(path)
            except OSError as error:
                raise StorageUnavailable(_NOT_RECEIVED, error) from error
            received.append((show_name(upload.filename), path))
        return received

    def keep_only(self, names: Sequence[str]) -> None:
        """Delete every file of the folder whose name is not among `names`."""
        for path in self.path.iterdir():
            if path.name not in names:
                path.unlink()


@contextmanager
def create_folder(establishment_id: int) -> Iterator[UploadFolder]:
    """Yield a new folder of the school, deleted at the end unless `is_kept`. Raises `StorageUnavailable`."""
    token = secrets.token_hex(16)
    path = get_folder(establishment_id, token)
    FileStorage(application.uploads).check_present(_NOT_RECEIVED)
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True)
    except OSError as error:
        raise StorageUnavailable(_NOT_RECEIVED, error) from error
    folder = UploadFolder(path, token)
    try:
        yield folder
    finally:
        if not folder.is_kept:
            delete_folder(establishment_id, token)


def get_folder(establishment_id: int, token: str) -> Path:
    """Return the path of the folder of an import. Raises `ValueError` if `token` is not a valid folder name."""
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"not the name of a folder: {token!r}")
    return _root() / f"{establishment_id:d}" / token


def delete_folder(establishment_id: int, token: str) -> None:
    """Delete the folder of an import with its files, if it still exists; an empty token means none."""
    if token:
        shutil.rmtree(get_folder(establishment_id, token), ignore_errors=True)


def delete_abandoned(kept: set[tuple[int, str]], *, older_than: float) -> int:
    """Delete the folders not in `kept`, {(school's id, token)}, last written before `older_than`; return how many.

    `older_than` is in seconds since the epoch.
    """
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
    return application.uploads / "imports"


def show_name(name: str | None) -> str:
    """Return a file's name without folders or control characters, cut at 100 characters, to be shown and stored."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:100].strip() or "fichier sans nom"

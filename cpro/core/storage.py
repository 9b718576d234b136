"""Uploaded files on the disk: one folder per school, each file named by the digest of its content.

Words: a *stored name* is ``<establishment id>/<first two hex digits>/<sha256><suffix>``; it is what a row stores. A
file has no owner here: several rows of a school may name it, so it is removed by `sweep`, which receives the names
that rows still reference, rather than when one row is deleted.

Invariant: a file under its stored name is complete and durable; a name that is not exactly of that form opens
nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from cpro.core.errors import DomainError, NotFound

FILE_MODE = 0o640
FOLDER_MODE = 0o750
#: A file younger than this may belong to a transaction or a job that is not committed yet.
GRACE = timedelta(hours=1)

_ID = r"[1-9][0-9]{0,18}"
_SUFFIX = r"(?:\.[a-z0-9]{1,8})?"
_STORED_NAME = re.compile(rf"{_ID}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}{_SUFFIX}")
#: A file being written or being removed, in the folder of its stored name; the random part is `tempfile`'s.
_TEMPORARY_NAME = re.compile(rf"{_ID}/[0-9a-f]{{2}}/\.[0-9a-f]{{64}}-[a-z0-9_]{{8}}\.tmp")
#: How many times a writer recreates its folder when a sweep removes it, empty, at the same moment.
_FOLDER_ATTEMPTS = 20
_PROBE_BYTES = 4096
#: Marks a prepared store; hidden, so that backups and sweeps ignore it.
MARK = ".cpro-store"
_MARKED = "Dossier des fichiers de CPro. Sans ce fichier, CPro ne le reconnaît pas et n’y écrit rien.\n"

logger = logging.getLogger(__name__)


#: System errors that mean that no file can grow: no space left, quota, maximum size.
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


_TELL = "Prévenez la personne qui s’occupe du serveur, puis recommencez."


class StorageUnavailable(DomainError):
    """The server could not read or write its files: a full disk, a folder without permission."""

    status = 503

    def __init__(self, failure: str, error: OSError) -> None:
        """Build the message from `failure`, a French clause without a full stop, and the cause when it is known."""
        if error.errno in FULL_DISK:
            self.status = 507
        why = dict.fromkeys(FULL_DISK, "\u202f: le disque est plein") | {
            errno.EACCES: "\u202f: l’accès au dossier des fichiers est refusé",
            errno.EPERM: "\u202f: l’accès au dossier des fichiers est refusé",
            errno.EROFS: "\u202f: le dossier des fichiers est en lecture seule",
        }
        super().__init__(f"{failure}{why.get(error.errno or 0, '')}. {_TELL}")


class StoreAbsent(StorageUnavailable):
    """The folder of the files is missing, or another (its disk is not mounted); `message` is the whole message."""

    def __init__(self, message: str) -> None:
        DomainError.__init__(self, message)


class StoredFileMissing(NotFound):
    """No file has this stored name, or the name is not a valid one."""

    message = "Ce fichier n’est plus sur le serveur."


class Draft:
    """A file being written in pieces; its stored `name` is known once it is complete."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.name = ""


class FileStorage:
    """The schools' files in the store, usually ``uploads/``, or in one folder of it, created on first use.

    Writers never create the store itself: without its mark, the folder is the mount point of a missing disk.
    """

    def __init__(self, store: Path, folder: str = "") -> None:
        self._mark = store / MARK
        self.root = store / folder

    def prepare(self) -> None:
        """Create the store if needed, and mark it. Raises StorageUnavailable."""
        try:
            self._mark.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._mark.write_text(_MARKED, encoding="utf-8")
        except OSError as error:
            raise StorageUnavailable("Le dossier des fichiers n’a pas pu être préparé", error) from error

    def check_present(self, failure: str) -> None:
        """Check the store's mark; `failure` begins the error message. Raises StoreAbsent, StorageUnavailable."""
        try:
            self._mark.stat()
        except FileNotFoundError as error:
            raise StoreAbsent(f"{failure}\u202f: le dossier des fichiers n’est pas là. {_TELL}") from error
        except OSError as error:
            raise StorageUnavailable(failure, error) from error

    def put(self, establishment_id: int, content: bytes, suffix: str) -> str:
        """Store the content for the school and return its stored name, the same for the same content.

        The suffix is empty, or a dot and up to eight lower-case letters or digits. When this returns, the file is
        complete on the disk. Content already stored is written again: a damaged copy is repaired, and the file
        counts as recent, so that a running sweep, which does not know the row about to be added, keeps it. Raises
        StorageUnavailable.
        """
        with self.draft(establishment_id, suffix) as draft:
            draft.stream.write(content)
        return draft.name

    @contextlib.contextmanager
    def draft(self, establishment_id: int, suffix: str) -> Iterator[Draft]:
        """Yield a file to write in pieces, for content too large for the memory; stored when the block succeeds.

        The suffix is that of `put`. A block that raises leaves nothing; one that is killed leaves a file to be swept
        later. Raises StorageUnavailable.
        """
        nonce, failure = secrets.token_hex(32), "Le fichier n’a pas pu être enregistré sur le serveur"
        self.check_present(failure)
        try:
            descriptor, written = self._make_temporary(self._named(establishment_id, nonce, suffix), nonce)
            temporary = Path(written)
            try:
                with os.fdopen(descriptor, "w+b") as stream:
                    draft = Draft(stream)
                    yield draft
                    stream.flush()
                    os.fsync(stream.fileno())
                    stream.seek(0)
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                temporary.chmod(FILE_MODE)
                target = self._named(establishment_id, digest, suffix)
                self._put_in_place(temporary, target)
                draft.name = target.relative_to(self.root).as_posix()
            finally:
                temporary.unlink(missing_ok=True)
                self._prune(temporary.parent)
        except OSError as error:
            raise StorageUnavailable(failure, error) from error

    def open(self, name: str) -> BinaryIO:
        """Open the stored file for reading. Raises StoredFileMissing or StorageUnavailable."""
        try:
            return self.path(name).open("rb")
        except FileNotFoundError as error:
            raise StoredFileMissing from error
        except OSError as error:
            raise StorageUnavailable("Le fichier n’a pas pu être lu sur le serveur", error) from error

    def path(self, name: str) -> Path:
        """Return the path of the stored file, always inside the root. Raises StoredFileMissing or StoreAbsent."""
        path = self._locate(name)
        if not path.is_file():
            self.check_present("Le fichier n’a pas pu être lu sur le serveur")
            raise StoredFileMissing
        return path

    def delete(self, name: str) -> None:
        """Remove the file if it exists, and the folders left empty.

        Raises StoredFileMissing when this is not a valid stored name, and StorageUnavailable.
        """
        path = self._locate(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable("Le fichier n’a pas pu être supprimé du serveur", error) from error
        self._prune(path.parent)

    def sweep(self, referenced: set[str], *, older_than: float) -> list[str]:
        """Remove unreferenced files written before `older_than` (seconds since the epoch); return their names.

        Left-over temporary files are removed too; files that this class could not have written are kept.
        `older_than` should be some hours ago: more recent files may belong to a transaction not committed yet. A
        file that another process has open, or that cannot be removed, is left to the next sweep and logged.
        """
        removed = []
        for name in sorted(self._list_names()):
            if name in referenced:
                continue
            path = self.root / name
            try:
                if path.lstat().st_mtime < older_than and self._remove_if_still_old(path, older_than):
                    removed.append(name)
                    self._prune(path.parent)
            except FileNotFoundError:
                continue
            except OSError:
                logger.warning("could not sweep %s", name, exc_info=True)
        return removed

    def sweep_unused(self, needed: set[str], *, now: datetime) -> list[str]:
        """Sweep the files that no row needs, except those younger than `GRACE`; return their names."""
        return self.sweep(needed, older_than=(now - GRACE).timestamp())

    def check_writable(self) -> None:
        """Write and remove a few bytes under the root; create nothing. Raises StorageUnavailable, StoreAbsent."""
        failure = "Le serveur ne peut pas enregistrer de fichiers"
        self.check_present(failure)
        try:
            with tempfile.TemporaryFile(dir=self.root) as probe:
                probe.write(bytes(_PROBE_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            raise StorageUnavailable(failure, error) from error

    def _named(self, establishment_id: int, digest: str, suffix: str) -> Path:
        """Return the path of a file to be stored. Raises ValueError when it cannot have a stored name."""
        name = f"{establishment_id}/{digest[:2]}/{digest}{suffix}"
        if not _STORED_NAME.fullmatch(name):
            raise ValueError(f"no stored name for establishment {establishment_id!r} and suffix {suffix!r}")
        return self._locate(name)

    def _put_in_place(self, temporary: Path, target: Path) -> None:
        """Move a complete file to its stored name, durably, although a sweep may be removing the folder."""
        for attempt in range(_FOLDER_ATTEMPTS):
            try:
                target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                os.replace(temporary, target)
                break
            except (FileNotFoundError, FileExistsError):
                if attempt == _FOLDER_ATTEMPTS - 1:
                    raise
        for folder in (target.parent, target.parent.parent, self.root):
            sync_folder(folder)

    def _locate(self, name: str) -> Path:
        """Return the path of a name. Raises StoredFileMissing if it is malformed or a symbolic link leaves the root."""
        if not _STORED_NAME.fullmatch(name):
            raise StoredFileMissing
        path = self.root / name
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError) as error:  # A loop of links is a RuntimeError before Python 3.13.
            raise StoredFileMissing from error
        if not inside:
            raise StoredFileMissing
        return path

    def _make_temporary(self, target: Path, digest: str) -> tuple[int, str]:
        attempts = 0
        while True:
            try:
                self.root.mkdir(mode=FOLDER_MODE, exist_ok=True)
                target.parent.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
                target.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
                return tempfile.mkstemp(prefix=f".{digest}-", suffix=".tmp", dir=target.parent)
            except (FileNotFoundError, FileExistsError):
                # The folder was removed before the next call, or by mkdir's own « exists » then « is a folder » checks.
                attempts += 1
                if attempts == _FOLDER_ATTEMPTS:
                    raise

    def _remove_if_still_old(self, path: Path, older_than: float) -> bool:
        """Remove the file unless it was written again since its age was read.

        A writer may have written the file again between reading its age and removing it. So the file is first
        renamed to a name that no writer uses, and its age is read again there.
        """
        if path.name.endswith(".tmp"):
            path.unlink()
            return True
        aside = path.with_name(f".{path.name[:64]}-{os.urandom(4).hex()}.tmp")
        os.rename(path, aside)
        if aside.stat().st_mtime < older_than:
            aside.unlink()
            return True
        os.replace(aside, path)
        return False

    def _list_names(self) -> Iterator[str]:
        """Yield the names of the regular files that this class wrote, temporary ones too; follow no link."""
        for directory, folders, files in os.walk(self.root):
            below = Path(directory).relative_to(self.root)
            if len(below.parts) == 2:
                folders.clear()
            for file in files:
                name = (below / file).as_posix()
                if _STORED_NAME.fullmatch(name) or _TEMPORARY_NAME.fullmatch(name):
                    with contextlib.suppress(FileNotFoundError):
                        if stat.S_ISREG((self.root / name).lstat().st_mode):
                            yield name

    def _prune(self, folder: Path) -> None:
        """Remove the folder of a file, then the school's, if they are empty: the system refuses otherwise."""
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: without this, a power cut may lose a file whose content is safe."""
    if os.name == "nt":
        return  # Windows has no such call, and refuses to open a folder.
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Uploaded files on the disk: one folder per school, each file named by the digest of its content.

Words: a *stored name* is ``<establishment id>/<first two hex digits>/<sha256><suffix>``; it is what a row keeps. A file
has no owner here: several rows of a school may name it, so it is removed by `sweep`, which receives the names that rows
still hold, rather than when one row goes.
Invariant: a file under its stored name is whole and durable; a name that is not exactly of that form opens nothing.
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
#: How often a writer makes its folder again when a sweep prunes it, empty, at that very moment.
_FOLDER_ATTEMPTS = 20
_PROBE_BYTES = 4096
#: In a store from the time it was prepared; hidden, so that backups and sweeps leave it alone.
MARK = ".cpro-store"
_MARKED = "Dossier des fichiers de CPro. Sans ce fichier, CPro ne le reconnaît pas et n’y écrit rien.\n"

logger = logging.getLogger(__name__)


#: What the system says where no file grows any more: no room, a quota, the largest size.
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


_TELL = "Prévenez la personne qui s’occupe du serveur, puis recommencez."


class StorageUnavailable(DomainError):
    """Say that the server could not read or write its files: a full disk, a folder without permission."""

    status = 503

    def __init__(self, failure: str, error: OSError) -> None:
        """Begin with `failure`, a French clause without a full stop, then say what is known of the cause."""
        if error.errno in FULL_DISK:
            self.status = 507
        why = dict.fromkeys(FULL_DISK, "\u202f: le disque est plein") | {
            errno.EACCES: "\u202f: l’accès au dossier des fichiers est refusé",
            errno.EPERM: "\u202f: l’accès au dossier des fichiers est refusé",
            errno.EROFS: "\u202f: le dossier des fichiers est en lecture seule",
        }
        super().__init__(f"{failure}{why.get(error.errno or 0, '')}. {_TELL}")


class StoreAbsent(StorageUnavailable):
    """Say, in a whole message, that the folder of the files is not there, or is another: its disk is not mounted."""

    def __init__(self, message: str) -> None:
        DomainError.__init__(self, message)


class StoredFileMissing(NotFound):
    """Say that no file is stored under this name, or that it could not be the name of one."""

    message = "Ce fichier n’est plus sur le serveur."


class Draft:
    """A file being written little by little; its stored `name` is known once it is whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.name = ""


class FileStorage:
    """Files of the schools in the store, usually ``uploads/``, or in one folder of it, made when first needed.

    The store itself is never made by who writes in it: without its mark it is the place of a disk that is not there.
    """

    def __init__(self, store: Path, folder: str = "") -> None:
        self._mark = store / MARK
        self.root = store / folder

    def prepare(self) -> None:
        """Make the store, if need be, and mark it. Raises StorageUnavailable."""
        try:
            self._mark.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._mark.write_text(_MARKED, encoding="utf-8")
        except OSError as error:
            raise StorageUnavailable("Le dossier des fichiers n’a pas pu être préparé", error) from error

    def check_present(self, failure: str) -> None:
        """Return if the store bears its mark; `failure` begins the refusal. Raises StoreAbsent, StorageUnavailable."""
        try:
            self._mark.stat()
        except FileNotFoundError as error:
            raise StoreAbsent(f"{failure}\u202f: le dossier des fichiers n’est pas là. {_TELL}") from error
        except OSError as error:
            raise StorageUnavailable(failure, error) from error

    def put(self, establishment_id: int, content: bytes, suffix: str) -> str:
        """Store the content for the school and return its stored name, the same for the same content.

        The suffix is empty or a dot and up to eight lower-case letters or digits. The file is on the disk, whole, when
        this returns. Content already stored is written anew: a damaged copy is mended and the file counts as young
        again, so that a running sweep, which knows nothing yet of the row about to be added, leaves it.
        Raises StorageUnavailable.
        """
        with self.draft(establishment_id, suffix) as draft:
            draft.stream.write(content)
        return draft.name

    @contextlib.contextmanager
    def draft(self, establishment_id: int, suffix: str) -> Iterator[Draft]:
        """Yield a file to write little by little, stored when the block ends well: what is too large for the memory.

        The suffix is that of `put`. A block that raises leaves nothing; one that is killed, what is swept later.
        Raises StorageUnavailable.
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
        """Return the place of the stored file, certainly inside the root. Raises StoredFileMissing or StoreAbsent."""
        path = self._locate(name)
        if not path.is_file():
            self.check_present("Le fichier n’a pas pu être lu sur le serveur")
            raise StoredFileMissing
        return path

    def delete(self, name: str) -> None:
        """Remove the file, if it is still there, and the folders that it leaves empty.

        Raises StoredFileMissing when this could not be a stored name, and StorageUnavailable.
        """
        path = self._locate(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable("Le fichier n’a pas pu être supprimé du serveur", error) from error
        self._prune(path.parent)

    def sweep(self, referenced: set[str], *, older_than: float) -> list[str]:
        """Remove what no row names and was written before `older_than` (seconds since the epoch); return the names.

        Left-over temporary files go too; files that this class could not have written stay. Let `older_than` be some
        hours ago: younger files may belong to a transaction that is not committed yet. A file that another process
        holds or forbids is left to the next sweep, with a line in the log.
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
        """Sweep what no row needs, files younger than `GRACE` excepted; return the names."""
        return self.sweep(needed, older_than=(now - GRACE).timestamp())

    def check_writable(self) -> None:
        """Write and remove a few bytes under the root, and make nothing. Raises StorageUnavailable, or StoreAbsent."""
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
        """Return the place of a file to be stored; raises ValueError where it could have no stored name."""
        name = f"{establishment_id}/{digest[:2]}/{digest}{suffix}"
        if not _STORED_NAME.fullmatch(name):
            raise ValueError(f"no stored name for establishment {establishment_id!r} and suffix {suffix!r}")
        return self._locate(name)

    def _put_in_place(self, temporary: Path, target: Path) -> None:
        """Give a whole file its stored name, durably, in a folder that a sweep may be pruning at that moment."""
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
        """Return where the name leads, refusing one that is malformed or that a symbolic link takes out of the root."""
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
                # A folder pruned before the next call, or between « it exists » and « is it a folder? » inside mkdir.
                attempts += 1
                if attempts == _FOLDER_ATTEMPTS:
                    raise

    def _remove_if_still_old(self, path: Path, older_than: float) -> bool:
        """Remove the file unless it was written again since its age was read.

        Between reading an age and removing a name, a writer may have put the file back under that name. So the file is
        first taken aside, under a name that no writer uses, and its age is read again there.
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
        """Yield the names, temporary ones included, of the plain files that this class wrote; no link is followed."""
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
        """Remove the folder of a file, then the school's, when they are empty: the system refuses otherwise."""
        with contextlib.suppress(OSError):
            folder.rmdir()
            folder.parent.rmdir()


def sync_folder(folder: Path) -> None:
    """Make the names in the folder durable: without this, a power cut may lose a file whose bytes are safe."""
    if os.name == "nt":
        return  # Windows has no such call, and refuses to open a folder.
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

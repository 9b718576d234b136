"""Back up an instance into one file while it is in use; restore it into an empty one, entirely or not at all."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import column, inspect, table, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from cpro.backup import archive, rows
from cpro.backup.archive import DATABASE, FILES, HEADER, STORED, TABLES, Damaged, Member, Writer
from cpro.backup.sealing import Keys, opening, sealing
from cpro.config import VERSION
from cpro.core.database_revision import find_revision, list_revisions
from cpro.core.errors import DomainError
from cpro.core.secrets import fingerprints
from cpro.core.storage import FILE_MODE, FOLDER_MODE, FileStorage, sync_folder
from cpro.core.store import prepare_store
from cpro.core.types import UTCDateTime
from cpro.extensions import application

_FORMAT = 1
_MODE = 0o600

logger = logging.getLogger(__name__)


class Newer(DomainError):
    """Refuse a backup from a version that this program does not know."""

    message = (
        "Cette sauvegarde, ou cette base, vient d’une version plus récente de CPro\u202f: mettez le programme à jour, "
        "puis recommencez. Rien n’a été restauré."
    )


class OtherKey(DomainError):
    """Refuse a backup made under another server key."""

    message = (
        "Cette sauvegarde a été faite sous une autre clé de serveur\u202f: donnez-la dans CPRO_SECRET_KEY, ou dans "
        "CPRO_SECRET_KEY_FALLBACKS\u202f; si elle est perdue, --new-key restaure sans elle et dit ce qui ne vaut plus. "
        "Rien n’a été restauré."
    )


@dataclass
class Contents:
    """The contents of a backup."""

    version: str = ""
    created_at: str = ""
    key: str = ""
    sealed: bool = False
    revision: str = ""
    tables: rows.Tables = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)
    #: {name: SHA-256}
    files: dict[str, str] = field(default_factory=dict)
    row_count: int = 0
    sha256: str = ""
    size: int = 0


# --- Backing up -------------------------------------------------------------------------------------------------------


def back_up(target: Path, keys: Keys, *, now: datetime) -> Contents:
    """Write a backup to a new file, readable by its owner alone; a partial file never has the final name.

    The files of the store are copied first, then the snapshot of the database is taken, then the files added meanwhile:
    every file that its rows name is there, even if deleted since. Raises `DomainError`.
    """
    if target.exists():
        raise DomainError(f"Le fichier «\u202f{target}\u202f» existe déjà\u202f: choisissez un autre nom.")
    prepare_store()  # a backup made while the disk of the files is unmounted would pass for a complete one
    contents = Contents(version=VERSION, created_at=now.isoformat(timespec="seconds"), key=fingerprints()[0])
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    with _explained("La sauvegarde n’a pas pu être écrite"):
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
                sink = _Measured(file)
                with sealing(sink, keys) as stream, archive.writing(stream) as writer:  # type: ignore[arg-type]
                    _write(writer, contents)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
            sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)
    contents.sha256, contents.size = sink.digest.hexdigest(), sink.size
    return contents


def _write(writer: Writer, contents: Contents) -> None:
    about = {"format": _FORMAT, "version": contents.version, "created_at": contents.created_at, "key": contents.key}
    writer.add_json(HEADER, about)
    seen: dict[str, tuple[int, int]] = {}
    _write_files(writer, contents, seen)
    with rows.snapshot() as connection:
        _write_files(writer, contents, seen)
        contents.row_count = rows.write_rows(connection, writer)


def _write_files(writer: Writer, contents: Contents, seen: dict[str, tuple[int, int]]) -> None:
    """Add the files of the store that are not in `seen` or changed since: {name: (size, instant)}."""
    for name, path in _stored_files():
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                state = status.st_size, status.st_mtime_ns
                if seen.get(name) != state:
                    contents.files[name] = writer.add_stream(FILES + name, file, status.st_size)
                    seen[name] = state
        except FileNotFoundError:
            continue  # deleted since: no longer needed


def _stored_files() -> Iterator[tuple[str, Path]]:
    """Yield the files of the store, without those being written."""
    root = application.uploads
    for directory, folders, files in os.walk(root):
        folders.sort()
        for file in sorted(files):
            path = Path(directory) / file
            name = path.relative_to(root).as_posix()
            if STORED.fullmatch(name) and path.is_file() and not path.is_symlink():
                yield name, path


class _Measured:
    """A file being written, with its size and digest."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        """Write, updating size and digest."""
        self.digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()


# --- Restoring --------------------------------------------------------------------------------------------------------


def check(source: Path, keys: Keys) -> Contents:
    """Read a backup to its end, write nothing, and return its contents. Raises `DomainError`."""
    contents = Contents()
    for member in _read(source, keys):
        if member.name == HEADER:
            _read_header(member, contents)
        elif not contents.key:
            raise Damaged
        elif member.name == DATABASE:
            _read_database(member, contents)
        elif member.name.startswith(FILES):
            contents.files[member.name.removeprefix(FILES)] = member.sha256()
    if not contents.revision:
        raise Damaged
    return contents


def restore(source: Path, keys: Keys, *, new_key: bool, now: datetime) -> Contents:
    """Restore a backup into this instance, which must be empty, at the backup's revision: call `upgrade` next.

    The whole backup is read before anything is written. Files are stored under their names, which no row refers to yet;
    rows are written in one transaction. Files of the same backup, left by a restoration that was killed, may be there
    already. Raises `DomainError`: nothing is restored, and what was there stays.
    """
    contents = check(source, keys)
    if contents.key not in fingerprints() and not new_key:
        raise OtherKey
    with _explained("La restauration s’est interrompue"):
        missing = contents.files.keys() - _find_restored(contents)
        engine = rows.owner_engine()
        _reach_revision(engine, contents.revision)
        with _putting_files() as put_file, rows.filling(engine) as connection:
            rows.check_same_tables(connection, contents.tables)
            for member in _read(source, keys):
                if member.name.startswith(TABLES):
                    contents.row_count += rows.load_rows(connection, member, contents.tables)
                elif member.name.removeprefix(FILES) in missing:
                    put_file(member)
            rows.give_ids_after(connection, contents.last_ids)
            if new_key:
                _note_new_key(connection, now=now)
        FileStorage(application.uploads).prepare()
    return contents


def upgrade() -> None:
    """Migrate a restored database to this program's revision. Raises `DomainError` with the reason of a failure."""
    import flask_migrate

    try:
        flask_migrate.upgrade()
    except (Exception, SystemExit) as error:  # Alembic exits the process when it refuses
        logger.error("the restored database is not migrated: %s", type(error).__name__, exc_info=error)
        raise DomainError(
            "Les lignes et les fichiers sont restaurés, mais la base n’a pas pu être mise à jour\u202f: la cause "
            "écartée, lancez «\u202fflask --app app db upgrade\u202f»."
        ) from error


def _find_restored(contents: Contents) -> set[str]:
    """Return the files of a backup that the store already has. Raises `NotEmpty` if it has anything else.

    Hidden files do not count: those being written, and those that the system keeps in a folder.
    """
    root, restored, strange = application.uploads, set(), 0
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if any(part.startswith(".") for part in name.parts) or (path.is_dir() and not path.is_symlink()):
            continue
        digest = contents.files.get(name.as_posix())
        if digest and path.is_file() and not path.is_symlink() and digest == _sha256(path):
            restored.add(name.as_posix())
        else:
            strange += 1
    if strange:
        raise rows.NotEmpty([f"{strange} fichier(s) dans {root}"])
    return restored


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(source: Path, keys: Keys) -> Iterator[Member]:
    try:
        with source.open("rb") as file, opening(file, keys) as stream:
            yield from archive.read(stream)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise DomainError(f"Le fichier «\u202f{source}\u202f» ne peut pas être lu ({cause}).") from error


def _read_header(member: Member, contents: Contents) -> None:
    number, contents.version, contents.created_at, contents.key = member.fields(
        {"format": int, "version": str, "created_at": str, "key": str}
    )
    if number != _FORMAT:
        raise Newer


def _read_database(member: Member, contents: Contents) -> None:
    contents.revision, contents.tables, contents.last_ids = member.fields(
        {"revision": str, "tables": dict, "last_ids": dict}
    )
    if contents.revision not in list_revisions():
        raise Newer
    rows.check_described(contents.tables, contents.last_ids)


def _reach_revision(engine: Engine, revision: str) -> None:
    """Bring an empty database to the revision of a backup. Raises `NotEmpty`, `Newer` or `DomainError`."""
    from flask_migrate import downgrade, upgrade

    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            rows.see_all_schools(connection)
        found = find_revision(connection)
        rows.check_empty(connection)
    if found and found not in list_revisions():
        raise Newer
    if found > revision:
        downgrade(revision=revision, x_arg=["pertes=oui"])  # the database is empty: there is nothing to lose
    elif found < revision:
        upgrade(revision=revision)


@contextmanager
def _putting_files() -> Iterator[Callable[[Member], None]]:
    """Yield a function that puts a file into the store; the files it put are removed if the block fails."""
    created: set[Path] = set()

    def put(member: Member) -> None:
        path = application.uploads / member.name.removeprefix(FILES)
        created.add(path)
        _put_file(member, path)

    try:
        yield put
    except BaseException:
        for path in created:
            path.unlink(missing_ok=True)
        raise


def _put_file(member: Member, path: Path) -> None:
    """Write a file of the store: complete and durable before it gets its name."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            for chunk in member.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        for folder in path.parents:
            sync_folder(folder)
            if folder == application.uploads:
                break
    finally:
        partial.unlink(missing_ok=True)


def _note_new_key(connection: Connection, *, now: datetime) -> None:
    """Bind the database to this server's key, if it knew one."""
    if inspect(connection).has_table("server_key"):
        row = table("server_key", column("fingerprint"), column("since", UTCDateTime()))
        connection.execute(update(row).values(fingerprint=fingerprints()[0], since=now))


@contextmanager
def _explained(failure: str) -> Iterator[None]:
    """Turn an error of the system or the database into a French sentence."""
    try:
        yield
    except OSError as error:
        cause = "le disque est plein" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or "erreur"
        raise DomainError(f"{failure} ({cause}).") from error
    except SQLAlchemyError as error:
        logger.error("the database refused: %s", type(error).__name__, exc_info=error)
        raise DomainError(f"{failure}\u202f: la base de données n’a pas répondu comme attendu.") from error

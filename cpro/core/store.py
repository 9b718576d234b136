"""Prepare the store at start: mark it, so as to distinguish it from the empty mount point of a missing disk.

The mark is written when the database references no file yet, or when at least one referenced file is present: a
store older than the mark, or restored by hand. Otherwise nothing is written: /sante/pret reports it, and uploads are
refused with a message.
"""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from cpro.core import clock, events, tenancy
from cpro.core.database_revision import find_revision
from cpro.core.storage import MARK, FileStorage, StorageUnavailable, StoreAbsent
from cpro.extensions import application, db

logger = logging.getLogger(__name__)


def prepare_store() -> None:
    """Create and mark the store, unless the database references files of which none is present.

    A database that does not answer is queried at the next start. Raises `StoreAbsent`, `StorageUnavailable`.
    """
    storage = FileStorage(application.uploads)
    try:
        storage.check_present("")
    except StoreAbsent:
        pass
    else:
        return
    try:
        needed = _list_needed()
    except SQLAlchemyError:
        return
    finally:
        db.engine.dispose()  # a server that forks after this must not share the connection
    if needed and not any((storage.root / name).is_file() for name in needed):
        raise StoreAbsent(
            f"Le dossier «\u202f{storage.root}\u202f» ne contient aucun des fichiers que nomme la base de données. "
            "Montez son disque, ou remettez-les à leur place. S’ils sont perdus, créez le fichier vide "
            f"«\u202f{storage.root / MARK}\u202f»."
        )
    storage.prepare()


def prepare_store_if_possible() -> None:
    """Prepare the store if possible, for a server that can run without it; log why it is missing."""
    try:
        prepare_store()
    except StorageUnavailable as refusal:
        logger.error("%s", refusal.message)


def _list_needed() -> set[str]:
    """Return the names of the files that the database references, none when it has no tables yet."""
    with tenancy.platform_session("start: which files the store must hold") as session:
        if not find_revision(session.connection()):
            return set()
        answers = events.stored_files_needed.send("store", session=session, now=clock.utcnow())
        return set().union(*(names for _listener, names in answers))

"""The store, prepared when the platform starts: marked, so that it is told from the empty place of a disk that is gone.

The mark is written where the database names no file yet, or where one that it names is there: a store of before the
mark, or one put back by hand. Elsewhere nothing is written; /sante/pret says it, and whoever deposits a file is told.
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
    """Mark the store, made if need be, unless the database needs files of which none is there.

    A database that does not answer is asked at the next start. Raises `StoreAbsent`, `StorageUnavailable`.
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
    """Prepare the store at the start of what serves without it too; the log says why it is not there."""
    try:
        prepare_store()
    except StorageUnavailable as refusal:
        logger.error("%s", refusal.message)


def _list_needed() -> set[str]:
    """Return the names of the files that the database needs, none where it has no tables yet."""
    with tenancy.platform_session("start: which files the store must hold") as session:
        if not find_revision(session.connection()):
            return set()
        answers = events.stored_files_needed.send("store", session=session, now=clock.utcnow())
        return set().union(*(names for _listener, names in answers))

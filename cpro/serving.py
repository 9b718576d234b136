"""The local platform: `python app.py` migrates, loads the demonstration once, serves and runs jobs, locally only.

Pages wait two seconds at most for a lock (`core/locks.py`), so that writes contending for a lock cannot occupy all
of the server's threads for long.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import NoReturn

from alembic.util.exc import CommandError
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError

from cpro import demo
from cpro.competences.national import load_lists
from cpro.config import local_url
from cpro.core import clock
from cpro.core.database_revision import find_revision, list_revisions
from cpro.core.database_roles import UnsafeRole, check_serving_role
from cpro.core.jobs.child import ChildWorker
from cpro.core.server_key import UnknownKey, claim_key
from cpro.core.storage import FileStorage, StorageUnavailable, StoreAbsent
from cpro.core.store import prepare_store
from cpro.extensions import db

_THREADS = 8
#: Far above what any page accepts: each page has its own limit, reported in a sentence, and refuses before reading.
_MAX_BODY = 1 << 30


class CannotStart(Exception):
    """The platform cannot start; the message says why in one sentence."""


def serve_locally(app: Flask) -> int:
    """Serve until interrupted; return the exit status.

    When the platform cannot start, prints one sentence on standard error.
    """
    host, port = app.config["CPRO_HOST"], app.config["CPRO_PORT"]
    try:
        server = _listen(app, host, port)
        with app.app_context():
            _prepare_database()
            _prepare_storage(app)
            password = _load_demo_once(app)
            load_lists()
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _leave)
    worker = ChildWorker()
    try:
        _announce(local_url(host, port), password)
        server.run()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        worker.stop()
    return 0


def _leave(number: int, frame: object) -> NoReturn:
    """Exit on SIGTERM as on Ctrl+C, so that the worker is stopped too."""
    raise SystemExit


def _listen(app: Flask, host: str, port: int):  # type: ignore[no-untyped-def]
    """Bind the port before touching the database, so that a second start changes nothing."""
    from waitress import create_server

    logging.getLogger("waitress").setLevel(logging.ERROR)
    logging.getLogger("cpro.requests").setLevel(logging.WARNING)  # the console is read by a person
    try:
        return create_server(app, host=host, port=port, threads=_THREADS, ident="CPro", max_request_body_size=_MAX_BODY)
    except OSError as error:
        raise CannotStart(
            f"Le port {port} de {host} ne peut pas être ouvert ({error.strerror}) : CPro tourne sans doute déjà. "
            "Arrêtez-le, ou choisissez un autre port avec CPRO_PORT."
        ) from error


def _prepare_database() -> None:
    """Migrate the database to this version.

    Raises `CannotStart` when it cannot be written or comes from a newer version.
    """
    try:
        _close_to_others(db.engine.url)
        _refuse_newer_database()
        logging.getLogger("alembic").setLevel(logging.WARNING)
        upgrade()
        check_serving_role()
        _write_nothing_new()
        claim_key(now=clock.utcnow())
    except (UnsafeRole, UnknownKey) as refusal:
        raise CannotStart(str(refusal)) from refusal
    except (SQLAlchemyError, CommandError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise CannotStart(
            f"La base de données « {db.engine.url.render_as_string(hide_password=True)} » ne peut pas être ouverte "
            f"ni mise à jour ({cause}). Vérifiez le droit d’écriture et la place sur le disque."
        ) from error


def _write_nothing_new() -> None:
    """Fail now, rather than at the first form, when the database file cannot be written."""
    if db.engine.dialect.name == "sqlite":
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _close_to_others(url: URL) -> None:
    """Remove other users' rights on a database file that an earlier version left readable."""
    if url.get_backend_name() == "sqlite" and url.database and (path := Path(url.database)).exists():
        path.chmod(path.stat().st_mode & ~0o077)


def _refuse_newer_database() -> None:
    with db.engine.connect() as connection:
        found = find_revision(connection)
    if found and found not in list_revisions():
        raise CannotStart(
            f"La base de données vient d’une version plus récente de CPro (révision {found}) : "
            "mettez le programme à jour, ou choisissez une autre base avec CPRO_DATABASE_URL."
        )


def _load_demo_once(app: Flask) -> str | None:
    """Load the demonstration schools into an empty database; return their password, or None when nothing was loaded."""
    return demo.load_if_empty(password=app.config["CPRO_DEMO_PASSWORD"], now=clock.utcnow())


def _prepare_storage(app: Flask) -> None:
    """Check the picture store. Raises `CannotStart` when it is missing or cannot be written."""
    try:
        prepare_store()
        FileStorage(app.config["CPRO_UPLOADS"]).check_writable()
    except StoreAbsent as refusal:
        raise CannotStart(refusal.message) from refusal
    except StorageUnavailable as refusal:
        raise CannotStart(
            f"Le dossier « {app.config['CPRO_UPLOADS']} » ne peut pas être écrit : {refusal.message}"
        ) from refusal


def _announce(address: str, password: str | None) -> None:
    print(f"\nCPro est prêt : {address}\n")
    print("Comptes de démonstration (établissement / identifiant) :")
    for line in demo.ACCOUNTS_SHOWN:
        print(f"  {line}")
    if password:
        print(f"\nMot de passe de tous ces comptes : {password}")
        print("Il n’est affiché que cette fois ; CPRO_DEMO_PASSWORD en fixe un avant le premier démarrage.")
    else:
        print("\nLe mot de passe est celui affiché au premier démarrage. Perdu ? Un code remplace celui d’un compte :")
        print(f"  {Path(sys.executable).parent / 'flask'} --app app users reset chef --establishment lovelace")
    print("\nCtrl+C pour arrêter.", flush=True)

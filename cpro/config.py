"""Every setting, its environment variable and its default: the only reader of the environment.

A default must be safe in production and say nothing secret: what is not given is closed, local or generated.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

#: The one place: pages, the `[project]` table (pyproject.toml) and the heading of CHANGELOG.md follow it.
VERSION = "0.2.0"

PROJECT_ROOT = Path(__file__).resolve().parent.parent

#: Without activity for this long, a person is signed out.
INACTIVITY_LIMIT = timedelta(minutes=30)
#: However active, a person signs in again after this long.
SIGN_IN_LIFE = timedelta(hours=12)
#: After the right password, the code of the second factor is waited for so long.
CODE_WAIT = timedelta(minutes=10)
#: A code of the second factor is not asked again for so long (`core.permissions.Access.asks_code`).
CODE_HOLDS = timedelta(minutes=15)

_SECRET_ATTEMPTS, _SECRET_PAUSE = 20, 0.05  # seconds
_MAX_PROXIES = 10
_LONGEST_NAME = 200
#: Not « prefix »: the platform stands at the root of its host, and a prefix from outside would become a redirection.
PROXY_HEADERS = frozenset({"for", "proto", "host"})
_DATABASE_DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite"} | dict.fromkeys(
    ("postgres", "postgresql", "postgresql+psycopg"), "postgresql+psycopg"
)


class UnusableSetting(Exception):
    """Say in one sentence which setting or folder prevents the start."""


def load_settings(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the Flask configuration read from the environment.

    Raises `UnusableSetting` when a value is malformed or the instance folder cannot be written.
    """
    instance = Path(environ.get("CPRO_INSTANCE") or PROJECT_ROOT / "instance").resolve()
    uploads = Path(environ.get("CPRO_UPLOADS") or PROJECT_ROOT / "uploads").resolve()
    with contextlib.suppress(OSError):  # what needs the folder reports why it is not there
        instance.mkdir(parents=True, exist_ok=True)
    host = environ.get("CPRO_HOST") or "127.0.0.1"
    port = _between(environ, "CPRO_PORT", 5000, 1, 65535)  # beyond, the system would silently take another one
    public_url = _public_url(environ.get("CPRO_PUBLIC_URL", "")) or local_url(host, port)
    return {
        "CPRO_INSTANCE": instance,
        "CPRO_UPLOADS": uploads,
        "CPRO_HOST": host,
        "CPRO_PORT": port,
        "CPRO_PUBLIC_URL": public_url,
        "CPRO_PROXIES": _between(environ, "CPRO_PROXIES", 0, 0, _MAX_PROXIES),
        "CPRO_PROXY_HEADERS": _proxy_headers(environ.get("CPRO_PROXY_HEADERS", "")),
        "CPRO_LOCK_WAIT": _between(environ, "CPRO_LOCK_WAIT", 0, 1, 60) if environ.get("CPRO_LOCK_WAIT") else None,
        "CPRO_STATEMENT_LIMIT": _between(environ, "CPRO_STATEMENT_LIMIT", 30, 1, 600),
        "CPRO_JOB_STATEMENT_LIMIT": _between(environ, "CPRO_JOB_STATEMENT_LIMIT", 3600, 60, 86_400),
        "CPRO_WORKER_NICE": _between(environ, "CPRO_WORKER_NICE", 10, 0, 19),
        "CPRO_XLSX_ROWS": _between(environ, "CPRO_XLSX_ROWS", 100_000, 1, 1_000_000),  # a worksheet holds few more
        "CPRO_JOBS_URL": _jobs_url(environ.get("CPRO_JOBS_URL", "")),
        "CPRO_MAIL_URL": _mail_url(environ.get("CPRO_MAIL_URL", "")),
        "CPRO_CONTACT_EMAIL": _contact_email(environ.get("CPRO_CONTACT_EMAIL", "")),
        "CPRO_ENTITY": _entity(environ.get("CPRO_ENTITY", "")),
        "CPRO_ACCESSIBILITY_PLAN_URL": _page_url(environ, "CPRO_ACCESSIBILITY_PLAN_URL"),
        "CPRO_ACCESSIBILITY_YEAR_URL": _page_url(environ, "CPRO_ACCESSIBILITY_YEAR_URL"),
        "CPRO_METRICS_TOKEN": _metrics_token(environ.get("CPRO_METRICS_TOKEN", "")),
        # prometheus-client reads it by itself; the name is its own
        "PROMETHEUS_MULTIPROC_DIR": environ.get("PROMETHEUS_MULTIPROC_DIR", ""),
        "CPRO_SECOND_FACTOR": _second_factor(environ.get("CPRO_SECOND_FACTOR", "")),
        "CPRO_DEMO_PASSWORD": environ.get("CPRO_DEMO_PASSWORD", ""),
        "CPRO_JOURNAL_KEY": _keys(environ.get("CPRO_JOURNAL_KEY", "")),
        "SECRET_KEY": environ.get("CPRO_SECRET_KEY") or _generated_secret(instance),
        "SECRET_KEY_FALLBACKS": _keys(environ.get("CPRO_SECRET_KEY_FALLBACKS", "")),
        "SQLALCHEMY_DATABASE_URI": _database_url(environ.get("CPRO_DATABASE_URL", ""), instance),
        "CPRO_BACKUP_PASSPHRASE": environ.get("CPRO_BACKUP_PASSPHRASE", ""),
        "CPRO_MIGRATION_DATABASE_URL": _migration_url(environ.get("CPRO_MIGRATION_DATABASE_URL", "")),
        "TRUSTED_HOSTS": _trusted_hosts(environ.get("CPRO_TRUSTED_HOSTS", ""), public_url),
    }


#: What does not depend on the machine.
FIXED_SETTINGS: dict[str, Any] = {
    "SESSION_COOKIE_NAME": "cpro_session",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # a token lives as long as the sign-in: an expired token would lose what was typed
    "WTF_CSRF_CHECK_DEFAULT": False,  # users.guard asks for it, after it knows who is there
    "WTF_CSRF_SSL_STRICT": True,
    "MAX_CONTENT_LENGTH": 8 * 1024 * 1024,  # one picture of 5 MB and its form; beyond, nothing is read
    "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
    "SQLALCHEMY_ENGINE_OPTIONS": {
        "hide_parameters": True,  # an error is logged with its statement: never with names
        "pool_pre_ping": True,  # a database that was started again is met before a request is lost to it
    },
    "BABEL_DEFAULT_LOCALE": "fr",
}


def _between(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Return a setting that is a whole number, `default` where it is not given.

    Raises `UnusableSetting` for any other text and for a number outside [least, most].
    """
    text = environ.get(name) or str(default)
    try:
        number = int(text)
    except ValueError:
        raise UnusableSetting(f"{name} doit être un nombre entier ; valeur lue : « {text} ».") from None
    if not least <= number <= most:
        raise UnusableSetting(f"{name} doit être compris entre {least} et {most} ; valeur lue : « {number} ».")
    return number


def local_url(host: str, port: int) -> str:
    """Return the address of this machine's own server; an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _public_url(text: str) -> str:
    """Return the address people know, without a final slash; "" where it is not given.

    Raises `UnusableSetting` for what a browser would not open: links in e-mails and on paper are made with it.
    """
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if text and not (usable and not parts.query and not parts.fragment and parts.username is None):
        raise UnusableSetting(
            f"CPRO_PUBLIC_URL doit ressembler à « https://cpro.ac-exemple.fr » ; valeur lue : « {text} »."
        )
    return _as_browsers_write(parts).rstrip("/") if text else ""


def _as_browsers_write(parts: SplitResult) -> str:
    """Return an address with its host in lower case and without a default port, as browsers compare origins."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _database_url(text: str, instance: Path) -> str:
    """Return the address of the database; empty is a file of the instance folder.

    Raises `UnusableSetting` for another kind of database, and for SQLite in memory: each thread would have its own.
    """
    if not text:
        return f"sqlite:///{instance / 'cpro.sqlite3'}"
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    driver = _DATABASE_DRIVERS.get(url.drivername) if url else None
    if url is None or driver is None or (driver == "sqlite" and url.database in (None, "", ":memory:")):
        # not quoted: it may hold a password
        raise UnusableSetting(
            "CPRO_DATABASE_URL doit ressembler à « postgresql+psycopg://rôle@serveur/base » "
            "ou à « sqlite:////dossier/cpro.sqlite3 », ou rester vide."
        )
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _migration_url(text: str) -> str:
    """Return the address at which migrations reach PostgreSQL, "" where they use that of the pages."""
    try:
        url = make_url(_database_url(text, Path())) if text else None
    except UnusableSetting:
        url = make_url("sqlite://")
    if url is not None and url.get_backend_name() != "postgresql":
        raise UnusableSetting(
            "CPRO_MIGRATION_DATABASE_URL doit ressembler à «\u202fpostgresql+psycopg://propriétaire@serveur/"
            "base\u202f», ou rester vide."
        )
    return url.render_as_string(hide_password=False) if url else ""


def _proxy_headers(text: str) -> frozenset[str]:
    """Return which `X-Forwarded-…` the proxies in front are known to write; anybody could send the others through."""
    names = frozenset(name.strip().lower() for name in (text or "for,proto").split(",") if name.strip())
    if unknown := names - PROXY_HEADERS:
        raise UnusableSetting(
            "CPRO_PROXY_HEADERS doit être une liste de « for », « proto » et « host », séparés par des virgules ; "
            f"valeur lue : « {', '.join(sorted(unknown))} »."
        )
    return names


def _contact_email(text: str) -> str:
    """Return whom the accessibility statement and `security.txt` say to write to.

    Empty sends people to their school's administrator, and serves no `security.txt`.
    """
    address = text.strip()
    if address and not re.fullmatch(r"[^\s@<>\"']{1,64}@[^\s@<>\"']+\.[^\s@<>\"'.]{2,}", address):
        raise UnusableSetting(f"CPRO_CONTACT_EMAIL doit être une adresse électronique ; valeur lue : « {address} ».")
    return address


def _entity(text: str) -> str:
    """Return the name of the body that deploys CPro, whom the accessibility declaration binds; "" where unknown."""
    name = " ".join(text.split())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UnusableSetting(f"CPRO_ENTITY doit être un nom d’au plus {_LONGEST_NAME} signes.")
    return name


def _page_url(environ: Mapping[str, str], name: str) -> str:
    """Return the address of a page on the web, "" where it is not given."""
    address = environ.get(name, "").strip()
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if address and not (usable and parts.username is None and re.fullmatch(r"[^\s<>\"']+", address)):
        raise UnusableSetting(
            f"{name} doit être l’adresse d’une page, comme «\u202fhttps://www.ac-exemple.fr/schema\u202f»\u202f; "
            f"valeur lue\u202f: «\u202f{address}\u202f»."
        )
    return address


def _metrics_token(text: str) -> str:
    """Return the token that `/metrics` asks for; without one, the page is closed."""
    if text and not re.fullmatch(r"[!-~]{16,}", text):
        # not quoted: it is a secret
        raise UnusableSetting(
            "CPRO_METRICS_TOKEN doit compter au moins 16 signes, sans espace ni accent, ou rester vide\u202f: "
            "« openssl rand -hex 24 » en tire un."
        )
    return text


def _second_factor(text: str) -> str:
    """Return whether those who act on other people's data must have a second factor; empty decides by the data."""
    if text not in ("", "off", "grace", "required"):
        raise UnusableSetting(
            f"CPRO_SECOND_FACTOR doit valoir « off », « grace » ou « required » ; valeur lue : « {text} »."
        )
    return text


def _jobs_url(url: str) -> str:
    """Return the address of the queue; empty is a file of the instance folder."""
    if url and not url.startswith(("redis://", "rediss://")):
        raise UnusableSetting("CPRO_JOBS_URL doit commencer par « redis:// » ou « rediss:// », ou rester vide.")
    if url and find_spec("redis") is None:
        raise UnusableSetting(
            "CPRO_JOBS_URL désigne un serveur Redis, mais la bibliothèque « redis » n’est pas installée "
            "(.venv/bin/pip install --require-hashes -r requirements-redis.txt)."
        )
    return url


def _mail_url(url: str) -> str:
    """Return the address of the mail server; empty is a folder. A mistyped scheme must not send in clear."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("smtp", "smtps", "smtp+plain") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if url and not usable:
        # not quoted: it may hold a password
        raise UnusableSetting(
            "CPRO_MAIL_URL doit ressembler à « smtp://serveur:587?from=cpro@domaine » "
            "(ou commencer par « smtps:// » ou « smtp+plain:// »), ou rester vide."
        )
    return url


def _trusted_hosts(text: str, public_url: str) -> list[str]:
    """Return the host names the application answers to: those given, else the public one, and the loopback."""
    given = [name.strip() for name in text.split(",") if name.strip()]
    public = urlsplit(public_url).hostname
    return list(dict.fromkeys([*given, *([public] if public else []), "127.0.0.1", "localhost", _Literal("[::1]")]))


class _Literal(str):
    """An IPv6 address as `TRUSTED_HOSTS` needs it: Werkzeug takes what precedes a colon for the name, « [ » here."""

    def partition(self, sep: str, /) -> tuple[str, str, str]:
        """Return the whole address as what precedes the separator."""
        return str(self), "", ""


def _keys(text: str) -> list[str]:
    """Return the keys of a list separated by commas."""
    return [key.strip() for key in text.split(",") if key.strip()]


def _generated_secret(instance: Path) -> str:
    """Return the server key kept in the instance folder, made on the first start (mode 600).

    Two processes that start together agree: the file is created exclusively, the second reads the first one's.
    """
    path = instance / "secret_key"
    try:
        instance.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create_secret(path)
        secret = _read_secret(path)
    except OSError as error:
        raise UnusableSetting(
            f"Le dossier « {instance} » ne peut pas être utilisé ({error.strerror}) : "
            "donnez-en le droit d’écriture, ou choisissez-en un autre avec CPRO_INSTANCE."
        ) from error
    if not secret:
        raise UnusableSetting(f"Le fichier « {path} » est vide : supprimez-le, il sera recréé.")
    return secret


def _create_secret(path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))


def _read_secret(path: Path) -> str:
    """Return what the file holds, once the process that has just created it, if any, has filled it."""
    for _ in range(_SECRET_ATTEMPTS):
        if secret := path.read_text().strip():
            return secret
        time.sleep(_SECRET_PAUSE)
    return ""

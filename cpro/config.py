"""Every setting, its environment variable and its default: the only module that reads the environment.

A default must be safe in production and contain no secret: a setting that is not given is closed, local or
generated.
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

#: The single source of the version: pages, the `[project]` table (pyproject.toml) and CHANGELOG.md's heading follow it.
VERSION = "0.2.0"

PROJECT_ROOT = Path(__file__).resolve().parent.parent

#: A user is signed out after this long without activity.
INACTIVITY_LIMIT = timedelta(minutes=30)
#: A user must sign in again after this long, active or not, unless the device is trusted.
SIGN_IN_LIFE = timedelta(hours=12)
#: How long a device that its owner trusts needs no second-factor code, and how long a sign-in lasts there at most.
TRUSTED_DEVICE_LIFE = timedelta(days=30)
#: How long the second-factor code may be entered after the right password.
CODE_WAIT = timedelta(minutes=10)
#: How long an entered second-factor code exempts from entering another (`core.permissions.Access.asks_code`).
CODE_HOLDS = timedelta(minutes=15)

_SECRET_ATTEMPTS, _SECRET_PAUSE = 20, 0.05  # seconds
_MAX_PROXIES = 10
_LONGEST_NAME = 200
#: « prefix » is left out: the platform is at the root of its host, and a forged prefix would become a redirection.
PROXY_HEADERS = frozenset({"for", "proto", "host"})
_DATABASE_DRIVERS = {"sqlite": "sqlite", "sqlite+pysqlite": "sqlite"} | dict.fromkeys(
    ("postgres", "postgresql", "postgresql+psycopg"), "postgresql+psycopg"
)


class UnusableSetting(Exception):
    """A setting or a folder prevents the start; the message names it in one sentence."""


def load_settings(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the Flask configuration read from the environment.

    Raises `UnusableSetting` when a value is malformed or the instance folder cannot be written.
    """
    instance = Path(environ.get("CPRO_INSTANCE") or PROJECT_ROOT / "instance").resolve()
    uploads = Path(environ.get("CPRO_UPLOADS") or PROJECT_ROOT / "uploads").resolve()
    with contextlib.suppress(OSError):  # the code that needs the folder reports why it is missing
        instance.mkdir(parents=True, exist_ok=True)
    host = environ.get("CPRO_HOST") or "127.0.0.1"
    port = _between(environ, "CPRO_PORT", 5000, 1, 65535)  # above 65535, the system would silently use another port
    public_url = _public_url(environ.get("CPRO_PUBLIC_URL", "")) or local_url(host, port)
    database = _database_url(environ.get("CPRO_DATABASE_URL", ""), instance)
    # Pages have priority on the processor; on SQLite nobody saves while the worker writes: it must finish soon.
    niceness = 0 if database.startswith("sqlite") else 10
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
        "CPRO_WORKER_NICE": _between(environ, "CPRO_WORKER_NICE", niceness, 0, 19),
        "CPRO_XLSX_ROWS": _between(environ, "CPRO_XLSX_ROWS", 100_000, 1, 1_000_000),  # a worksheet has few more
        "CPRO_JOBS_URL": _jobs_url(environ.get("CPRO_JOBS_URL", "")),
        "CPRO_MAIL_URL": _mail_url(environ.get("CPRO_MAIL_URL", "")),
        "CPRO_CONTACT_EMAIL": _contact_email(environ.get("CPRO_CONTACT_EMAIL", "")),
        "CPRO_ENTITY": _entity(environ.get("CPRO_ENTITY", "")),
        "CPRO_ACCESSIBILITY_PLAN_URL": _page_url(environ, "CPRO_ACCESSIBILITY_PLAN_URL"),
        "CPRO_ACCESSIBILITY_YEAR_URL": _page_url(environ, "CPRO_ACCESSIBILITY_YEAR_URL"),
        "CPRO_METRICS_TOKEN": _metrics_token(environ.get("CPRO_METRICS_TOKEN", "")),
        # read by prometheus-client itself, which chose the name
        "PROMETHEUS_MULTIPROC_DIR": environ.get("PROMETHEUS_MULTIPROC_DIR", ""),
        "CPRO_SECOND_FACTOR": _second_factor(environ.get("CPRO_SECOND_FACTOR", "")),
        "CPRO_DEMO_PASSWORD": environ.get("CPRO_DEMO_PASSWORD", ""),
        "CPRO_JOURNAL_KEY": _keys(environ.get("CPRO_JOURNAL_KEY", "")),
        "SECRET_KEY": environ.get("CPRO_SECRET_KEY") or _generated_secret(instance),
        "SECRET_KEY_FALLBACKS": _keys(environ.get("CPRO_SECRET_KEY_FALLBACKS", "")),
        "SQLALCHEMY_DATABASE_URI": database,
        "CPRO_BACKUP_PASSPHRASE": environ.get("CPRO_BACKUP_PASSPHRASE", ""),
        "CPRO_MIGRATION_DATABASE_URL": _migration_url(environ.get("CPRO_MIGRATION_DATABASE_URL", "")),
        "TRUSTED_HOSTS": _trusted_hosts(environ.get("CPRO_TRUSTED_HOSTS", ""), public_url),
    }


#: Settings that do not depend on the machine.
FIXED_SETTINGS: dict[str, Any] = {
    "SESSION_COOKIE_NAME": "cpro_session",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,  # a token lives as long as the sign-in: an expired token would lose the user's input
    "WTF_CSRF_CHECK_DEFAULT": False,  # users.guard checks it, once the user is identified
    "WTF_CSRF_SSL_STRICT": True,
    "MAX_CONTENT_LENGTH": 8 * 1024 * 1024,  # one picture of 5 MB and its form; a larger body is not read
    "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
    "SQLALCHEMY_ENGINE_OPTIONS": {
        "hide_parameters": True,  # an error is logged with its statement, never with people's names
        "pool_pre_ping": True,  # detects a restarted database before a request fails on it
    },
    "BABEL_DEFAULT_LOCALE": "fr",
}


def _between(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Return an integer setting, or `default` when it is not set.

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
    """Return the URL of this machine's own server; an IPv6 address is put in brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _public_url(text: str) -> str:
    """Return the public URL without a final slash, or "" when it is not set.

    Raises `UnusableSetting` for a URL that a browser would not open: links in e-mails and on paper are built from
    it.
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
    """Return a URL with its host in lower case and without a default port, as browsers compare origins."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, default) else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _database_url(text: str, instance: Path) -> str:
    """Return the URL of the database; an empty setting means a file of the instance folder.

    Raises `UnusableSetting` for another kind of database, and for in-memory SQLite, where each thread would have its
    own.
    """
    if not text:
        return f"sqlite:///{instance / 'cpro.sqlite3'}"
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    driver = _DATABASE_DRIVERS.get(url.drivername) if url else None
    if url is None or driver is None or (driver == "sqlite" and url.database in (None, "", ":memory:")):
        # not quoted: it may contain a password
        raise UnusableSetting(
            "CPRO_DATABASE_URL doit ressembler à « postgresql+psycopg://rôle@serveur/base » "
            "ou à « sqlite:////dossier/cpro.sqlite3 », ou rester vide."
        )
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _migration_url(text: str) -> str:
    """Return the PostgreSQL URL that migrations use, or "" when they use the same one as the pages."""
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
    """Return which `X-Forwarded-…` headers the proxies in front write; a client could forge the others."""
    names = frozenset(name.strip().lower() for name in (text or "for,proto").split(",") if name.strip())
    if unknown := names - PROXY_HEADERS:
        raise UnusableSetting(
            "CPRO_PROXY_HEADERS doit être une liste de « for », « proto » et « host », séparés par des virgules ; "
            f"valeur lue : « {', '.join(sorted(unknown))} »."
        )
    return names


def _contact_email(text: str) -> str:
    """Return the contact address shown in the accessibility statement and `security.txt`.

    Empty: users are referred to their school's administrator, and `security.txt` is not served.
    """
    address = text.strip()
    if address and not re.fullmatch(r"[^\s@<>\"']{1,64}@[^\s@<>\"']+\.[^\s@<>\"'.]{2,}", address):
        raise UnusableSetting(f"CPRO_CONTACT_EMAIL doit être une adresse électronique ; valeur lue : « {address} ».")
    return address


def _entity(text: str) -> str:
    """Return the name of the body that deploys CPro, bound by the accessibility statement; "" when unknown."""
    name = " ".join(text.split())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UnusableSetting(f"CPRO_ENTITY doit être un nom d’au plus {_LONGEST_NAME} signes.")
    return name


def _page_url(environ: Mapping[str, str], name: str) -> str:
    """Return the URL of a web page, or "" when it is not set."""
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
    """Return the token that `/metrics` requires; without one, the page is closed."""
    if text and not re.fullmatch(r"[!-~]{16,}", text):
        # not quoted: it is a secret
        raise UnusableSetting(
            "CPRO_METRICS_TOKEN doit compter au moins 16 signes, sans espace ni accent, ou rester vide\u202f: "
            "« openssl rand -hex 24 » en tire un."
        )
    return text


def _second_factor(text: str) -> str:
    """Return the second-factor policy for accounts that act on other people's data; "" lets the data decide."""
    if text not in ("", "off", "grace", "required"):
        raise UnusableSetting(
            f"CPRO_SECOND_FACTOR doit valoir « off », « grace » ou « required » ; valeur lue : « {text} »."
        )
    return text


def _jobs_url(url: str) -> str:
    """Return the URL of the job queue; an empty setting means a file of the instance folder."""
    if url and not url.startswith(("redis://", "rediss://")):
        raise UnusableSetting("CPRO_JOBS_URL doit commencer par « redis:// » ou « rediss:// », ou rester vide.")
    if url and find_spec("redis") is None:
        raise UnusableSetting(
            "CPRO_JOBS_URL désigne un serveur Redis, mais la bibliothèque « redis » n’est pas installée "
            "(.venv/bin/pip install --require-hashes -r requirements-redis.txt)."
        )
    return url


def _mail_url(url: str) -> str:
    """Return the URL of the mail server; an empty setting means a folder.

    An unknown scheme is refused: a typing mistake must not send e-mails unencrypted.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("smtp", "smtps", "smtp+plain") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if url and not usable:
        # not quoted: it may contain a password
        raise UnusableSetting(
            "CPRO_MAIL_URL doit ressembler à « smtp://serveur:587?from=cpro@domaine » "
            "(ou commencer par « smtps:// » ou « smtp+plain:// »), ou rester vide."
        )
    return url


def _trusted_hosts(text: str, public_url: str) -> list[str]:
    """Return the host names the application answers to: those set, else the public one; always the loopback."""
    given = [name.strip() for name in text.split(",") if name.strip()]
    public = urlsplit(public_url).hostname
    return list(dict.fromkeys([*given, *([public] if public else []), "127.0.0.1", "localhost", _Literal("[::1]")]))


class _Literal(str):
    """An IPv6 address for `TRUSTED_HOSTS`: Werkzeug takes the text before the first colon as the name, here « [ »."""

    def partition(self, sep: str, /) -> tuple[str, str, str]:
        """Return the whole address as the text before the separator."""
        return str(self), "", ""


def _keys(text: str) -> list[str]:
    """Return the keys of a comma-separated list."""
    return [key.strip() for key in text.split(",") if key.strip()]


def _generated_secret(instance: Path) -> str:
    """Return the server key kept in the instance folder, generated on the first start (mode 600).

    Two processes that start together get the same key: the file is created exclusively, and the second process reads
    it.
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
    """Return the content of the file, waiting for the process that has just created it to write it."""
    for _ in range(_SECRET_ATTEMPTS):
        if secret := path.read_text().strip():
            return secret
        time.sleep(_SECRET_PAUSE)
    return ""

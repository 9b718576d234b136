"""Run the previous version on the current schema: `python -m bench.former_version [COMMIT]`.

A database left by version 0.2.0 (`tests/releases/`) is migrated by this tree; then the code of COMMIT serves it, with
its own worker, beside this tree's. People sign in, read the main pages, save and import a file that moves a pupil,
alternately on both; then each reads what the other wrote.
SQLite, or a new database beside the one of CPRO_TEST_ADMIN_URL. It ends at the first failure, or with a line for
docs/exploitation.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import create_engine, make_url, text

from cpro.core.storage import MARK
from tests.helpers.platform import PROJECT_ROOT, environment, flask, free_port
from tests.helpers.siecle import FILES
from tests.journeys.visitor import Visitor
from tests.test_releases import KEY, PASSWORD, restore

#: The last commit before migration 0026: since then, no migration removes anything that the previous version needs.
FORMER = "dcdebfdb"
SCHOOL = "lovelace"
#: Pages that an administrator opens on an ordinary day, in both versions.
PAGES = (
    *("", "eleves/", "utilisateurs/", "divisions/", "imports/historique/", "journal/", "masques/"),
    *("parametres/etablissement", "parametres/transferts/effectues", "eleves/new/", "utilisateurs/new/"),
)
#: The division to which the import of each version moves a pupil.
MOVED_TO = {"former": "T MELEC", "present": "1MELEC"}
_PATIENCE = 180  # seconds


def main(arguments: list[str]) -> int:
    """Test a commit; return 0 if everything worked."""
    commit = arguments[0] if arguments else FORMER
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cpro-former-") as name, ExitStack() as stack:
        folder = Path(name)
        former = _check_out(commit, folder / "former")
        address, owner = stack.enter_context(_database(folder))
        settings = {"CPRO_DATABASE_URL": address, "CPRO_MIGRATION_DATABASE_URL": owner, "CPRO_SECRET_KEY": KEY}
        migrated = flask("db", "upgrade", folder=folder, **settings)
        assert migrated.returncode == 0, migrated.stderr
        # The release's files are not kept here: what an operator who lost them is told to do.
        (folder / "uploads").mkdir(exist_ok=True)
        (folder / "uploads" / MARK).touch()
        head = migrated.stdout.strip().splitlines()[-1]
        sites = {
            each: stack.enter_context(_serving(root, folder, settings))
            for each, root in (("former", former), ("present", PROJECT_ROOT))
        }
        _work_on_both(sites)
        _check_sorts(owner or address)
    kind = "PostgreSQL" if address.startswith("postgresql") else "SQLite"
    print(f"| {commit} | {kind} | {head} | held | {time.monotonic() - began:.0f} s |")
    return 0


def _work_on_both(sites: dict[str, str]) -> None:
    """Have an administrator and a head work on both versions alternately."""
    for name, site in sites.items():
        administrator, head = Visitor(site, name), Visitor(site, name)
        administrator.sign_in(SCHOOL, "administrateur", PASSWORD)
        head.sign_in(SCHOOL, "chef", PASSWORD)
        assert administrator.path != "/connexion", administrator.text
        for page in PAGES:
            administrator.open_received(f"/admin/{page}")
            assert administrator.status == 200, (name, page, administrator.status)
        _save(administrator, f"Ville de {name}")
        _import(administrator, name)
        head.open_received("/admin/parametres/inspecteurs")
        assert head.status == 200, (name, head.status)
        administrator.sign_out()
        print(f"{name}: signed in, {len(PAGES) + 1} pages, a form, an import", flush=True)
    for name, site in sites.items():  # each reads what the other wrote
        administrator = Visitor(site, name)
        administrator.sign_in(SCHOOL, "administrateur", PASSWORD)
        administrator.open_received("/admin/parametres/etablissement")
        assert administrator.field("city") == "Ville de present", name
        administrator.open_received("/admin/journal/")
        assert administrator.status == 200
        administrator.open_received("/admin/eleves/?recherche=testeur")
        administrator.sees("Alix", MOVED_TO["present"])


def _check_sorts(address: str) -> None:
    """Check that what lists are sorted by followed the division of each pupil, whichever version moved them."""
    engine = create_engine(address)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
        pupils = connection.execute(
            text("SELECT s.division_sort, d.code FROM student s LEFT JOIN division d ON d.id = s.division_id")
        ).all()
    engine.dispose()
    assert pupils
    assert [each for each in pupils if each[0] != ("1" if each[1] is None else f"0{each[1]}")] == []


def _save(administrator: Visitor, city: str) -> None:
    administrator.open_received("/admin/parametres/etablissement")
    administrator.press("Valider", city=city)
    assert administrator.status == 200, administrator.text
    administrator.open_received("/admin/parametres/etablissement")
    assert administrator.field("city") == city


def _import(administrator: Visitor, name: str) -> None:
    """Deposit a file that moves a pupil; check that it is analysed and applied, by the worker of either version."""
    content = (FILES / "ElevesSansAdresses.xml").read_bytes()
    content = content.replace(b">2MELEC1<", f">{MOVED_TO[name]}<".encode(), 1)
    administrator.menu("Gérer les imports")
    administrator.press("Analyser les fichiers", files=[("ElevesSansAdresses.xml", content)])
    assert administrator.status == 200, (name, administrator.status, administrator.text)
    until = time.monotonic() + _PATIENCE
    while not administrator.offers("Appliquer l’import") and time.monotonic() < until:
        administrator.reload()
        time.sleep(0.5)
    administrator.press("Appliquer l’import")
    while "Ce que l’import a fait" not in administrator.text:
        assert time.monotonic() < until, (name, administrator.status, administrator.text)
        time.sleep(0.5)
        if administrator.offers("Voir l’import"):
            administrator.follow("Voir l’import")
        else:
            administrator.reload()


def _check_out(commit: str, folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT_ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive, check=True)
    return folder


@contextmanager
def _database(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the URL of a database as left by the release, and that of the role that owns its tables."""
    admin = os.environ.get("CPRO_TEST_ADMIN_URL", "")
    if not admin:
        address = f"sqlite:///{folder / 'cpro.sqlite3'}"
        restore(address)
        yield address, ""
        return
    engine, name = create_engine(admin, isolation_level="AUTOCOMMIT"), f"{make_url(admin).database}_former"
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} OWNER cpro_owner"))
    addresses = [
        make_url(admin).set(database=name, username=role).render_as_string(hide_password=False)
        for role in ("cpro", "cpro_owner")
    ]
    restore(addresses[1])
    try:
        yield addresses[0], addresses[1]
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@contextmanager
def _serving(root: Path, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run the pages and a worker of a tree; yield the URL of its pages."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    surroundings = environment(folder, CPRO_PUBLIC_URL=site, **settings)
    web = ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket", "app:app"]
    with (folder / f"{port}.log").open("wb") as log:
        processes = [
            subprocess.Popen([sys.executable, *command], cwd=root, env=surroundings, stdout=log, stderr=log)
            for command in (web, ["-m", "flask", "--app", "app", "worker"])
        ]
        try:
            _wait(site, processes[0], folder / f"{port}.log")
            yield site
        except BaseException:
            print((folder / f"{port}.log").read_text(errors="replace")[-3000:])
            raise
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(_PATIENCE)


def _wait(site: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            urlopen(f"{site}/sante", timeout=5).close()
            return
        except (URLError, TimeoutError):
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

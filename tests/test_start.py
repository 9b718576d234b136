"""Starting: `python app.py` for somebody who has never seen the project, `gunicorn app:app` for production."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener, urlopen

import pytest

from tests.helpers.platform import (
    PROJECT_ROOT,
    Platform,
    environment,
    flask,
    free_port,
    run,
    without_root_powers,
)

pytestmark = pytest.mark.slow

PASSWORD = "Quartz-et-feldspath-7"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Return a platform that was started once, with a drawn password, looked at, and stopped."""
    platform = Platform(tmp_path_factory.mktemp("first-start"))
    with platform:
        platform.health = platform.get("/sante")  # type: ignore[attr-defined]
        platform.first_page = platform.get("/")  # type: ignore[attr-defined]
        platform.reachable = _reachable_addresses(platform.port)  # type: ignore[attr-defined]
        platform.signed_in = sign_in(platform, password_in(platform.announcement))  # type: ignore[attr-defined]
        platform.deposited = _deposit(platform, b"<BEE_ELEVES/>".ljust(12 << 20))  # type: ignore[attr-defined]
    return platform


class TestFirstStart:
    def test_first_start_a_page_is_there(self, stopped: Platform) -> None:
        status, page = stopped.first_page

        assert status == 200
        assert heading_of(page) == "Se connecter"
        assert stopped.health == (200, '{"status":"ok"}\n')

    def test_first_start_prints_the_address_the_accounts_and_the_password_once(self, stopped: Platform) -> None:
        announcement = stopped.announcement

        assert stopped.url in announcement
        for word in ("lovelace", "chatelet", "administrateur", "chef", "enseignante", "apprenant"):
            assert word in announcement
        for email in ("inspecteur@cpro.example", "support@cpro.example"):
            assert email in announcement
        assert announcement.count(password_in(announcement)) == 1
        assert stopped.complaints == ""

    def test_first_start_the_password_it_prints_opens_every_demonstration_account(self, stopped: Platform) -> None:
        assert stopped.signed_in == "Tableau de bord"

    def test_first_start_a_large_deposit_reaches_the_page_that_judges_it(self, stopped: Platform) -> None:
        assert "Rien n’a été importé" in stopped.deposited

    def test_first_start_listens_on_this_machine_only(self, stopped: Platform) -> None:
        assert stopped.reachable == {"127.0.0.1"}

    def test_first_start_the_server_key_is_for_its_owner_only(self, stopped: Platform) -> None:
        key = stopped.folder / "instance" / "secret_key"

        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(key.read_text()) >= 43  # 256 random bits

    @pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
    def test_first_start_no_file_of_the_instance_can_be_read_by_others(self, stopped: Platform) -> None:
        files = [path for path in (stopped.folder / "instance").rglob("*") if path.is_file()]

        assert len(files) >= 2
        assert [path for path in files if path.stat().st_mode & 0o077] == []

    def test_first_start_stops_cleanly(self, stopped: Platform) -> None:
        assert stopped.stop() == 0


class TestSecondStart:
    def test_second_start_what_was_changed_is_kept_and_nothing_is_reloaded(self, stopped: Platform) -> None:
        password = password_in(stopped.announcement)
        key = (stopped.folder / "instance" / "secret_key").read_text()
        with sqlite3.connect(stopped.database) as database:
            database.execute("UPDATE establishment SET name = 'Lycée renommé' WHERE code = 'chatelet'")
            database.execute("DELETE FROM student WHERE last_name = 'Topaze'")
            before = _counts(database)

        with Platform(stopped.folder) as again:
            page = sign_in(again, password, whole=True)

        assert "Lycée renommé" in page
        assert password not in again.announcement
        assert "Mot de passe de tous ces comptes" not in again.announcement
        assert (stopped.folder / "instance" / "secret_key").read_text() == key
        with sqlite3.connect(stopped.database) as database:
            assert _counts(database) == before

    def test_second_start_the_password_asked_for_is_the_one_of_the_accounts(self, tmp_path: Path) -> None:
        with Platform(tmp_path, {"CPRO_DEMO_PASSWORD": PASSWORD}) as platform:
            assert sign_in(platform, PASSWORD) == "Tableau de bord"
            assert sign_in(platform, PASSWORD + "x") == "Se connecter"
        with Platform(tmp_path, {"CPRO_DEMO_PASSWORD": "Un-autre-42-choisi!"}) as platform:
            assert sign_in(platform, PASSWORD) == "Tableau de bord", "an existing account keeps its password"

    def test_second_start_on_the_ipv6_loopback_pages_are_there_and_nowhere_else(self, stopped: Platform) -> None:
        if not _has_ipv6_loopback():
            pytest.skip("this machine has no IPv6 loopback")
        with Platform(stopped.folder, {"CPRO_HOST": "::1"}) as again:
            assert f"CPro est prêt : http://[::1]:{again.port}\n" in again.announcement
            status, page = again.get("/connexion")
            with pytest.raises(URLError):
                urlopen(f"http://127.0.0.1:{again.port}/", timeout=5)

        assert (status, heading_of(page)) == (200, "Se connecter")


class TestOddConsole:
    def test_first_start_a_console_in_ascii_still_shows_the_password(self, tmp_path: Path) -> None:
        with Platform(tmp_path, {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}) as platform:
            announcement = platform.announcement

            assert sign_in(platform, password_in(announcement)) == "Tableau de bord"
        assert "CPro est pret : http://" in announcement


class TestCannotStart:
    """One plain sentence on standard error, a status that is not zero, and nothing changed."""

    def test_cannot_start_the_instance_folder_cannot_be_written(self, tmp_path: Path) -> None:
        instance = _read_only(tmp_path / "instance")

        refusal = _refused_without_powers(tmp_path)

        assert str(instance) in refusal
        assert "CPRO_INSTANCE" in refusal

    def test_cannot_start_the_instance_folder_is_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "instance").write_text("not a folder")

        assert "CPRO_INSTANCE" in refused(tmp_path)

    def test_cannot_start_the_database_cannot_be_written_any_more(self, tmp_path: Path) -> None:
        flask("db", "upgrade", folder=tmp_path)
        _read_only(tmp_path / "instance")

        assert "cpro.sqlite3" in _refused_without_powers(tmp_path)

    def test_cannot_start_the_uploads_folder_cannot_be_written(self, tmp_path: Path) -> None:
        uploads = _read_only(tmp_path / "uploads")

        assert str(uploads) in _refused_without_powers(tmp_path)

    def test_cannot_start_the_disk_of_the_uploads_is_not_there(self, stopped: Platform, tmp_path: Path) -> None:
        shutil.copytree(stopped.folder / "instance", tmp_path / "instance")

        assert str(tmp_path / "uploads" / ".cpro-store") in refused(tmp_path)
        assert not (tmp_path / "uploads").exists()

    def test_cannot_start_the_port_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            refusal = refused(tmp_path, CPRO_PORT=str(port))

        assert str(port) in refusal
        assert "CPRO_PORT" in refusal
        assert not (tmp_path / "instance" / "cpro.sqlite3").exists(), "a second start must not touch the database"

    @pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "5000.5", "99999"])
    def test_cannot_start_the_port_is_no_port(self, tmp_path: Path, port: str) -> None:
        assert "CPRO_PORT" in refused(tmp_path, CPRO_PORT=port)

    @pytest.mark.parametrize("seconds", ["deux", "-1", "61"])
    def test_cannot_start_the_wait_for_a_lock_is_no_wait(self, tmp_path: Path, seconds: str) -> None:
        assert "CPRO_LOCK_WAIT" in refused(tmp_path, CPRO_LOCK_WAIT=seconds)

    def test_cannot_start_the_database_comes_from_a_newer_version(self, stopped: Platform, tmp_path: Path) -> None:
        (tmp_path / "instance").mkdir()
        with sqlite3.connect(tmp_path / "instance" / "cpro.sqlite3") as database:
            database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            database.execute("INSERT INTO alembic_version VALUES ('9999')")

        refusal = refused(tmp_path)

        assert "9999" in refusal
        assert "plus récente" in refusal
        with sqlite3.connect(tmp_path / "instance" / "cpro.sqlite3") as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        assert tables == [("alembic_version",)]

    def test_cannot_start_the_database_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "instance").mkdir()
        (tmp_path / "instance" / "cpro.sqlite3").write_text("Ceci n’est pas une base de données. " * 99)

        assert "cpro.sqlite3" in refused(tmp_path)

    def test_cannot_start_the_server_key_is_empty(self, tmp_path: Path) -> None:
        (tmp_path / "instance").mkdir()
        (tmp_path / "instance" / "secret_key").touch()

        assert "secret_key" in refused(tmp_path)


class TestProduction:
    def test_gunicorn_serves_the_application_without_any_demonstration(self, tmp_path: Path) -> None:
        flask("db", "upgrade", folder=tmp_path)
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"]
        server = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment(tmp_path, CPRO_DEMO_PASSWORD=PASSWORD),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            health = _wait_for(f"http://127.0.0.1:{port}/sante")
        finally:
            server.terminate()
            server.wait(timeout=180)

        assert health == '{"status":"ok"}\n'
        with sqlite3.connect(tmp_path / "instance" / "cpro.sqlite3") as database:
            assert set(_counts(database).values()) == {0}

    def test_gunicorn_on_a_database_without_tables_says_it_is_not_well(self, tmp_path: Path) -> None:
        answer = run(
            ["-c", "from app import app; r = app.test_client().get('/sante/pret'); print(r.status_code, r.text)"],
            tmp_path,
        )

        assert answer.stdout.startswith("503 "), answer.stderr
        assert "the database does not answer, or its tables are missing" in answer.stdout


# --- What the tests above share --------------------------------------------------------------------------------------


def refused(folder: Path, prefix: list[str] | None = None, **settings: str) -> str:
    """Start, expect a refusal, and return its sentence."""
    settings = {"CPRO_PORT": str(free_port()), **settings}
    answer = subprocess.run(
        [*(prefix or []), sys.executable, "app.py"],
        cwd=PROJECT_ROOT,
        env=environment(folder, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert answer.returncode not in (0, None)
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    sentence = answer.stderr.strip()
    assert sentence.count("\n") == 0, f"more than one line:\n{sentence}"
    assert sentence.endswith("."), sentence
    return sentence


def sign_in(platform: Platform, password: str, *, whole: bool = False) -> str:
    """Sign in as an administrator over HTTP, every cookie followed; return the title one lands on, or the page."""
    _browser, page = _enter(platform, password)
    return page if whole else heading_of(page)


def heading_of(page: str) -> str:
    """Return the heading of a page, wherever its line is broken."""
    heading = re.search(r"<h1>\s*(.*?)\s*</h1>", page, re.S)
    assert heading
    return heading[1]


def password_in(announcement: str) -> str:
    """Return the password that the first start prints."""
    found = re.search(r"^Mot de passe de tous ces comptes : (\S+)$", announcement, re.M)
    assert found, announcement
    return found[1]


def _enter(platform: Platform, password: str) -> tuple[OpenerDirector, str]:
    """Return a browser in which an administrator has tried to sign in, and the page that followed."""
    browser = build_opener(HTTPCookieProcessor(http.cookiejar.CookieJar()))
    token = _token_in(_read(browser, f"{platform.url}/connexion"))
    typed = {"establishment": "chatelet", "login": "administrateur", "password": password, "csrf_token": token}
    return browser, _read(browser, f"{platform.url}/connexion", urlencode(typed).encode())


def _deposit(platform: Platform, content: bytes) -> str:
    """Deposit a file to import, as the administrator does, and return the page that followed."""
    browser, _page = _enter(platform, password_in(platform.announcement))
    address = f"{platform.url}/admin/imports"
    part = '--part\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    token = part.format("csrf_token") + _token_in(_read(browser, address)) + "\r\n"
    body = (token + part.format('files"; filename="eleves.xml')).encode() + content + b"\r\n--part--\r\n"
    return _read(browser, Request(address, body, {"Content-Type": "multipart/form-data; boundary=part"}))


def _token_in(page: str) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    return token[1]


def _read(browser: OpenerDirector, address: str | Request, data: bytes | None = None) -> str:
    try:
        with browser.open(address, data, timeout=180) as answer:
            return answer.read().decode()
    except URLError as error:
        assert hasattr(error, "read"), error
        return error.read().decode()


def _reachable_addresses(port: int) -> set[str]:
    """Return the addresses of this machine that answer on the port."""
    reachable = set()
    for address in _own_addresses() | {"127.0.0.1", "127.0.0.2"}:
        with socket.socket() as caller:
            caller.settimeout(5)
            if caller.connect_ex((address, port)) == 0:
                reachable.add(address)
    return reachable


def _own_addresses() -> set[str]:
    """Return the addresses this machine speaks from, whether or not its own name resolves; nothing is sent."""
    found = set()
    for elsewhere in ("192.0.2.1", "10.255.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller, contextlib.suppress(OSError):
            caller.connect((elsewhere, 9))
            found.add(caller.getsockname()[0])
    return found


def _read_only(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for each in (folder, *folder.iterdir()):
        each.chmod(each.stat().st_mode & ~0o222)
    return folder


def _refused_without_powers(folder: Path) -> str:
    prefix = without_root_powers()
    if not prefix and os.name != "nt" and os.geteuid() == 0:
        pytest.skip("root writes everywhere, and setpriv (util-linux) is not here to take that power away")
    return refused(folder, prefix)


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    tables = ("establishment", "account", "platform_account", "student", "diploma", "division")
    return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def _wait_for(address: str) -> str:
    until = time.monotonic() + 180
    while True:
        try:
            with urlopen(address, timeout=5) as answer:
                return answer.read().decode()
        except (URLError, TimeoutError):  # a loaded machine starts slowly
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.fixture(autouse=True)
def _writable_again(tmp_path: Path) -> Iterator[None]:
    """Let pytest remove its folders."""
    yield
    for folder in (tmp_path / "instance", tmp_path / "uploads"):
        if folder.is_dir():
            folder.chmod(0o755)

"""What `deploy/` promises: paths, users, ports and settings that agree, files that programs accept, a real gunicorn."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from cpro.config import PROJECT_ROOT, load_settings
from cpro.imports.parse.files.extraction import MAX_DEPOSIT_SIZE
from tests.helpers.platform import children_of, environment, flask, free_port

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PORT = "8000"
TOKEN = "a-token-of-more-than-16-signs"


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(path: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path, encoding="utf-8")
    return parser["Service"]


def settings_of_environment() -> set[str]:
    source = (PROJECT_ROOT / "cpro/config.py").read_text(encoding="utf-8")
    return set(re.findall(r'environ(?:\.get\(|, )"(CPRO_\w+)"', source))


class TestSettings:
    def test_settings_named_in_deploy_exist(self) -> None:
        named = {
            word
            for path in DEPLOY.rglob("*")
            if path.is_file()
            for word in re.findall(r"\bCPRO_\w+", path.read_text(encoding="utf-8"))
        }

        assert named
        assert named <= settings_of_environment()

    def test_settings_of_the_example_are_accepted(self, tmp_path: Path) -> None:
        lines = re.findall(r"^(CPRO_\w+)=(.*)$", read("cpro.env.example"), re.M)
        given = dict(lines) | {"CPRO_INSTANCE": str(tmp_path / "i"), "CPRO_UPLOADS": str(tmp_path / "u")}

        assert load_settings(given)["CPRO_PROXIES"] == 1

    @pytest.mark.integration
    @pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
    @pytest.mark.parametrize("name", ["cpro.env.example", "migration.env.example"])
    def test_settings_of_the_examples_are_the_same_to_a_shell_as_to_systemd(self, name: str) -> None:
        written = {key: value.strip('"') for key, value in re.findall(r"^([A-Z_]+)=(.*)$", read(name), re.M)}
        line = f"set -a && . '{DEPLOY / name}' && env"
        told = subprocess.run(["sh", "-c", line], env={}, capture_output=True, text=True, check=False)

        assert told.stderr == ""
        assert written.items() <= dict(each.split("=", 1) for each in told.stdout.splitlines()).items()


class TestUnits:
    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
    def test_units_run_one_user_in_the_folder_of_the_program(self, path: Path) -> None:
        service = unit(path)

        assert (service["User"], service["WorkingDirectory"]) == ("cpro", "/opt/cpro")
        assert service["EnvironmentFile"] == "/etc/cpro/cpro.env"
        assert (service["UMask"], service["StateDirectory"]) == ("0077", "cpro")
        for name in re.findall(r"\bdeploy/\S+", service["ExecStart"]):
            assert (PROJECT_ROOT / name).is_file()

    def test_units_state_is_where_the_settings_keep_files(self) -> None:
        assert (
            re.findall(r"^CPRO_(?:INSTANCE|UPLOADS)=(.*)/\w+$", read("cpro.env.example"), re.M) == ["/var/lib/cpro"] * 2
        )

    @pytest.mark.integration
    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
    def test_units_are_accepted_by_systemd(self, path: Path, tmp_path: Path) -> None:
        if shutil.which("systemd-analyze") is None:
            pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
        copy = tmp_path / path.name.replace("@", "@1")
        here = Path(sys.executable).parent
        copy.write_text(path.read_text(encoding="utf-8").replace("/opt/cpro/.venv/bin", str(here)), encoding="utf-8")
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
        )

        assert [line for line in told.stderr.splitlines() if copy.name in line] == []


class TestNginx:
    def test_nginx_leads_to_the_port_of_gunicorn_and_takes_the_largest_deposit(self) -> None:
        sample = read("nginx/cpro.conf")

        assert f"server 127.0.0.1:{PORT};" in sample
        assert f'bind = "127.0.0.1:{PORT}"' in read("gunicorn.conf.py")
        megabytes = int(re.findall(r"client_max_body_size (\d+)m;", sample)[0])
        assert megabytes * 1024 * 1024 > MAX_DEPOSIT_SIZE

    def test_nginx_writes_the_headers_that_are_believed_and_lets_no_other_through(self) -> None:
        sample = read("nginx/cpro.conf").split("location / {")[1].split("\n    }")[0]
        written = dict(re.findall(r"proxy_set_header (X-Forwarded-\w+|Forwarded) (.*);", sample))

        asked = re.findall(r"^CPRO_PROXY_HEADERS=(.*)$", read("cpro.env.example"), re.M)[0].split(",")
        assert {name for name, value in written.items() if value != '""'} == {
            f"X-Forwarded-{name.capitalize()}" for name in asked
        }
        assert {"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"} <= written.keys()
        assert "$proxy_add_x_forwarded_for" not in sample, "it keeps what a browser wrote"

    @pytest.mark.integration
    def test_nginx_accepts_it(self, tmp_path: Path) -> None:
        nginx = shutil.which("nginx")
        if nginx is None:
            pytest.skip("nginx is not installed (Debian: apt-get install nginx)")
        _write_certificate(tmp_path)
        sample = read("nginx/cpro.conf").replace("/etc/ssl/cpro/", f"{tmp_path}/")
        (tmp_path / "cpro.conf").write_text(sample, encoding="utf-8")
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}} http {{ access_log off; "
            f"client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f; "
            f"uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s; include {tmp_path}/cpro.conf; }}"
        )
        told = subprocess.run(
            [nginx, "-t", "-p", str(tmp_path), "-e", f"{tmp_path}/log", "-c", f"{tmp_path}/nginx.conf"],
            capture_output=True,
            text=True,
            check=False,
        )

        assert told.returncode == 0, told.stderr


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cpro.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    (folder / "fullchain.pem").write_bytes(certificate)
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class TestContainers:
    def test_containers_run_as_nobody_on_the_port_that_is_opened_and_asked(self) -> None:
        image = read("Dockerfile")

        assert re.findall(r"^USER (\w+)$", image, re.M) == ["cpro"]
        assert re.findall(r"^EXPOSE (\d+)$", image, re.M) == [PORT]
        assert f"http://127.0.0.1:{PORT}/sante" in image and f"0.0.0.0:{PORT}" in image

    def test_containers_install_nothing_that_is_not_pinned_with_its_hashes(self) -> None:
        installs = re.findall(r"\bpip install.*", read("Dockerfile"))

        assert installs
        for line in installs:
            files = re.findall(r"-r (\S+)", line)
            assert files and "--require-hashes" in line and "&&" not in line
            assert all((PROJECT_ROOT / name).is_file() for name in files)
            assert f"COPY {' '.join(files)} ./" in read("Dockerfile")

    def test_containers_of_compose_run_commands_that_exist_under_accepted_settings(self, tmp_path: Path) -> None:
        services: dict[str, Any] = yaml.safe_load(read("compose.yaml"))["services"]

        assert services.keys() == {"database", "migrate", "web", "worker"}
        assert [services[name]["command"][3:] for name in ("migrate", "worker")] == [["db", "upgrade"], ["worker"]]
        for name in ("migrate", "web", "worker"):
            given = services[name]["environment"] | {"CPRO_INSTANCE": str(tmp_path), "CPRO_UPLOADS": str(tmp_path)}
            assert load_settings(given)
        assert services["web"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


class TestRoles:
    def test_roles_serve_and_read_without_owning(self) -> None:
        script = read("postgresql/roles.sql")

        assert set(re.findall(r"^CREATE ROLE (\w+) LOGIN NOSUPERUSER NOBYPASSRLS", script, re.M)) == {
            "cpro_owner", "cpro", "cpro_reader"
        }  # fmt: skip
        assert "CREATE DATABASE cpro OWNER cpro_owner" in script

    @pytest.mark.integration
    @pytest.mark.slow
    def test_roles_are_made_and_db_upgrade_gives_them_what_they_need(self, tmp_path: Path) -> None:
        admin, psql = os.environ.get("CPRO_TEST_ADMIN_URL", ""), shutil.which("psql")
        if not admin or psql is None:
            pytest.skip("needs PostgreSQL and psql")
        mark = f"t{os.getpid()}"
        script = re.sub(r"\bcpro(?=\b|_owner|_reader)", f"cpro_{mark}", read("postgresql/roles.sql"))
        (tmp_path / "roles.sql").write_text(script, encoding="utf-8")
        server = make_url(admin)
        plain = server.set(drivername="postgresql")

        def ask(*words: str) -> None:
            subprocess.run(
                [psql, "-q", "-v", "ON_ERROR_STOP=1", "-d", plain.render_as_string(False), *words], check=True
            )

        def address(role: str) -> str:
            return server.set(username=role, database=f"cpro_{mark}").render_as_string(False)

        try:
            ask("-f", str(tmp_path / "roles.sql"))
            owner, serving = address(f"cpro_{mark}_owner"), address(f"cpro_{mark}")
            told = flask("db", "upgrade", folder=tmp_path, CPRO_DATABASE_URL=serving, CPRO_MIGRATION_DATABASE_URL=owner)
            assert told.returncode == 0, told.stderr
            told = flask("establishments", "list", folder=tmp_path, CPRO_DATABASE_URL=serving)
            assert told.returncode == 0, told.stderr
            reader = create_engine(address(f"cpro_{mark}_reader"))
            with reader.connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
                with pytest.raises(Exception, match="read-only"):
                    connection.execute(text("DELETE FROM alembic_version"))
            reader.dispose()
        finally:
            ask("-c", f"DROP DATABASE IF EXISTS cpro_{mark} WITH (FORCE)")
            ask("-c", f"DROP ROLE IF EXISTS cpro_{mark}, cpro_{mark}_owner, cpro_{mark}_reader")


def check_log(text: str) -> None:
    """Fail unless each line is JSON, gunicorn's own too: its start, a worker that was killed, its end."""
    lines = [json.loads(line) for line in text.splitlines()]
    own = " ".join(line["event"] for line in lines if line["logger"] == "gunicorn.error")

    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    assert [word for word in ("Starting gunicorn", "Booting worker", "SIGKILL", "term") if word not in own] == []


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.any_database
class TestGunicorn:
    @pytest.fixture
    def address(self, tmp_path: Path) -> Iterator[str]:
        """Start gunicorn as the unit does, on a port of its own; stop it as systemd does."""
        port = free_port()
        command = unit(DEPLOY / "systemd/cpro-web.service")["ExecStart"].split()[1:]
        assert flask("db", "upgrade", folder=tmp_path).returncode == 0
        with (tmp_path / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", *command],
                cwd=PROJECT_ROOT,
                env=environment(tmp_path, CPRO_METRICS_TOKEN=TOKEN, TMPDIR=str(tmp_path)),
                stderr=log,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"{url}/sante", timeout=5).close()
                    break
                except (URLError, ConnectionError):
                    assert server.poll() is None and time.monotonic() < until
                    time.sleep(0.1)
            yield url
            os.kill(children_of(server.pid)[0], signal.SIGKILL)
            server.send_signal(signal.SIGTERM)
            assert server.wait(40) == 0
            check_log((tmp_path / "log").read_text())
            assert list(tmp_path.glob("cpro-metrics-*")) == []
        finally:
            server.kill()
            server.wait()

    def test_gunicorn_any_worker_tells_what_all_counted(self, address: str) -> None:
        for _ in range(20):
            urllib.request.urlopen(f"{address}/robots.txt", timeout=5).close()

        asked = urllib.request.Request(f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        for _ in range(4):  # whichever answers
            with urllib.request.urlopen(asked, timeout=5) as answer:
                figures = answer.read().decode()
            assert 'cpro_requests_total{endpoint="pages.robots",method="GET",status="200"} 20.0' in figures
            assert "cpro_database_up 1.0" in figures

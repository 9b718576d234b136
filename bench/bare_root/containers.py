"""Follow deploy/Dockerfile and deploy/compose.yaml, without Docker: `python -m bench.bare_root.containers`.

One bare Debian represents every container: its Python and PostgreSQL have the versions that the images name. Users,
commands, environments, ports and health checks are those of the files. Not tested: the images of the registry, the
creation of volumes and networks, and `restart`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.bare_root.images import ignored, read_image, read_services
from bench.bare_root.machine import Machine, StepFailed, make_tree, run_trial
from cpro.config import PROJECT_ROOT

_PATH = "/usr/local/image/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DATA = "/var/lib/postgresql/data"


class Trial:
    """The containers of compose.yaml, on one machine."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.image, self.services = read_image(), read_services()
        self.machine = Machine(tree, folder / "cpro-bare-containers")
        self.machine.start("/bin/sleep infinity")
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def do(self, what: str, action: Callable[[], object]) -> None:
        """Do one thing and print its time."""
        since = time.monotonic()
        action()
        print(f"{time.monotonic() - since:7.1f} s  {what[:140]}", flush=True)

    def build(self) -> None:
        """Follow the Dockerfile."""
        python = _version(self.image.source, "python:")
        self.do(f"stands for {self.image.source}", lambda: self._make_python(python))
        for word, rest in self.image.builds:
            action = self._copy if word == "COPY" else self._run_in_image
            self.do(f"{word} {rest}", lambda action=action, rest=rest: action(rest))
        for volume in self.image.volumes:
            owner = self.machine.run(f"stat -c %U {volume}").strip()
            if owner != self.image.user:
                raise StepFailed(f"{volume} belongs to {owner}: the volume would not be writable")

    def _make_python(self, version: str) -> None:
        self.machine.run("apt-get install -y -qq --no-install-recommends python3-venv >/dev/null", registry=True)
        self.machine.run("python3 -m venv /usr/local/image")
        if f"Python {version}" not in self.machine.run("python3 --version"):
            raise StepFailed(f"this Debian has no Python {version}")

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        place = self.machine.root / self.image.folder[1:] / target
        place.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(
            ["git", "archive", "HEAD", *sources], cwd=PROJECT_ROOT, check=True, capture_output=True
        )
        left_out = [f"--exclude={each.removeprefix('**/')}" for each in ignored()]
        subprocess.run(["tar", "-x", "-C", str(place), "--no-same-owner", *left_out], input=archive.stdout, check=True)

    def _run_in_image(self, line: str) -> None:
        enter = f"mkdir -p {self.image.folder} && cd {self.image.folder}"
        self.machine.run(f"{enter} && {line}", registry="pip install" in line, quietly=True, environ=self._environ({}))

    def _environ(self, given: dict[str, str]) -> dict[str, str]:
        return self.image.environ | {name: str(value) for name, value in given.items()} | {"PATH": _PATH}

    def start_database(self) -> None:
        """Create the cluster as the image of PostgreSQL does, running its scripts on a server without network."""
        service = self.services["database"]
        version = _version(service["image"], "postgres:")
        self.machine.run("apt-get install -y -qq --no-install-recommends postgresql >/dev/null", registry=True)
        tools = f"/usr/lib/postgresql/{version}/bin"
        if not (self.machine.root / tools[1:]).is_dir():
            raise StepFailed(f"this Debian has no PostgreSQL {version}")
        self.machine.run("echo 127.0.0.1 database >> /etc/hosts")
        self.machine.run("install -d -o postgres /var/run/postgresql " + _DATA)
        method = service["environment"]["POSTGRES_HOST_AUTH_METHOD"]
        as_postgres = "runuser -u postgres --"
        self.machine.run(f"{as_postgres} {tools}/initdb -D {_DATA} -A trust -E UTF8 >/dev/null")
        self.machine.run(f"echo 'host all all all {method}' >> {_DATA}/pg_hba.conf")
        pg_ctl = f"{as_postgres} {tools}/pg_ctl -D {_DATA} -w -l /tmp/postgresql.log"
        self.machine.run(f"{pg_ctl} start -o \"-c listen_addresses=''\" >/dev/null")
        if self._is_healthy("database", service["healthcheck"]["test"][1:], "postgres"):
            raise StepFailed("the database is said to be healthy before its roles are there")
        for script in (each.split(":")[0] for each in service["volumes"] if "initdb.d" in each):
            source = (PROJECT_ROOT / "deploy" / script).read_bytes()
            (self.machine.root / "tmp/init.sql").write_bytes(source)
            self.machine.run(f"{as_postgres} psql -q -v ON_ERROR_STOP=1 --no-psqlrc -d postgres -f /tmp/init.sql")
        self.machine.run(f"{pg_ctl} stop >/dev/null && {pg_ctl} start -o \"-c listen_addresses='*'\" >/dev/null")
        self._wait_healthy("database", service["healthcheck"]["test"][1:], "postgres")

    def start(self, name: str) -> None:
        """Start a service of our image."""
        service = self.services[name]
        command = service.get("command", self.image.command)
        line = f"cd {self.image.folder} && exec {shlex.join(command)}"
        environ = self._environ(service.get("environment", {}))
        self._running[name] = self.machine.start_program([*_as(self.image.user), "sh", "-c", line], environ)

    def finish(self, name: str) -> None:
        """Wait until a one-off service has finished."""
        if status := self._running.pop(name).wait(300):
            raise StepFailed(f"{name} ended with status {status}")

    def check_health(self) -> None:
        """Wait until each service with a health check is healthy: Docker would kill another, or never find it ready."""
        for name in self._running:
            test = self.services[name].get("healthcheck", {})
            if not test.get("disable"):
                self._wait_healthy(name, test.get("test", ["CMD", *self.image.health])[1:], self.image.user)

    def check_pages(self) -> None:
        """Request pages from outside, as the TLS proxy in front does."""
        host = self.services["web"]["environment"]["CPRO_TRUSTED_HOSTS"]
        _, published, inside = self.services["web"]["ports"][0].split(":")
        if not published == inside == str(self.image.port):
            raise StepFailed(f"{published}:{inside} is not the port of the image, {self.image.port}")
        until = time.monotonic() + 60
        words = ["-H", f"Host: {host}", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.1"]
        for path in ("/sante/pret", "/connexion"):
            while not (told := self.machine.curl(*words, f"http://127.0.0.1:{published}{path}")).startswith("200"):
                if time.monotonic() > until:
                    raise StepFailed(f"{path}: {told[:500]}")
                time.sleep(0.5)

    def stop_services(self) -> None:
        """Stop as Docker does, within its grace period."""
        for name, process in list(self._running.items()):
            seconds = int(self.services[name].get("stop_grace_period", "10s").removesuffix("s"))
            self.machine.end_program(process)
            try:
                status = self._running.pop(name).wait(seconds)
            except subprocess.TimeoutExpired:
                raise StepFailed(f"{name} does not stop in {seconds} s") from None
            if status:
                raise StepFailed(f"{name} stopped with status {status}")

    def _is_healthy(self, name: str, test: list[str], user: str) -> bool:
        environ = self._environ(self.services[name].get("environment", {}))
        line = f"cd / && {shlex.join([*_as(user), *test])} >/dev/null 2>&1 && echo yes || echo no"
        return self.machine.run(line, environ=environ).strip() == "yes"

    def _wait_healthy(self, name: str, test: list[str], user: str) -> None:
        until = time.monotonic() + 60
        while not self._is_healthy(name, test, user):
            if time.monotonic() > until:
                raise StepFailed(f"{name} is not healthy: {shlex.join(test)}")
            time.sleep(0.5)


def _as(user: str) -> list[str]:
    """Return the prefix of a user's command, as containers start it: no process stands between it and signals."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]


def _version(image: str, begins: str) -> str:
    found = re.match(re.escape(begins) + r"(\d+(?:\.\d+)?)", image)
    if not found:
        raise StepFailed(f"{image}: no {begins}… is known here")
    return found[1]


def try_containers(suite: str, folder: Path, keep: bool) -> None:
    """Build, start, check, stop. Raises `StepFailed`."""
    trial = Trial(make_tree(suite, folder), folder)
    try:
        trial.build()
        trial.do("database", trial.start_database)
        trial.start("migrate")
        trial.do("migrate", lambda: trial.finish("migrate"))
        trial.start("web")
        trial.start("worker")
        trial.do("health checks", trial.check_health)
        trial.do("pages", trial.check_pages)
        trial.do("stop", trial.stop_services)
    finally:
        trial.machine.stop()
        if not keep:
            trial.machine.remove()


if __name__ == "__main__":
    sys.exit(run_trial("bench.bare_root.containers", __doc__ or "", "trixie", try_containers))

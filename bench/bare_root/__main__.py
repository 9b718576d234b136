"""Install, use, back up, restore and upgrade CPro on bare Debians, with the commands of the docs, and time them.

`python -m bench.bare_root [--suite bookworm|trixie] [--folder DIR] [--keep]`, as root, with debootstrap, unshare, ip
and curl. It uses the commits of this checkout, Debian's PostgreSQL, nginx and Redis, and systemd. The first step that
fails ends it, with status 1. `python -m bench.bare_root.containers` does the same for deploy/Dockerfile and
deploy/compose.yaml.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.bare_root.machine import Machine, StepFailed, make_tree, run_trial
from bench.bare_root.page import Step, read_steps, under
from cpro.config import PROJECT_ROOT

HOST = "cpro.ac-exemple.fr"
_REPOSITORY = "/srv/cpro.git"
_BACKUP = "/var/backups/cpro/2026-09-01.cpro"
#: What the page leaves to the reader, keyed by the beginning of the command it follows.
_READER = {
    "install -o root -g cpro -m 640": [
        "sed -i 's#^CPRO_MAIL_URL=.*#CPRO_MAIL_URL=smtp+plain://127.0.0.1:2525?from=cpro@ac-exemple.fr#' "
        "/etc/cpro/cpro.env",
    ],
    "cp deploy/nginx": [
        "mkdir -p /etc/ssl/cpro && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + HOST + " -addext "
        f"subjectAltName=DNS:{HOST} -keyout /etc/ssl/cpro/privkey.pem -out /etc/ssl/cpro/fullchain.pem 2>/dev/null",
    ],
}
#: The Redis settings that the page gives.
_REDIS = [
    "apt-get install -y redis-server",
    "cd /opt/cpro && .venv/bin/pip install --require-hashes -r requirements-redis.txt",
    "echo CPRO_JOBS_URL=redis://127.0.0.1:6379/0 >> /etc/cpro/cpro.env",
    "systemctl restart cpro-web cpro-worker@1",
]


class Server:
    """A machine on which the pages are followed."""

    def __init__(self, tree: Path, folder: Path, name: str, times: list[tuple[str, str, float]]) -> None:
        self.name, self._times = name, times
        self.machine = Machine(tree, folder / f"cpro-bare-{name}")
        _clone(self.machine.root)
        self.machine.start("/lib/systemd/systemd")
        self.machine.wait_for_systemd()
        self._relay = self.machine.visit(
            [sys.executable, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:2525", "-c", "aiosmtpd.handlers.Debugging"],
            folder / f"{name}.mails",
        )
        self._mails = folder / f"{name}.mails"

    def follow(self, phase: str, steps: Iterable[Step]) -> None:
        """Run the steps of a page, and what each leaves to the reader."""
        for step in steps:
            line = step.line.replace("ADRESSE", _REPOSITORY, 1) if "git clone" in step.line else step.line
            line = line.replace("ADRESSE", "admin@exemple.example")
            self.do(phase, line, registry=step.asks_registry)
            for begins, left in _READER.items():
                if line.startswith(begins):
                    for each in left:
                        self.do(phase, each)

    def do(self, phase: str, line: str, *, registry: bool = False) -> str:
        """Run one line and record its time."""
        return self._timed(phase, line, lambda: self.machine.run(line, registry=registry))

    def check(self, phase: str, what: str, find: Callable[[], object], seconds: float = 60) -> None:
        """Poll until `find` returns something; its time is the wait. Raises `StepFailed` after `seconds`."""

        def wait() -> str:
            until = time.monotonic() + seconds
            while not (found := find()):
                if time.monotonic() > until:
                    raise StepFailed(f"not so after {seconds} s: {what}")
                time.sleep(0.2)
            return str(found)

        self._timed(phase, what, wait)

    def _timed(self, phase: str, what: str, action: Callable[[], str]) -> str:
        since = time.monotonic()
        found = action()
        took = time.monotonic() - since
        self._times.append((phase, what, took))
        print(f"{took:7.1f} s  {self.name}: {what[:140]}", flush=True)
        return found

    def ask(self, path: str, *more: str, scheme: str = "https") -> str:
        """Return nginx's response to a visitor: the status, a space, the redirect target, a newline, the page."""
        return self.machine.curl(
            "--cacert", f"{self.machine.root}/etc/ssl/cpro/fullchain.pem", "--resolve", f"{HOST}:443:127.0.0.1",
            "--resolve", f"{HOST}:80:127.0.0.1", *more, f"{scheme}://{HOST}{path}",
        )  # fmt: skip

    def check_service(self, phase: str) -> None:
        """Check the service from outside, as people and monitors do."""
        self.check(phase, "GET /sante", lambda: self.ask("/sante").startswith("200"))
        self.check(phase, "GET /sante/pret", lambda: self.ask("/sante/pret").startswith("200"))
        self.check(
            phase, "http leads to https", lambda: self.ask("/", scheme="http").startswith(f"301 https://{HOST}/")
        )
        self.check(phase, "GET /connexion", lambda: "<form" in self.ask("/connexion"))
        sheet = re.findall(r'<link rel="stylesheet" href="([^"]+)"', self.ask("/connexion"))
        if not sheet or not self.ask(sheet[0]).startswith("200"):
            raise StepFailed(f"the style sheet is not served: {sheet}")

    def received(self) -> bool:
        """Return whether the mail relay received a message."""
        return "admin@exemple.example" in self._mails.read_text()

    def listens_to_redis(self) -> bool:
        """Return whether a client other than the one asking is connected to Redis."""
        return "cmd=" in self.machine.run("redis-cli client list | grep -v 'cmd=client' || true", quietly=True)

    def stop(self) -> None:
        """Stop the machine."""
        self._relay.terminate()
        self._relay.wait(10)
        self.machine.stop()


def _clone(root: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(PROJECT_ROOT), f"{root}{_REPOSITORY}"], check=True)
    subprocess.run(["git", "-C", f"{root}{_REPOSITORY}", "symbolic-ref", "HEAD", _branch()], check=True)


def _branch() -> str:
    told = subprocess.run(["git", "symbolic-ref", "HEAD"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def try_all(suite: str, folder: Path, keep: bool) -> None:
    """Run every step, on one machine then on its replacement, and print the times. Raises `StepFailed`."""
    times: list[tuple[str, str, float]] = []
    since = time.monotonic()
    tree = make_tree(suite, folder)
    print(f"{time.monotonic() - since:7.1f} s  debootstrap {suite}", flush=True)
    page, backups = read_steps("exploitation.md"), read_steps("sauvegarde.md")
    install = under(page, "Installer")
    first_flask = next(at for at, step in enumerate(install) if step.line.startswith("flask() {")) + 2
    services = next(at for at, step in enumerate(install) if "deploy/systemd" in step.line)
    servers = []
    try:
        server = Server(tree, folder, "first", times)
        servers.append(server)
        server.follow("Installer : paquets, programme, réglages, rôles", install[:first_flask])
        server.follow("Installer : tables, diplômes, premier établissement", install[first_flask:services])
        server.check("Installer : tables, diplômes, premier établissement", "the message came", server.received)
        server.follow("Installer : services", install[services:])
        server.check_service("Installer : services")
        for line in _REDIS:
            server.do("Redis", line, registry="install" in line)
        server.check("Redis", "the worker listens to Redis", server.listens_to_redis)
        server.check_service("Redis")
        server.do("Sauvegarder", "systemctl start cpro-backup.service && ls /var/backups/cpro/cpro-*.backup")
        server.follow("Sauvegarder", under(backups, "Sauvegarder"))
        server.follow("Vérifier la sauvegarde", under(backups, "Vérifier"))
        before = server.machine.run("flask --app app establishments list")
        server.follow("Mettre à jour", under(page, "Mettre à jour"))
        server.check_service("Mettre à jour")
        key = server.machine.run("cat /var/lib/cpro/instance/secret_key").strip()
        backup = (server.machine.root / _BACKUP[1:]).read_bytes()

        phase = "Restaurer sur une autre machine, installation comprise"
        second = Server(tree, folder, "second", times)
        servers.append(second)
        second.follow(phase, install[:first_flask])
        second.machine.run(f"echo CPRO_SECRET_KEY={key} >> /etc/cpro/cpro.env", quietly=True)
        (second.machine.root / _BACKUP[1:]).write_bytes(backup)
        second.do(phase, f"chown cpro {_BACKUP}")
        second.follow(phase, under(backups, "Restaurer"))
        second.follow(phase, install[services:])
        second.check_service(phase)
        if second.machine.run("flask --app app establishments list") != before:
            raise StepFailed("the restored schools are not those that were backed up")
    finally:
        for each in servers:
            each.stop()
            if not keep:
                each.machine.remove()
    print(tell(suite, times))


def tell(suite: str, times: list[tuple[str, str, float]]) -> str:
    """Return the rows of docs/exploitation.md: a phase, its slowest step, its seconds."""
    rows = []
    for phase in dict.fromkeys(phase for phase, _, _ in times):
        mine = [(took, what) for each, what, took in times if each == phase]
        slowest, what = max(mine)
        rows.append(f"| {phase} | {sum(took for took, _ in mine):.0f} | `{what[:60]}` ({slowest:.0f}) |")
    return "\n".join([f"Debian {suite}:", *rows])


if __name__ == "__main__":
    sys.exit(run_trial("bench.bare_root", __doc__ or "", "bookworm", try_all))

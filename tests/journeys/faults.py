"""What breaks under a platform that runs: a disk that is full or only reads, a clock, a PostgreSQL of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.platform import free_port
from tests.journeys.live import Live
from tests.journeys.visitor import NotOffered, Visitor

PARTICULARS = "/admin/parametres/etablissement"


class Writing:
    """Somebody who saves the particulars of their school again and again, and what they were answered."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.confirmed: list[str] = []
        #: the sentence of each answer that was no confirmation
        self.refused: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Writing:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def write(self, city: str) -> bool:
        """Save one value; return whether the page confirmed it."""
        self.visitor.open_received(PARTICULARS)
        try:
            self.visitor.press("Valider", city=city)
        except NotOffered:
            pass  # the page is that of the fault
        if self.visitor.status == 200 and "Enregistré" in self.visitor.text:
            self.confirmed.append(city)
            return True
        self.refused.append(f"{self.visitor.status} {self.visitor.text}")
        return False

    def check_nothing_is_lost(self, platform: Live) -> None:
        """Fail unless the journal holds all that was confirmed."""
        kept = " ".join(str(changes) for (changes,) in platform.rows("SELECT changes FROM audit_entry"))
        assert [each for each in self.confirmed if f'"{each}"' not in kept and f"'{each}'" not in kept] == []

    def _go_on(self) -> None:
        number = 0
        while not self._over.wait(0.05):
            number += 1
            self.write(f"Ville-{number}")


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Yield a folder that is a disk of its own, in memory; where nobody may mount one, the test is skipped."""
    folder.mkdir(parents=True)
    options = f"size={megabytes}m,mode=700"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("mounting a disk asks for root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return the file that takes it all."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


@contextmanager
def unmounted(disk: Path) -> Iterator[None]:
    """Show the empty place of a disk meanwhile."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def read_only(disk: Path, *, is_so: bool) -> None:
    """Have a disk be read only, or not any more."""
    subprocess.run(["mount", "-o", f"remount,{'ro' if is_so else 'rw'}", str(disk)], check=True)


def clock_shifted(folder: Path, hours: int) -> dict[str, str]:
    """Return the environment of processes whose machine's clock is wrong; the database's own is not."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import datetime, time_machine\n"
        f"wrong = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours={hours})\n"
        "time_machine.travel(wrong, tick=True).start()\n"
    )
    return {"PYTHONPATH": str(folder)}


class Cluster:
    """A PostgreSQL server of the test's own, which it may stop at any moment."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="cpro-cluster-")), free_port()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def address(self) -> str:
        """Return the address of the database for the role that serves."""
        return f"postgresql+psycopg://cpro@127.0.0.1:{self.port}/cpro"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it as a power cut does."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it, and take its files away."""
        self.stop()
        shutil.rmtree(self.folder)

    def create_database(self) -> None:
        """Create the roles and the empty database."""
        for statement in (
            "CREATE ROLE cpro LOGIN NOSUPERUSER NOBYPASSRLS",
            "CREATE ROLE cpro_owner LOGIN NOSUPERUSER NOBYPASSRLS",
            "CREATE DATABASE cpro OWNER cpro_owner",
        ):
            self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-qc", statement)

    def _run(self, *command: str) -> None:
        done = subprocess.run([*self._as, *command], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr

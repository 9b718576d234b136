"""What breaks under a platform that runs: a disk that is full or only reads, a clock, a PostgreSQL of its own."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.helpers.platform import free_port
from tests.journeys.live import Live
from tests.journeys.visitor import NotOffered, Visitor

PARTICULARS = "/admin/parametres/etablissement"
NO_DATABASE = "La base de données ne répond pas"
NO_ROOM = "Le disque du serveur est plein"


class Writing:
    """Somebody who saves the particulars of their school again and again, and what they were answered."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.confirmed: list[str] = []
        #: what each value that was not confirmed was answered
        self.refused: dict[str, str] = {}
        #: values that got no answer
        self.cut: list[str] = []
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Writing:
        self._over.clear()
        self._going = self._pool.submit(self._go_on)
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._going.result()

    def write(self, city: str) -> bool:
        """Save one value; return whether the page confirmed it."""
        try:
            self.visitor.open_received(PARTICULARS)
            self.visitor.press("Valider", city=city)
        except NotOffered:
            pass  # the page is that of the fault
        except requests.RequestException:
            self.cut.append(city)
            return False
        if self.visitor.status == 200 and "Enregistré" in self.visitor.text:
            self.confirmed.append(city)
            return True
        self.refused[city] = f"{self.visitor.status} {self.visitor.text}"
        return False

    def check_nothing_is_lost(self, platform: Live) -> None:
        """Fail unless the journal has what was confirmed, once, and nothing of what was refused.

        What got no answer, or that of a database that went away meanwhile, may have been done: once at most.
        """
        lines = platform.rows("SELECT changes FROM audit_entry WHERE action = 'establishment:particulars:changed'")
        # PostgreSQL gives what it holds as JSON, SQLite its text.
        changes = [json.loads(each) if isinstance(each, str) else each for (each,) in lines]
        kept = Counter(each["city"][1] for each in changes if "city" in each)
        assert {each: kept[each] for each in self.confirmed if kept[each] != 1} == {}, "confirmed: once"
        assert {each: kept[each] for each in self.cut if kept[each] > 1} == {}, "cut: once at most"
        denied = {city: answer for city, answer in self.refused.items() if kept[city] > (NO_DATABASE in answer)}
        assert denied == {}, "refused: not done"

    def _go_on(self) -> None:
        while not self._over.wait(0.05):
            self.write(f"Ville-{next(self._numbers)}")


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
        """Stop it if it still runs, and take its files away."""
        if (self.folder / "data" / "postmaster.pid").exists():
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

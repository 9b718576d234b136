"""Software that CPro is compared with: other products over the same rows, in their own process and environment."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType

_HERE = Path(__file__).parent


class Peer:
    """A process that serves pages of a peer over a database, and reports the cost of each; a context manager."""

    def __init__(self, script: str, database: str, folder: Path) -> None:
        self._command = [str(_install(folder)), str(_HERE / script), database]

    def __enter__(self) -> Peer:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def ask(self, path: str) -> float:
        """Return the CPU seconds of a page, without PostgreSQL's."""
        assert self._process.stdin and self._process.stdout
        print(path, file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline())
        assert told["status"] == 200, (path, told)
        return float(told["processor"])


def _install(folder: Path) -> Path:
    """Install the peers into an environment below a folder, and return its Python."""
    place = folder / "peers"
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--requirement", _HERE / "requirements.txt"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
    return python

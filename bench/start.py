"""Measure the start, and the memory of a process: `python -m bench.start [requests]`.

Each figure is that of a process of its own, with the bytecode of our modules cached: CPU seconds of `create_app()` and
of a command's `--help`, megabytes resident after the start and after so many requests, over every list and the pages
of `bench.pages`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, tell

ROOT = Path(__file__).resolve().parent.parent
#: Limits: CPU seconds of a start and of a command; megabytes after the requests.
GOALS = {"create_app": 1.0, "help": 0.5, "resident": 120.0}
_SETTINGS = (
    "dict(CPRO_INSTANCE=folder, CPRO_UPLOADS=folder, SQLALCHEMY_DATABASE_URI=f'sqlite:///{folder}/bench.sqlite3')"
)
_START = f"""
import time
from pathlib import Path
folder = Path.cwd()
from cpro import create_app
create_app({_SETTINGS})
print(time.process_time())
from bench.start import resident
print(resident())
"""


def main(requests: int = 3000) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": folder}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        starts = [_run(["-c", _START], folder, surroundings).split() for _ in range(4)][1:]  # the first one compiles
        began = min(float(each[0]) for each in starts)
        print(f"create_app: {began:.2f} s of processor, {starts[0][1]} MB")
        command = ["-m", "flask", "--app", str(ROOT / "app.py"), "users", "--help"]
        helped = min(_seconds_of(command, folder, surroundings) for _ in range(3))
        print(f"users --help: {helped:.2f} s of processor")
        asked = _run(["-m", "bench.start", "prepare"], folder, surroundings).split()
        weighs = int(_run(["-m", "bench.start", "serve", str(requests), *asked], folder, surroundings))
        print(f"after {requests} requests: {weighs} MB")
    tell(
        Figure("create_app()", "s", began, at_most=GOALS["create_app"]),
        Figure("users --help", "s", helped, at_most=GOALS["help"]),
        Figure(f"resident after {requests} requests", "MB", weighs, at_most=GOALS["resident"]),
    )


def prepare() -> None:
    """Create the school of `bench.pages` in the current folder; print the paths to request, and a signed-in cookie."""
    from bench.pages import OTHER_PAGES, open_app
    from tests.helpers.browser import Browser
    from tests.helpers.screens import screens

    app = open_app(Path.cwd(), f"sqlite:///{Path.cwd()}/bench.sqlite3")
    client = Browser(app).mint_sign_in("bench", "administrateur").client
    cookie = client.get_cookie("cpro_session")
    assert cookie is not None
    print(cookie.value, *(f"{each.url}/" for each in screens(app)), *OTHER_PAGES.values())


def serve(requests: int, cookie: str, *paths: str) -> None:
    """Respond to so many requests in this process, and print its resident megabytes."""
    from cpro import create_app

    here, key = Path.cwd(), "bench"
    database = f"sqlite:///{here}/bench.sqlite3"
    client = create_app(
        {"CPRO_INSTANCE": here, "CPRO_UPLOADS": here, "SECRET_KEY": key, "SQLALCHEMY_DATABASE_URI": database}
    ).test_client()
    client.set_cookie("cpro_session", cookie)
    answers = [client.get(paths[number % len(paths)]).status_code for number in range(requests)]
    assert answers.count(200) > requests / 2, set(answers)
    print(resident())


def resident() -> int:
    """Return the resident megabytes of this process."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20


def _seconds_of(arguments: list[str], folder: str, surroundings: dict[str, str]) -> float:
    since = sum(os.times()[2:4])
    _run(arguments, folder, surroundings)
    return sum(os.times()[2:4]) - since


def _run(arguments: list[str], folder: str, surroundings: dict[str, str]) -> str:
    told = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=surroundings, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


if __name__ == "__main__":
    what, *more = sys.argv[1:] or ["3000"]
    if what == "prepare":
        prepare()
    elif what == "serve":
        serve(int(more[0]), *more[1:])
    else:
        main(int(what))

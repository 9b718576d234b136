"""A separate Debian on this machine: a tree made by debootstrap, and on request, systemd as its first process.

Its processes, files, services and network are isolated (namespaces): it only has a loopback interface, except during
the steps that need a registry. Root only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

#: Installed before the first step, in addition to debootstrap's minimum: systemd starts the machine.
PACKAGES = "systemd-sysv,ca-certificates"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_AUTHORITIES = "usr/local/share/ca-certificates"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
#: Mounts what a machine needs and makes the tree its root. {first} is its first process.
_START = """
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in {devices}; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/.before"
cd "$root"
pivot_root . .before
umount -l .before
hostname cpro
exec env -i container=unshare PATH={path} "$@"
"""
#: A step continues where the previous one stopped: in the same folder, with the functions that it declared.
_STEP = """
. /run/step.functions 2>/dev/null || true
cd "$(cat /run/step.folder 2>/dev/null || echo /root)"
set -eu
{line}
declare -f > /run/step.functions
pwd > /run/step.folder
"""


class StepFailed(Exception):
    """A step ended with a status other than 0."""


def make_tree(suite: str, folder: Path) -> Path:
    """Return the tree of a bare Debian, created once per folder."""
    tree = folder / suite
    if not (tree / "etc/debian_version").exists():
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(tree)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        _let_reach_registries(tree)
    return tree


def _let_reach_registries(tree: Path) -> None:
    """Give a tree this machine's access to registries: its name server is already there, its CA certificates not."""
    for each in (Path("/") / _AUTHORITIES).glob("*.crt"):
        shutil.copy(each, tree / _AUTHORITIES)
    if Path("/etc/pip.conf").exists():
        shutil.copy("/etc/pip.conf", tree / "etc")
    subprocess.run(["chroot", str(tree), "update-ca-certificates"], check=True, capture_output=True)
    subprocess.run(["chroot", str(tree), "apt-get", "update", "-qq"], check=True)


class Machine:
    """A copy of a tree, and the processes that run in it."""

    def __init__(self, tree: Path, root: Path) -> None:
        self.root = root
        shutil.rmtree(root, ignore_errors=True)  # of an earlier run with --keep
        subprocess.run(["cp", "-a", str(tree), str(root)], check=True)
        self._group = (
            Path("/sys/fs/cgroup") / ("unified" if Path("/sys/fs/cgroup/unified").is_dir() else "") / root.name
        )
        self._log = (root.parent / f"{root.name}.console").open("wb")

    def start(self, first: str) -> None:
        """Start the machine; `first` is its first process: systemd, or one that only waits."""
        self._group.mkdir(exist_ok=True)
        script = _START.format(devices=" ".join(_DEVICES), path=_PATH)
        apart = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child"]
        inner = ["bash", "-euc", script, "start", str(self.root), *first.split()]
        enter = f'echo $$ > {self._group}/cgroup.procs && exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-euc", enter, "enter", *apart, *inner], stdout=self._log, stderr=self._log, start_new_session=True
        )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        until = time.monotonic() + 20
        name = Path(first.split()[0]).name
        while not (found := children.read_text().split()) or Path(f"/proc/{found[0]}/comm").read_text().strip() != name:
            if self._process.poll() is not None or time.monotonic() > until:
                raise StepFailed(f"{self.root} did not start: {self.root}.console")
            time.sleep(0.1)
        self._head = found[0]
        subprocess.run(["nsenter", f"--target={self._head}", "--net", "ip", "link", "set", "lo", "up"], check=True)

    def wait_for_systemd(self) -> None:
        """Wait until the services started at boot are ready."""
        for _ in range(100):
            told = self._enter("systemctl is-system-running", True, {})
            if told.stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise StepFailed(f"systemd does not start: {told.stdout}{told.stderr}")

    def run(
        self, line: str, *, registry: bool = False, quietly: bool = False, environ: dict[str, str] | None = None
    ) -> str:
        """Run one line as root, continuing where the last one stopped, and return its output.

        `registry` gives it access to the network of this machine. Raises `StepFailed`.
        """
        told = self._enter(_STEP.format(line=line), not registry, environ or {})
        if told.returncode:
            raise StepFailed(f"{line}\nstatus {told.returncode}\n{told.stdout[-3000:]}{told.stderr[-3000:]}")
        if not quietly and told.stderr.strip():
            print("      " + told.stderr.strip().replace("\n", "\n      ")[-1500:])
        return told.stdout

    def _enter(self, script: str, is_apart: bool, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        spaces = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", *(["--net"] if is_apart else [])]
        surroundings = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        if not is_apart:
            surroundings |= {name: value for name, value in os.environ.items() if name == "PIP_CERT"}
        return subprocess.run(
            ["nsenter", f"--target={self._head}", *spaces, "--root", "--wdns=/root", "bash", "-c", script],
            env=surroundings | environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
            check=False,
        )

    def start_program(self, command: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a program in the machine."""
        spaces = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net", "--root", "--wdns=/"]
        return subprocess.Popen(
            ["nsenter", f"--target={self._head}", *spaces, *command], env=environ, stdout=self._log, stderr=self._log
        )

    @staticmethod
    def end_program(process: subprocess.Popen[bytes]) -> None:
        """Terminate a program; nsenter waits for it and returns its status."""
        (program,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(program), signal.SIGTERM)

    def visit(self, command: list[str], output: Path) -> subprocess.Popen[bytes]:
        """Start a program of this machine on the network of the other."""
        with output.open("wb") as file:
            return subprocess.Popen(["nsenter", f"--target={self._head}", "--net", *command], stdout=file)

    def curl(self, *words: str) -> str:
        """Return the response to curl on the machine's network: status and redirect target, then the page."""
        told = ["-w", "%{stderr}%{http_code} %{redirect_url}\n", "--silent", "--max-time", "20", *words]
        answer = subprocess.run(
            ["nsenter", f"--target={self._head}", "--net", "curl", *told], capture_output=True, text=True, check=False
        )
        return answer.stderr + answer.stdout

    def stop(self) -> None:
        """End every process of the machine."""
        os.kill(int(self._head), signal.SIGKILL)
        self._process.wait(20)
        self._log.close()
        for each in sorted(self._group.rglob("*/"), reverse=True):
            if each.is_dir():
                each.rmdir()
        self._group.rmdir()

    def remove(self) -> None:
        """Remove its files; its mounts disappeared with its processes."""
        shutil.rmtree(self.root)


def run_trial(name: str, doc: str, suite: str, trial: Callable[[str, Path, bool], None]) -> int:
    """Read the command line of a trial, run it, and return the status: 1 at the first step that fails.

    `suite` is the default Debian; `trial` receives a suite, a folder, and whether to keep the trees of its machines.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=doc.split("\n")[0])
    parser.add_argument("--suite", default=suite, help="a Debian, by its name")
    parser.add_argument("--folder", type=Path, help="where the bare tree is kept for the next time")
    parser.add_argument("--keep", action="store_true", help="keep the trees of the machines")
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="cpro-bare-") as scratch:
            trial(asked.suite, asked.folder or Path(scratch), asked.keep)
    except StepFailed as failure:
        print(f"\nDoes not hold: {failure}", file=sys.stderr)
        return 1
    return 0

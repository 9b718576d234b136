"""Time the reading of pupils against a bare lxml iterparse of the same file: `python -m bench.siecle_reading`.

Ratios of medians, the two taken in turn in one process; peak memory in a process of its own for each size.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from bench.siecle_files import write_students
from cpro.imports.siecle.reader import read_students

ROUNDS = 5
TODAY = dt.date(2026, 10, 5)


def parse_bare(path: Path, **options: bool) -> int:
    """Return the number of records that a bare iterparse meets, memory kept flat as its manual says."""
    count = 0
    tags = ("ELEVE", "STRUCTURES_ELEVE")
    for _, element in etree.iterparse(path, tag=tags, resolve_entities=False, load_dtd=False, **options):
        count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def read(path: Path) -> int:
    """Return the number of pupils read."""
    with path.open("rb") as stream:
        return sum(1 for _ in read_students(stream, today=TODAY))


def time_of(gesture: Callable[[], object]) -> float:
    """Return the seconds that the gesture takes."""
    start = time.perf_counter()
    gesture()
    return time.perf_counter() - start


def main() -> None:
    """Print the ratios and the peaks."""
    if len(sys.argv) > 1:
        count = read(Path(sys.argv[1]))
        print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        for count in (10_000, 100_000):
            path = Path(folder) / f"{count}.xml"
            write_students(path, count)
            peak = subprocess.run(
                [sys.executable, "-m", "bench.siecle_reading", str(path)], capture_output=True, text=True, check=True
            ).stdout.split()[1]
            print(f"{count} pupils, {path.stat().st_size / 1e6:.0f} MB: peak {peak} MB")
        bare, lean, ours = [], [], []
        for _ in range(ROUNDS):
            bare.append(time_of(lambda: parse_bare(path)))
            lean.append(time_of(lambda: parse_bare(path, collect_ids=False)))
            ours.append(time_of(lambda: read(path)))
        medians = [statistics.median(times) for times in (bare, lean, ours)]
        print("bare iterparse {:.2f} s, without the hash of ids {:.2f} s, read_students {:.2f} s".format(*medians))
        print(f"ratios {medians[2] / medians[0]:.2f} and {medians[2] / medians[1]:.2f}")


if __name__ == "__main__":
    main()

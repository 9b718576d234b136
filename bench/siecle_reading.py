"""Time the reading of pupils against a bare lxml iterparse of the same file: `python -m bench.siecle_reading`.

Ratios of medians, both run alternately in one process; peak memory in a process of its own for each size.
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

from bench.bare_parse import RECORDS, parse_bare
from bench.siecle_files import write_students
from cpro.imports.parse.siecle.reader import read_students

ROUNDS = 3
TODAY = dt.date(2026, 10, 5)


def read(path: Path) -> int:
    """Return the number of pupils read."""
    with path.open("rb") as stream:
        return sum(1 for _ in read_students(stream, today=TODAY))


def time_of(action: Callable[[], object]) -> float:
    """Return the CPU seconds of the action: the measure least affected by a shared machine."""
    start = time.process_time()
    action()
    return time.process_time() - start


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
        bare, filtered, ours = [], [], []
        for _ in range(ROUNDS):
            bare.append(time_of(lambda: parse_bare(path)))
            filtered.append(time_of(lambda: parse_bare(path, RECORDS)))
            ours.append(time_of(lambda: read(path)))
        medians = [statistics.median(times) for times in (bare, filtered, ours)]
        print("iterparse {:.2f} s, of records alone {:.2f} s, read_students {:.2f} s".format(*medians))
        print(f"ratios {medians[2] / medians[0]:.2f} and {medians[2] / medians[1]:.2f}")


if __name__ == "__main__":
    main()

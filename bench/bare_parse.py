"""The minimum cost of reading an export: a bare lxml iterparse, in a process that does nothing else.

`python -m bench.bare_parse FILE` prints elapsed and CPU seconds. In a process that has loaded the application, Python's
garbage collector traverses all of it meanwhile, which takes a quarter more.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lxml import etree

RECORDS = ("ELEVE", "STRUCTURES_ELEVE")


def parse_bare(path: Path, tags: tuple[str, ...] | None = None) -> int:
    """Return the number of records found by a bare iterparse, with memory kept flat as its manual recommends."""
    count = 0
    for _, element in etree.iterparse(path, tag=tags, resolve_entities=False, load_dtd=False):
        if element.tag in RECORDS:
            count += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return count


if __name__ == "__main__":
    start, processor = time.perf_counter(), time.process_time()
    parse_bare(Path(sys.argv[1]))
    print(time.perf_counter() - start, time.process_time() - processor)

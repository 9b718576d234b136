"""How each peer is asked: it reads paths from its input and reports what each page cost."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def answer_paths(get: Callable[[str], int]) -> None:
    """Request each path of the input, one a line, and print a line of JSON: status, CPU seconds of this process."""
    for line in sys.stdin:
        since = time.process_time()
        status = get(line.strip())
        taken = time.process_time() - since
        print(json.dumps({"status": status, "processor": taken}), flush=True)

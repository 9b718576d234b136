"""Print the files of tests in which something fell when pytest last ran here, a line each; .ci/run plays them again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_CACHE = Path(".pytest_cache/v/cache")


def list_fallen(cache: Path) -> list[str]:
    """Return the files named by pytest's cache, each once. Raises `FileNotFoundError` if pytest kept none."""
    json.loads((cache / "nodeids").read_text())  # written by every run; `lastfailed` only once something fell
    fallen = cache / "lastfailed"
    return sorted({each.partition("::")[0] for each in json.loads(fallen.read_text())}) if fallen.exists() else []


if __name__ == "__main__":
    sys.stdout.writelines(f"{each}\n" for each in list_fallen(_CACHE))

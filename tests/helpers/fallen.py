"""Print the files of tests in which something fell when pytest last ran here, a line each; .ci/run plays them again."""

from __future__ import annotations

import json
from pathlib import Path

_KEPT = Path(".pytest_cache/v/cache/lastfailed")


def list_fallen() -> list[str]:
    """Return the files named by pytest's cache (`cache/lastfailed`), each once."""
    return sorted({each.partition("::")[0] for each in json.loads(_KEPT.read_text())}) if _KEPT.exists() else []


if __name__ == "__main__":
    print(*list_fallen(), sep="\n", end="\n" if list_fallen() else "")

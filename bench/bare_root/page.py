"""The commands of a page of docs/, in order, as a reader would run them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cpro.config import PROJECT_ROOT

#: Commands that need a registry, or this machine's copy of the repository.
_OUTSIDE = re.compile(r"\b(apt-get|git clone|git pull|pip install)\b")


@dataclass(frozen=True)
class Step:
    """One command of a page, under its heading."""

    heading: str
    line: str

    @property
    def asks_registry(self) -> bool:
        """Return whether it needs more than the machine itself."""
        return bool(_OUTSIDE.search(self.line))


def read_steps(name: str) -> list[Step]:
    """Return the commands of the shell blocks of `docs/NAME`, one per line; \\ at the end continues on the next."""
    text = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8")
    steps, heading = [], ""
    for title, block in re.findall(r"^## ([^\n]*)$|^```sh\n(.*?)^```$", text, re.M | re.S):
        heading = title or heading
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip():
                steps.append(Step(heading, line))
    return steps


def under(steps: list[Step], heading: str) -> list[Step]:
    """Return the steps under a heading, at least one."""
    found = [step for step in steps if step.heading == heading]
    if not found:
        raise LookupError(f"no command under « {heading} »")
    return found

"""Figures of the benches, as rows of one table: each reports its figures, `python -m bench` collects and prints them.

A bench run alone prints its usual output; the figures it reports here are then discarded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

#: Environment variable with the file to which figures are appended while `python -m bench` runs.
VARIABLE = "CPRO_BENCH_FIGURES"
HEAD = (
    "| measure | database | ours | Django | Flask-Admin | floor | ratio | goal | held |\n"
    "|---|---|--:|--:|--:|--:|--:|---|---|"
)


@dataclass(frozen=True)
class Figure:
    """One measure: ours, the floor's and the peers', in one unit, and the goal."""

    measure: str
    unit: str
    ours: float
    floor: float | None = None
    django: float | None = None
    flask_admin: float | None = None
    #: maximum for ours: a multiple of the floor or, without a floor, in the unit
    at_most: float | None = None
    #: minimum ratio of the faster peer to ours
    faster: float | None = None

    @property
    def ratio(self) -> float | None:
        """Return the faster peer ÷ ours if the goal is relative to peers, else ours ÷ floor; None without either."""
        peers = [each for each in (self.django, self.flask_admin) if each is not None]
        if self.faster is not None and peers:
            return min(peers) / self.ours
        return None if self.floor is None else self.ours / self.floor

    @property
    def is_held(self) -> bool | None:
        """Return whether the goal is met, None without one."""
        if self.faster is not None:
            return self.ratio is not None and self.ratio >= self.faster
        if self.at_most is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.at_most

    def row(self, database: str) -> str:
        """Return its row of the table."""
        goal = ""
        if self.faster is not None:
            goal = f"≥ {self.faster:g} ×"
        elif self.at_most is not None:
            goal = f"≤ {self.at_most:g} {self.unit if self.ratio is None else '×'}"
        took = (self._told(each) for each in (self.ours, self.django, self.flask_admin, self.floor))
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        held = {None: "–", True: "yes", False: "**no**"}[self.is_held]
        return f"| {' | '.join((self.measure, database, *took, ratio, goal, held))} |"

    def _told(self, value: float | None) -> str:
        return "" if value is None else f"{value:,.{2 if value < 10 else 0}f} {self.unit}".replace(",", " ")


def tell(*figures: Figure) -> None:
    """Add figures to the table of `python -m bench`, if it runs."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(figure)) + "\n" for figure in figures)


def read(path: Path) -> Iterable[Figure]:
    """Return the figures reported in a file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Figure(**json.loads(line)) for line in lines]

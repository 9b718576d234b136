"""The accessibility declaration (decree 2019-768): the assessment in `rgaa.csv`, and what the platform's operator adds.

`rgaa.csv` contains the 106 criteria of RGAA 4.1.2: number, name in our words, state (C, NC, NA), findings, and the test
that checks it. The rate, the page, the footer of every page and `docs/accessibilite.md` (`python -m bench.rgaa`) are
derived from it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

CRITERIA = Path(__file__).with_name("rgaa.csv")
#: The day of the last assessment of every criterion.
JUDGED_ON = date(2026, 11, 27)
THEMES = {
    "1": "Images",
    "2": "Cadres",
    "3": "Couleurs",
    "4": "Multimédia",
    "5": "Tableaux",
    "6": "Liens",
    "7": "Scripts",
    "8": "Éléments obligatoires",
    "9": "Structuration de l’information",
    "10": "Présentation de l’information",
    "11": "Formulaires",
    "12": "Navigation",
    "13": "Consultation",
}


@dataclass(frozen=True)
class Criterion:
    """A criterion of the RGAA, as assessed."""

    #: "1.1", as the RGAA numbers it
    criterion: str
    name: str
    #: C (met), NC (not met) or NA (not applicable)
    state: str
    evidence: str
    #: the file of the test that checks it, and its name after « :: »; "" when it was checked by eye
    test: str

    @property
    def theme(self) -> str:
        """Return the number of its theme."""
        return self.criterion.partition(".")[0]


@dataclass(frozen=True)
class Judgment:
    """Every criterion, and the results derived from them."""

    criteria: tuple[Criterion, ...]

    def list_in(self, state: str) -> list[Criterion]:
        """Return the criteria of a state, in their order."""
        return [each for each in self.criteria if each.state == state]

    @cached_property
    def rate(self) -> float:
        """Return the percentage of applicable criteria that are met, never rounded up to a hundred."""
        met, missed = len(self.list_in("C")), len(self.list_in("NC"))
        return met * 1000 // (met + missed) / 10

    @property
    def rate_label(self) -> str:
        """Return the rate as displayed: « 85,1 », « 100 »."""
        return f"{self.rate:.1f}".removesuffix(".0").replace(".", ",")

    @property
    def state(self) -> str:
        """Return the decree's term: fully, partly (at least half) or not conforming."""
        if self.rate == 100:
            return "totalement conforme"
        return "partiellement conforme" if self.rate >= 50 else "non conforme"


@cache
def read_judgment() -> Judgment:
    """Return the content of `rgaa.csv`."""
    with CRITERIA.open(encoding="utf-8", newline="") as file:
        return Judgment(tuple(Criterion(**line) for line in csv.DictReader(file)))

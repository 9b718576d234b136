"""The accessibility declaration (decree 2019-768): what `rgaa.csv` judges, and what the platform's operator adds to it.

`rgaa.csv` holds the 106 criteria of RGAA 4.1.2: number, name in our words, state (C, NC, NA), what was found, and the
test that holds it. The rate, the page, the foot of every page and `docs/accessibilite.md` (`python -m bench.rgaa`)
follow it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

CRITERIA = Path(__file__).with_name("rgaa.csv")
#: The day of the last judgment of every criterion.
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
    """A criterion of the RGAA, as judged."""

    #: "1.1", as the RGAA numbers it
    criterion: str
    name: str
    #: C (met), NC (not met) or NA (nothing it speaks of is there)
    state: str
    evidence: str
    #: the file of the test that holds it, and its name after « :: »; "" where it was looked at
    test: str

    @property
    def theme(self) -> str:
        """Return the number of its theme."""
        return self.criterion.partition(".")[0]


@dataclass(frozen=True)
class Judgment:
    """Every criterion, and what follows from them."""

    criteria: tuple[Criterion, ...]

    def list_in(self, state: str) -> list[Criterion]:
        """Return the criteria of a state, in their order."""
        return [each for each in self.criteria if each.state == state]

    @cached_property
    def rate(self) -> float:
        """Return how many of the criteria that apply are met, in hundredths, never rounded upwards to a hundred."""
        met, missed = len(self.list_in("C")), len(self.list_in("NC"))
        return met * 1000 // (met + missed) / 10

    @property
    def rate_label(self) -> str:
        """Return the rate as people write it: « 85,1 », « 100 »."""
        return f"{self.rate:.1f}".removesuffix(".0").replace(".", ",")

    @property
    def state(self) -> str:
        """Return the words of the decree: wholly, partly (half at least) or not conforming."""
        if self.rate == 100:
            return "totalement conforme"
        return "partiellement conforme" if self.rate >= 50 else "non conforme"


@cache
def read_judgment() -> Judgment:
    """Return what `rgaa.csv` holds."""
    with CRITERIA.open(encoding="utf-8", newline="") as file:
        return Judgment(tuple(Criterion(**line) for line in csv.DictReader(file)))

"""The process that serves pages, killed while people post: what was confirmed is kept, and nothing is half done.

`python -m bench.campaigns web-killed` kills it more often than the suite has time for. Workers: `tests/core/jobs/`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from bench.campaigns import size_of
from tests.helpers.pictures import png
from tests.helpers.platform import children_of
from tests.journeys import steps
from tests.journeys.conftest import empty_database
from tests.journeys.faults import PARTICULARS
from tests.journeys.live import Live, live
from tests.journeys.visitor import Visitor

KILLS = size_of("web-killed")
SAVED = "establishment:particulars:changed"


#: The process is made again at once, as `deploy/gunicorn.conf.py` has it; no connection is closed between two kills.
GUNICORN = "--preload --keep-alive 60"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Live]:
    """Yield a platform with one process for pages."""
    with empty_database(tmp_path) as address, live(tmp_path, address, GUNICORN_CMD_ARGS=GUNICORN) as running:
        yield running


class Person:
    """Somebody who sends one form again and again, a new number each time; what was confirmed, and what was cut."""

    def __init__(self, visitor: Visitor, send: Callable[[Visitor, int], None], confirmation: str) -> None:
        self._visitor, self._send, self._confirmation = visitor, send, confirmation
        self._numbers = itertools.count(1)
        self.confirmed: set[int] = set()
        self.cut: set[int] = set()

    def write(self) -> bool:
        """Send the form once; return whether the page confirmed it, False if no answer came."""
        number = next(self._numbers)
        try:
            self._send(self._visitor, number)
        except requests.RequestException:
            self.cut.add(number)
            return False
        assert self._visitor.status == 200, self._visitor.text
        self._visitor.sees(self._confirmation)
        self.confirmed.add(number)
        return True

    def write_until(self, over: threading.Event) -> None:
        """Go on until told to stop."""
        while not over.is_set():
            self.write()

    def check_kept(self, found: list[int], what: str) -> None:
        """Fail unless all that was confirmed was done once, and what was cut once at most; nothing else was done."""
        assert [number for number, times in Counter(found).items() if times > 1] == [], what
        assert self.confirmed - set(found) == set(), f"{what}: confirmed, and lost"
        assert set(found) <= self.confirmed | self.cut, what


def save_city(visitor: Visitor, number: int) -> None:
    visitor.open_received(PARTICULARS)
    visitor.press("Valider", city=f"Ville-{number}")


def create_pupil(visitor: Visitor, number: int) -> None:
    visitor.open_received("/admin/eleves/new/")
    visitor.press("Valider", last_name="Quartz", first_name=in_letters(number), birth_date="14/03/2010")


def put_logo(visitor: Visitor, number: int) -> None:
    visitor.open_received("/admin/parametres/logo")
    picture = png(width=40 + number % 60, height=40 + number // 60)  # never the same one twice
    visitor.fill_and_press("Télécharger un logo", {"logo": ("logo.png", picture)})


def in_letters(number: int) -> str:
    """Return a first name for a number."""
    return "Zoé" + "".join("abcdefghij"[int(digit)] for digit in str(number))


def test_web_killed_at_any_moment_what_was_confirmed_is_kept(platform: Live) -> None:
    chance = random.Random(20261128)
    administrator = steps.create_school(platform, code="curie", uai=steps.UAI, name="Lycée Marie-Curie")
    steps.complete_particulars(administrator, email="lycee@curie.example")
    steps.switch_transfers_on(administrator, uses_siecle=False)
    others = [steps.sign_in(platform, name, school="curie", login="administrateur") for name in ("pupils", "logo")]
    people = [
        Person(administrator, save_city, "Enregistré"),
        Person(others[0], create_pupil, "La fiche est créée"),
        Person(others[1], put_logo, "Le logo est enregistré"),
    ]

    for _ in range(KILLS):
        over = threading.Event()
        with ThreadPoolExecutor(len(people)) as pool:
            writing = [pool.submit(person.write_until, over) for person in people]
            time.sleep(chance.uniform(0.1, 0.8))
            [web] = children_of(platform.web_number)
            os.kill(web, signal.SIGKILL)
            over.set()
        for each in writing:
            each.result()

        assert all(person.write() for person in people), "the next request was not served"
        check(platform, *people)

    confirmed, cut = sum(len(person.confirmed) for person in people), sum(len(person.cut) for person in people)
    print(f"killed {KILLS} times: {confirmed} forms confirmed, {cut} cut")
    assert cut, "no request was cut: the test proved nothing"


def check(platform: Live, particulars: Person, pupils: Person, logos: Person) -> None:
    """Fail unless rows, files and journal agree with one another and with what people were told."""
    lines = platform.rows("SELECT changes FROM audit_entry WHERE action = :action ORDER BY id", {"action": SAVED})
    # PostgreSQL gives what it holds as JSON, SQLite its text.
    saved = [(json.loads(changes) if isinstance(changes, str) else changes)["city"] for (changes,) in lines]
    assert all(before[1] == after[0] for before, after in pairwise(saved))
    assert platform.rows("SELECT city FROM establishment") == [(saved[-1][1],)]
    particulars.check_kept([int(new.removeprefix("Ville-")) for _old, new in saved[1:]], "a city")

    created = platform.rows("SELECT object_id FROM audit_entry WHERE action = 'student:created'")
    rows = platform.rows("SELECT id, first_name FROM student")
    assert sorted(int(each) for (each,) in created) == sorted(number for number, _name in rows)
    numbers = {in_letters(number): number for number in pupils.confirmed | pupils.cut}
    pupils.check_kept([numbers[name] for _id, name in rows], "a pupil")

    [(deposited,)] = platform.rows("SELECT count(*) FROM audit_entry WHERE action = 'picture:logo:deposited'")
    versions = platform.rows("SELECT stored_name FROM picture_version")
    assert len(logos.confirmed) <= len(versions) == deposited <= len(logos.confirmed | logos.cut)
    for (name,) in versions:
        content = (platform.folder / "uploads" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == Path(name).stem

    assert "Journal intact" in platform.flask("audit", "verify")

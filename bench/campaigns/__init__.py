"""Long campaigns: the same tests as the suite's, at a size for which the suite has no time.

Each test of a campaign calls `size_of` to know how far to go: the suite runs a smoke case, `python -m bench.campaigns
NAME` the full size. Whatever a campaign finds can therefore be reproduced by a test.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

#: « NAME:SIZE » while a campaign runs.
VARIABLE = "CPRO_CAMPAIGN"
#: The size that means all of them: larger than any set.
ALL = 1_000_000


@dataclass(frozen=True)
class Campaign:
    """One campaign: what it tries, its tests, the suite's size and its own."""

    purpose: str
    #: what the size counts: « kills », « values »
    unit: str
    tests: tuple[str, ...]
    smoke: int
    whole: int

    def describe_size(self, size: int) -> str:
        """Return « 20 kills », « all values »."""
        return f"{'all' if size >= ALL else size} {self.unit}"


CAMPAIGNS = {
    "imports-killed": Campaign(
        "an import applied, then undone, by workers killed at random moments: the school is old or new",
        "kills of each",
        (
            "tests/imports/apply/test_application_killed.py::test_apply_killed_at_any_moment_the_school_is_old_or_new",
            "tests/imports/apply/test_application_killed.py::test_undo_killed_at_any_moment_the_import_stands_or_is_gone",
        ),
        smoke=3,
        whole=20,
    ),
    "transfers-killed": Campaign(
        "runs of transfers killed at random moments: nothing is lost nor copied twice",
        "kills",
        ("tests/transfers/test_runs_interrupted.py::test_run_killed_at_random_moments_nothing_is_lost_nor_twice",),
        smoke=6,
        whole=40,
    ),
    "workers-killed": Campaign(
        "workers killed at random moments: no job is lost nor done twice",
        "kills",
        ("tests/core/jobs/test_worker.py::TestKilledWorkers",),
        smoke=5,
        whole=60,
    ),
    "web-killed": Campaign(
        "the process that serves pages killed while people post: what was confirmed is kept, nothing is half done, the "
        "journal is intact and the next request is served",
        "kills",
        ("tests/journeys/test_web_killed.py",),
        smoke=3,
        whole=200,
    ),
    "journeys": Campaign(
        "pupils who wander among schools while runs come at any moment: the promises of transfers hold at each step",
        "journeys of 25 steps",
        ("tests/transfers/test_runs_journeys.py::test_run_is_sound_on_any_journey",),
        smoke=3,
        whole=100,
    ),
    "corrupted-files": Campaign(
        "deposits with one to four wounds: a reading, or a refusal in French",
        "times 60 files",
        ("tests/imports/parse/test_fuzz.py",),
        smoke=3,
        whole=200,
    ),
    "odd-values": Campaign(
        "numbers and days that nobody should type, in every address, parameter and form, by every role: no failure",
        "values",
        ("tests/test_odd_values.py",),
        smoke=7,
        whole=ALL,
    ),
    "addresses": Campaign(
        "addresses on gunicorn with texts, ids and files drawn at random, by four roles and a guest: no failure, no "
        "echo, no byte of another school, under two seconds of CPU each",
        "requests of each role",
        ("tests/test_addresses_fuzzed.py",),
        smoke=40,
        whole=2000,
    ),
    "two-people": Campaign(
        "two administrators who save different fields of one user at one instant: both are kept",
        "times",
        ("tests/test_two_at_once.py::TestScreens::test_update_model_two_fields_of_one_user_are_both_kept",),
        smoke=1,
        whole=200,
    ),
    "key-rotations": Campaign(
        "the server's key rotated again and again under people signed in, with forms open: nobody notices",
        "rotations",
        ("tests/core/test_server_key.py::TestRotation::test_rotation_again_and_again_is_not_noticed",),
        smoke=2,
        whole=30,
    ),
    "bad-nights": Campaign(
        "nights on a platform that serves: Redis and the mail relay away, the worker killed in an import, PostgreSQL "
        "stopped dead, the disk full, a power cut and a clock an hour late: by morning nothing confirmed is lost",
        "nights",
        ("tests/journeys/test_bad_night.py",),
        smoke=1,
        whole=10,
    ),
    "faults": Campaign(
        "a platform that runs while its store fills, only reads or is not mounted, or its clock is an hour ahead: "
        "nothing confirmed is lost, pages say it",
        "faults",
        ("tests/journeys/test_faults.py",),
        smoke=1,
        whole=ALL,
    ),
    "upgrades": Campaign(
        "a used database of each earlier revision, brought up to date and back: every row is kept",
        "revisions",
        ("tests/test_migrations.py",),
        smoke=1,
        whole=ALL,
    ),
}


def size_of(name: str) -> int:
    """Return the current size of the tests of a campaign: its smoke size, or the size of the running campaign."""
    under_way, _, size = os.environ.get(VARIABLE, "").partition(":")
    return int(size) if under_way == name else CAMPAIGNS[name].smoke

"""Campaigns: the tests they name are there, go as far as they are told, and what they tell is a row of a table."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.campaigns import CAMPAIGNS, VARIABLE, size_of
from bench.campaigns.__main__ import main
from tests.helpers.platform import PROJECT_ROOT

pytestmark = pytest.mark.slow


def collect(*tests: str, **surroundings: str) -> list[str]:
    """Return what pytest finds of some tests."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *tests]
    environment = {"PATH": "", **surroundings}
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_size_of_is_the_smoke_size_but_for_the_campaign_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "journeys:40")

    assert (size_of("journeys"), size_of("upgrades")) == (40, CAMPAIGNS["upgrades"].smoke)


def test_campaigns_name_tests_that_are_there_and_go_further_when_asked() -> None:
    tests = [test for campaign in CAMPAIGNS.values() for test in campaign.tests]
    suite, campaign = collect(*tests), collect(*tests, CPRO_CAMPAIGN="odd-values:1000")

    assert all(any(found.startswith(test) for found in suite) for test in tests)
    assert len(campaign) > len(suite) + 40


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_campaigns_have_tests_that_ask_for_their_size(name: str) -> None:
    files = {test.partition("::")[0] for test in CAMPAIGNS[name].tests}

    assert all(f'size_of("{name}")' in (PROJECT_ROOT / file).read_text() for file in files)
    assert CAMPAIGNS[name].whole > CAMPAIGNS[name].smoke


def test_main_lists_the_campaigns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0

    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == list(CAMPAIGNS)
    assert "(all values; in the suite" in told


def test_main_runs_one_and_tells_a_row(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["corrupted-files", "--size", "1"]) == 0

    told = capfd.readouterr().out
    assert "1 passed" in told
    assert told.splitlines()[-1].startswith("| corrupted-files | 1 times 60 files | ")
    assert " | held | " in told

"""Run a campaign: `python -m bench.campaigns NAME [--size N]`; without NAME, list them.

On SQLite, or on CPRO_TEST_DATABASE_URL, as the tests do. The last line is a row for docs/campaigns.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.campaigns import CAMPAIGNS, VARIABLE

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the given campaign, or list them; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.campaigns", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", nargs="?", choices=CAMPAIGNS)
    parser.add_argument("--size", type=int, help="how far to go; the whole way unless told otherwise")
    asked = parser.parse_args(arguments)
    if asked.name is None:
        for name, campaign in CAMPAIGNS.items():
            sizes = f"{campaign.describe_size(campaign.whole)}; in the suite {campaign.smoke}"
            print(f"{name:16} {campaign.purpose} ({sizes})")
        return 0
    campaign = CAMPAIGNS[asked.name]
    size = asked.size or campaign.whole
    surroundings = {**os.environ, VARIABLE: f"{asked.name}:{size}", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", *campaign.tests]
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=surroundings).returncode
    minutes = (time.monotonic() - started) / 60
    database = "PostgreSQL" if os.environ.get("CPRO_TEST_DATABASE_URL") else "SQLite"
    outcome = "held" if code == 0 else "BROKEN"
    told = (asked.name, campaign.describe_size(size), database, outcome, f"{minutes:.1f} min")
    print(f"| {' | '.join((*told, datetime.now(UTC).date().isoformat(), _commit()))} |")
    return code


def _commit() -> str:
    """Return the commit under test, marked if files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "?"


if __name__ == "__main__":
    sys.exit(main())

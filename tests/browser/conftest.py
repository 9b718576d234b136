"""A real browser on the real platform: Debian's Chromium, driven by playwright.

Without Chromium these tests are skipped, unless CPRO_REQUIRE_BROWSER=1 (.ci/run), where they fail.
`pytest tests/browser --screenshots FOLDER` keeps a picture of every page at 1280 and 360 pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.helpers.chromium import ARGUMENTS, PASSWORD, Site
from tests.helpers.platform import Platform, find_chromium

pytest.register_assert_rewrite("tests.browser.examination")
expect.set_options(timeout=60_000)  # milliseconds: an upper bound for a loaded machine, no measure


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="FOLDER", type=Path, help="keep pictures of the pages in this folder")


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path | None:
    """Return the folder where pictures of the pages are wanted, or None."""
    folder: Path | None = request.config.getoption("--screenshots", default=None)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Yield Chromium, started."""
    found = find_chromium()
    if not found:
        missing = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CPRO_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def whole_site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield the local platform with its demonstration schools, fresh for each test file."""
    with Platform(tmp_path_factory.mktemp("site"), {"CPRO_DEMO_PASSWORD": PASSWORD}) as platform:
        yield Site(platform, chromium)


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """Yield the site; fail the test if a browser complained of anything meanwhile."""
    yield whole_site
    assert whole_site.close_pages() == []

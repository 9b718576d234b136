"""A real browser on the real platform: Debian's Chromium, driven by playwright.

Without Chromium these tests are skipped, unless CPRO_REQUIRE_BROWSER=1 (.ci/run), where they fail.
`pytest tests/browser --screenshots FOLDER` keeps a picture of every page at 1280 and 360 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.chromium import PASSWORD, Site, started
from tests.helpers.platform import Platform

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
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def whole_site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield the local platform with its demonstration schools, fresh for each test file."""
    settings = {"CPRO_DEMO_PASSWORD": PASSWORD, "CPRO_XLSX_ROWS": "20"}  # the demonstration has no longer lists
    with Platform(tmp_path_factory.mktemp("site"), settings) as platform:
        yield Site(platform, chromium)


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """Yield the site; fail the test if a browser complained of anything meanwhile."""
    yield whole_site
    assert whole_site.close_pages() == []

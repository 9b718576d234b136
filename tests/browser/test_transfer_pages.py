"""Each page of transfers, in each state of a transfer, from both schools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.examination import EachPage, Seen, look
from tests.browser.transfer_scenes import TRANSFER_SCENES
from tests.helpers.chromium import Site


@pytest.fixture(scope="module", params=TRANSFER_SCENES, ids=lambda scene: scene.name)
def seen(request: pytest.FixtureRequest, whole_site: Site, screenshots: Path | None) -> Seen:
    """Play a scene, once for all the tests below."""
    return look(request.param, whole_site, screenshots)


class TestEachPageOfTransfers(EachPage):
    """See `examination.EachPage`."""

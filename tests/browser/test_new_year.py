"""« Rentrée » in each of its states."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.examination import EachPage, Seen, look
from tests.browser.scenes import Scene, press
from tests.browser.screen_scenes import ADMIN, HEAD
from tests.helpers.chromium import Site

STEPS = "/admin/rentree"

SCENES = [
    Scene("new-year", ADMIN, STEPS),
    Scene("new-year-head", HEAD, STEPS),
    Scene("new-year-checked", HEAD, STEPS, 200, press("C’est relu : Relire les accès inspecteur")),
    Scene("new-year-steps-remain", ADMIN, f"{STEPS}/terminer"),
    Scene("help-rentree", HEAD, "/aide/rentree"),
]


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.name)
def seen(request: pytest.FixtureRequest, whole_site: Site, screenshots: Path | None) -> Seen:
    """Play a scene, once for all the tests below."""
    return look(request.param, whole_site, screenshots)


class TestEachStep(EachPage):
    """See `examination.EachPage`."""

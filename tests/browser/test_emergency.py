"""« Urgence » in each of its states, and the head who closes a role from a telephone without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.examination import EachPage, Seen, look
from tests.browser.scenes import Scene, press
from tests.browser.screen_scenes import ADMIN, HEAD, confirm, follow, then
from tests.helpers.chromium import PASSWORD, Site

URGENCE = "/admin/urgence"
INSPECTORS = "l’accès des inspecteurs"
_wrong_password = press("Rouvrir", current_password="faux")

SCENES = [
    Scene("emergency", HEAD, URGENCE),
    Scene("emergency-administrator", ADMIN, URGENCE),
    Scene("emergency-close-all", HEAD, URGENCE, 200, follow("Fermer tout l’établissement")),
    Scene("emergency-closed", HEAD, URGENCE, 200, then(follow(f"Fermer {INSPECTORS}"), confirm)),
    Scene("emergency-dashboard", HEAD, "/admin/"),
    Scene("emergency-reopen-refused", HEAD, URGENCE, 422, then(follow(f"Rouvrir {INSPECTORS}"), _wrong_password)),
    Scene("emergency-reopened", HEAD, URGENCE, 200, then(follow(f"Rouvrir {INSPECTORS}"), confirm)),
    Scene("help-urgence", HEAD, "/aide/urgence"),
    Scene("accesses", HEAD, "/admin/acces"),
    Scene("figures", HEAD, "/admin/chiffres"),
    Scene("news", ADMIN, "/nouveautes"),
]


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.name)
def seen(request: pytest.FixtureRequest, whole_site: Site, screenshots: Path | None) -> Seen:
    """Play a scene, once for all the tests below."""
    return look(request.param, whole_site, screenshots)


class TestEachEmergency(EachPage):
    """See `examination.EachPage`."""


def _touch(page: Page, role: str, name: str) -> None:
    """Touch a link or a button that is on the screen of a telephone, without scrolling sideways."""
    target = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 320, f"« {name} » is off the screen: {box}"
    target.click()


def test_emergency_from_a_telephone_without_a_script(site: Site) -> None:
    thief = site.visitor("enseignante@lovelace")
    thief.goto("/scenarios/nouveau")
    phone = site.visitor(HEAD, width=320, javascript=False)
    phone.goto("/admin/")

    phone.locator("summary", has_text="Menu").click()
    _touch(phone, "link", "Urgence")
    _touch(phone, "link", "Fermer l’accès des enseignants")
    _touch(phone, "button", "Fermer maintenant")

    expect(phone.get_by_role("main")).to_contain_text("Enseignants\u202f: toujours fermé")
    thief.locator("[name=title]").fill("À moi")
    thief.get_by_role("main").get_by_role("button", name="Valider").click()
    thief.wait_for_url("**/connexion**")
    thief.goto("/scenarios")
    thief.wait_for_url("**/connexion**")

    _touch(phone, "link", "Rouvrir l’accès des enseignants")
    phone.locator("[name=current_password]").fill(PASSWORD)
    _touch(phone, "button", "Rouvrir")
    expect(phone.get_by_role("main")).to_contain_text("Enseignants\u202f: rouvert le")
    site.forget("enseignante@lovelace")

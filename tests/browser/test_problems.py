"""« Décrire un problème » and what the support sees of it, in each state; both from a telephone, without script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.examination import EachPage, Seen, look
from tests.browser.scenes import Scene, press
from tests.browser.screen_scenes import then
from tests.helpers.chromium import Site

DESCRIBE, CONSOLE = "/probleme", "/ecoles/problemes"
TEACHER, SUPPORT = "enseignante@lovelace", "support@"
#: Wider than a telephone, in one word.
SAID = f"La page ne répond plus.\nVoici ce que je lis, https://cpro.example/{'x' * 120}"


def _described(site: Site, page: Page) -> None:
    """Have a teacher describe a problem after an error page, then load the page again."""
    teacher = site.visitor(TEACHER)
    teacher.goto("/rien/du/tout")
    teacher.get_by_role("link", name="Décrire ce problème").click()
    press("Envoyer", text=SAID)(site, teacher)
    expect(teacher.locator(".flash")).to_contain_text("Votre message est gardé")
    page.reload()


def _handle(site: Site, page: Page) -> None:
    page.get_by_role("button", name="Marquer comme traité").first.click()


def _look_up(site: Site, page: Page) -> None:
    page.locator("article").first.get_by_role("link").click()


SCENES = [
    Scene("problems-none", SUPPORT, CONSOLE),
    Scene("problems-none-handled", SUPPORT, f"{CONSOLE}?etat=traites"),
    Scene("problem-refused", TEACHER, DESCRIBE, 422, press("Envoyer")),
    Scene("problem-sent", TEACHER, DESCRIBE, 200, press("Envoyer", text=SAID)),
    Scene("problems", SUPPORT, CONSOLE, 200, _described),
    Scene("problem-handled", SUPPORT, CONSOLE, 200, then(_described, _handle)),
    Scene("problems-handled", "support@lovelace", f"{CONSOLE}?etat=traites"),
    Scene("problem-looked-up", SUPPORT, CONSOLE, 200, _look_up),
    Scene("console", SUPPORT, "/ecoles/support"),
    Scene("problem-own", TEACHER, DESCRIBE),
    Scene("help-index", TEACHER, "/aide"),
]


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.name)
def seen(request: pytest.FixtureRequest, whole_site: Site, screenshots: Path | None) -> Seen:
    """Play a scene, once for all the tests below."""
    return look(request.param, whole_site, screenshots)


class TestEachProblem(EachPage):
    """See `examination.EachPage`."""


def test_problem_from_a_telephone_without_a_script_to_its_writer(site: Site) -> None:
    phone = site.visitor("chef@chatelet", width=320, javascript=False)
    phone.goto("/admin/rien")
    code = phone.locator("main").inner_text().partition("404 – ")[2][:12]
    phone.get_by_role("link", name="Décrire ce problème").click()
    expect(phone.locator("[name=number]")).to_have_value(code)
    phone.locator("[name=text]").fill("Rien ne va.")
    phone.get_by_role("button", name="Envoyer").click()
    expect(phone.locator("main")).to_contain_text("à traiter")

    support = site.visitor(SUPPORT, width=320, javascript=False)
    support.goto("/ecoles")
    support.get_by_role("link", name="Problèmes décrits").click()
    latest = support.locator("article").first
    expect(latest).to_contain_text("Chef d’établissement")
    latest.get_by_role("link", name=code).click()
    expect(support.locator("main")).to_contain_text("rien ne se trouve à cette adresse")
    support.go_back()
    support.locator("article").first.get_by_role("button", name="Marquer comme traité").click()
    expect(support.locator(".flash")).to_contain_text("est marqué comme traité")

    phone.goto("/nouveautes")
    phone.get_by_role("link", name="Voir ce que vous avez décrit").click()
    expect(phone.locator("main")).to_contain_text("traité le")

    support.get_by_role("link", name="Traités").click()
    support.locator("article").first.get_by_role("button", name="Rouvrir").click()
    phone.reload()
    expect(phone.locator("main")).to_contain_text("à traiter")

"""Monday morning: the files of SIECLE deposited, read, confirmed, applied, and undone; with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.examination import EachPage, Seen, look
from tests.browser.import_scenes import ADMINISTRATOR, IMPORT_SCENES, IMPORTS, SAMPLES, confirm_all, deposit
from tests.helpers.chromium import PASSWORD, Site
from tests.helpers.platform import Platform

_PATIENCE = 180_000  # milliseconds: an upper bound for a loaded machine, no measure


@pytest.fixture(scope="module", params=IMPORT_SCENES, ids=lambda scene: scene.name)
def seen(request: pytest.FixtureRequest, whole_site: Site, screenshots: Path | None) -> Seen:
    """Play a scene, once for all the tests below."""
    return look(request.param, whole_site, screenshots)


class TestEachPage(EachPage):
    """See `examination.EachPage`."""


class TestMondayMorning:
    @pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
    def fresh(
        self, request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[tuple[Site, bool]]:
        """Yield a platform of its own, for each way of browsing."""
        with Platform(tmp_path_factory.mktemp("monday"), {"CPRO_DEMO_PASSWORD": PASSWORD}) as platform:
            yield Site(platform, chromium), bool(request.param)

    def test_from_deposit_to_undoing(self, fresh: tuple[Site, bool], screenshots: Path | None) -> None:
        site, javascript = fresh
        page = site.visitor(ADMINISTRATOR, javascript=javascript, motion=True)

        self._the_menu_leads_there(page)
        deposit(page, *SAMPLES)
        self._the_analysis_tells_what_would_change(page)
        self._the_deactivations_must_be_confirmed(page)
        confirm_all(page)
        self._the_progress_survives_a_reload(page, javascript, screenshots)
        self._the_report_tells_what_was_done(page)
        report = page.url
        deposit(page, *SAMPLES)
        self._twice_is_unchanged(page)
        page.goto(report)
        self._it_is_undone(page)
        assert site.close_pages() == []

    def _the_menu_leads_there(self, page: Page) -> None:
        page.goto("/admin/")
        page.get_by_role("navigation", name="Menu principal").get_by_role("link", name="Gérer les imports").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Gérer les imports")
        assert page.url.endswith(IMPORTS)

    def _the_analysis_tells_what_would_change(self, page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\s*Import SIECLE n°"))
        pupils, staff = (self._figures(page, title) for title in ("Élèves", "Personnels"))
        assert (pupils[0], pupils[7]) == ("11", "1")
        assert staff[0] == "5"
        main = page.get_by_role("main")
        expect(main).to_contain_text("2 lignes d’élèves ne sont pas reprises")
        expect(main.get_by_role("row", name=re.compile("parti sans être connu ici"))).to_have_count(1)
        expect(main.get_by_role("row", name=re.compile("sans division, pas repris"))).to_have_count(1)

    def _the_deactivations_must_be_confirmed(self, page: Page) -> None:
        page.get_by_role("button", name="Appliquer l’import").click()
        expect(page.get_by_role("alert").first).to_contain_text("Rien n’a été appliqué")
        expect(page.get_by_role("main")).to_contain_text("élèves seraient désactivés sur")

    def _the_progress_survives_a_reload(self, page: Page, javascript: bool, screenshots: Path | None) -> None:
        expect(page).to_have_url(re.compile(f"{IMPORTS}/[0-9]+$"))
        if screenshots:
            page.screenshot(path=screenshots / f"monday-progress-{javascript}.png", full_page=True)
        page.reload()
        report = page.get_by_role("heading", name="Ce que l’import a fait")
        if javascript:
            expect(report).to_be_visible(timeout=_PATIENCE)
            return
        for _second in range(_PATIENCE // 1000):
            if report.count():
                break
            page.wait_for_timeout(1000)
            page.get_by_role("link", name="Actualiser").click()

    def _the_report_tells_what_was_done(self, page: Page) -> None:
        expect(page.get_by_role("heading", name="Ce que l’import a fait")).to_be_visible()
        pupils = self._figures(page, "Élèves")
        assert (pupils[0], pupils[5], pupils[7]) == ("11", "0", "1")
        with page.expect_download() as download:
            page.get_by_role("link", name="Le compte rendu en CSV").click()
        assert "SANSINE" in download.value.path().read_text("utf-8-sig")

    def _twice_is_unchanged(self, page: Page) -> None:
        assert self._figures(page, "Élèves")[:5] == ["0", "0", "0", "0", "11"]
        assert self._figures(page, "Personnels")[4] == "5"
        page.get_by_role("link", name="Abandonner cet import").click()
        page.get_by_role("button", name="Abandonner cet import").click()

    def _it_is_undone(self, page: Page) -> None:
        page.get_by_role("link", name="Annuler cet import").click()
        expect(page.get_by_role("main")).to_contain_text("redevient comme avant")
        page.get_by_role("button", name="Annuler cet import").click()
        expect(page.locator(".flash")).to_contain_text("Les données sont comme avant lui")
        page.goto("/admin/eleves/?recherche=sansine")
        expect(page.get_by_role("main")).to_contain_text("Aucune ligne ne répond")

    def _figures(self, page: Page, title: str) -> list[str]:
        row = page.get_by_role("row", name=re.compile(f"^{title} ")).first
        row.wait_for()
        return [text.strip() for text in row.get_by_role("cell").all_inner_texts()]

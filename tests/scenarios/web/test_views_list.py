"""The list, the page and the PDF of scenarios."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.lists import ListState, find_page_from
from cpro.masks.models import MaskKey
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence
from tests.factories import NOW, World, make_scenario
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.statements import statements_sent
from tests.scenarios.conftest import Written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def many(world: World, written: Written, arrange: Look) -> Callable[[int], None]:
    """Return the action of adding scenarios, each with two competences and a co-author."""

    def add(count: int) -> None:
        with arrange() as session:
            for number in range(count):
                scenario = make_scenario(
                    world.a, written.diploma, title=f"Étude {number:03}", changed_at=NOW + timedelta(minutes=number)
                )
                session.add(scenario)
                session.flush()
                attached = {"establishment_id": world.a.id, "scenario_id": scenario.id}
                session.add_all(
                    ScenarioCompetence(competence_id=written.competences[code], **attached) for code in ("C2", "C3")
                )
                session.add(ScenarioCoAuthor(account_id=written.colleague, **attached))

    return add


def titles(page: Page) -> list[str]:
    return ["".join(each.itertext()).strip() for each in page.main.iter("th") if each.get("scope") == "row"]


class TestBreadcrumbs:
    def test_breadcrumbs_lead_to_the_list_as_it_was_left(self, as_: As, written: Written) -> None:
        browser = as_("teacher")
        asked, below = "/scenarios?diplome=40025520", "?liste=diplome%3D40025520"

        title, shown = "Titre-secret-alpha", f"{written.page()}{below}"
        assert shown in Page(browser.get(asked)).links
        assert Page(browser.get(shown)).trail == [("Scénarios", asked), (title, "")]
        form = Page(browser.get(written.page(f"/modifier{below}")))
        assert form.trail == [("Scénarios", asked), (title, shown), ("Modifier", "")]
        assert Page(browser.get(f"/scenarios/nouveau{below}")).trail == [("Scénarios", asked), ("Nouveau", "")]


class TestScenariosList:
    def test_scenarios_list_walks_through_its_pages_both_ways(self, as_: As, many: Callable[[int], None]) -> None:
        many(45)
        browser = as_("teacher")

        seen, address = [], "/scenarios?tri=titre"
        pages = []
        while address:
            page = Page(browser.get(address))
            pages.append(titles(page))
            seen += titles(page)
            address = next((each.get("href") or "" for each in page.main.iter("a") if each.get("rel") == "next"), "")
        back = next(each.get("href") or "" for each in page.main.iter("a") if each.get("rel") == "prev")

        assert seen == [*(f"Étude {number:03}" for number in range(45)), "Titre-secret-alpha"]
        assert [len(each) for each in pages] == [20, 20, 6]
        assert titles(Page(browser.get(back))) == pages[1]

    def test_scenarios_list_walks_both_ways_in_an_order_that_goes_up_and_down(
        self, app: Flask, world: World, many: Callable[[int], None]
    ) -> None:
        many(5)
        order = (Scenario.diploma_id, Scenario.changed_at.desc(), Scenario.id)
        pages, asked = [], ListState(size=2)

        with app.app_context():
            tenancy.enter(tenancy.Scope(world.a.id))
            while True:
                page = find_page_from(asked, select(Scenario), *order)
                pages.append([each.title for each in page.rows])
                if page.next_url is None:
                    break
                asked = replace(asked, after=page.rows[-1].id)
            back = find_page_from(ListState(size=2, before=page.rows[0].id), select(Scenario), *order)

        assert [title for each in pages for title in each] == [
            *(f"Étude {number:03}" for number in range(4, 0, -1)),
            "Titre-secret-alpha",  # changed at the same instant as the next one, and written before
            "Étude 000",
        ]
        assert [each.title for each in back.rows] == pages[-2]

    def test_scenarios_list_shows_the_latest_changed_first(self, as_: As, many: Callable[[int], None]) -> None:
        many(3)

        page = Page(as_("teacher").get("/scenarios"))

        assert titles(page) == ["Étude 002", "Étude 001", "Étude 000", "Titre-secret-alpha"]
        assert "4 scénarios" in page.text

    def test_scenarios_list_filters(
        self, as_: As, written: Written, many: Callable[[int], None], as_colleague: Browser
    ) -> None:
        many(2)
        browser = as_("teacher")

        def found(query: str, who: Browser = browser) -> list[str]:
            return titles(Page(who.get(f"/scenarios?tri=titre&{query}")))

        everything = ["Étude 000", "Étude 001", "Titre-secret-alpha"]
        assert found("recherche=ETUDE+1") == ["Étude 001"]
        assert found("recherche=%25") == []
        assert found("diplome=40025520") == everything
        assert found("diplome=50025524") == found("diplome=INCONNU") == []
        assert found(f"diplome=40025520&competence={written.competences['C2']}") == everything[:2]
        assert found(f"diplome=40025520&competence={written.foreign_competence}") == everything
        assert found(f"competence={written.foreign_competence}") == everything
        assert found("auteur=moi") == everything
        assert found("auteur=moi", as_colleague) == everything[:2]
        assert found("etat=archives") == []
        assert found("etat=n-importe-quoi&competence=x&apres=99999999999&avant=-1&auteur=2") == everything

    def test_scenarios_list_asks_the_same_number_of_statements_at_any_size(
        self, app: Flask, as_: As, many: Callable[[int], None]
    ) -> None:
        browser = as_("teacher")
        many(2)
        browser.get("/scenarios")
        with statements_sent(app) as few:
            browser.get("/scenarios")
        many(40)

        with statements_sent(app) as more:
            browser.get("/scenarios")

        assert len(more) == len(few)


class TestShowScenario:
    def test_show_scenario_reads_with_the_labels_of_the_masks_at_once(self, as_: As, written: Written) -> None:
        teacher, administrator = as_("teacher"), as_("administrator")
        assert "Liens de alpha" in Page(teacher.get(written.page())).text

        administrator.post(
            "/admin/parametres/masques?diplome=40025520", {"description": "Le <b>chantier</b>", "links": ""}
        )

        for end in ("", "/modifier"):
            page = Page(teacher.get(written.page(end))).text
            assert "Le <b>chantier</b>" in page
            assert "Liens de alpha" not in page and "Liens associés au scénario" in page

    def test_show_scenario_asks_the_same_number_of_statements_at_any_size(
        self, app: Flask, as_: As, world: World, written: Written, arrange: Look
    ) -> None:
        browser = as_("teacher")
        browser.get(written.page())
        with statements_sent(app) as few:
            browser.get(written.page())
        with arrange() as session:
            attached = {"establishment_id": world.a.id, "scenario_id": written.own}
            session.add_all(
                ScenarioCompetence(competence_id=written.competences[f"C{n}"], **attached) for n in range(2, 14)
            )
            session.add(ScenarioCoAuthor(account_id=written.colleague, **attached))

        with statements_sent(app) as more:
            browser.get(written.page())

        assert len(more) == len(few)


class TestMaskPreview:
    def test_mask_preview_shows_the_scenario_screen_with_the_wordings(self, as_: As, written: Written) -> None:
        for role in ("administrator", "head"):
            page = Page(as_(role).get("/admin/parametres/masques?diplome=40025520"))

            assert "Aperçu de l’écran des scénarios" in page.text
            labels = ["".join(each.itertext()) for each in page.main.iter("h3") if each.get("data-wording")]
            assert labels[3] == "Liens de alpha" and len(labels) == len(MaskKey)

    def test_mask_preview_is_there_once_a_diploma_is_chosen(self, as_: As, written: Written) -> None:
        assert "Aperçu" not in Page(as_("administrator").get("/admin/parametres/masques")).text

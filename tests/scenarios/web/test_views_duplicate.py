"""Duplicate a scenario, for its diploma or for another one: nothing exists before the copy is validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.competences.models import Competence
from cpro.scenarios.models import Scenario, ScenarioCoAuthor, ScenarioCompetence, ScenarioLink
from tests.factories import World, make_competence, make_diploma
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows, set_up, watching
from tests.scenarios.conftest import Written
from tests.scenarios.web.test_views_edit import NEW, last, of

As = Callable[..., Browser]


def address_of(scenario_id: int, diploma: str = "") -> str:
    """Return where « Dupliquer » leads."""
    return f"{NEW}?copie={scenario_id}" + (f"&diplome={diploma}" if diploma else "")


def duplicate(browser: Browser, scenario_id: int, diploma: str = "", **typed: Any) -> TestResponse:
    """Open the copy of a scenario, then press « Valider »."""
    address = address_of(scenario_id, diploma)
    texts = {each.get("name"): each.text or "" for each in Page(browser.get(address)).main.iter("textarea")}
    return browser.post(address_of(scenario_id), {**browser.form(address), **texts, **typed})


class TestDuplicateScenario:
    def test_duplicate_scenario_writes_nothing_before_it_is_validated(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        leads_to = Page(as_colleague.get(written.page())).main.findall(".//form[@action='/scenarios/nouveau']")

        with nothing_written(app):
            page = as_colleague.get(address_of(written.own))

        assert [each.get("method") for each in leads_to] == ["get"]
        assert page.status_code == 200
        assert "elle n’existera qu’une fois validée" in Page(page).text
        assert "Titre-secret-alpha (copie)" in page.text and "Texte-secret-alpha" in page.text

    def test_duplicate_scenario_gives_the_copy_to_the_teacher_who_duplicates(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        with watching(app) as watch:
            answer = duplicate(as_colleague, written.own)

        copy = last(app)
        assert answer.location == f"/scenarios/{copy['id']}"
        assert (copy["title"], copy["author_id"]) == ("Titre-secret-alpha (copie)", written.colleague)
        assert copy["description"] == "<p>Texte-secret-alpha</p>"
        assert [each["label"] for each in of(app, ScenarioLink, copy["id"])] == ["Lien-secret-alpha"]
        assert len(of(app, ScenarioCompetence, copy["id"])) == 1
        assert of(app, ScenarioCoAuthor, copy["id"]) == []
        assert watch.line["action"] == "scenario:duplicated"
        assert watch.line["changes"] == {"copied_from": [None, f"n° {written.own}"]}

    def test_duplicate_scenario_the_form_posts_to_the_address_of_what_it_writes(
        self, as_colleague: Browser, written: Written
    ) -> None:
        for address in (NEW, address_of(written.own)):
            posted = [
                each.get("action") for each in Page(as_colleague.get(address)).main.findall(".//form[@method='post']")
            ]
            assert posted == [address]

    def test_duplicate_scenario_refused_is_shown_again_as_it_was_typed(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        with nothing_written(app):
            answer = duplicate(as_colleague, written.own, title="")

        assert answer.status_code == 422
        assert Page(answer).error("title")
        assert "Texte-secret-alpha" in answer.text

    def test_duplicate_scenario_keeps_its_draft_apart_from_those_of_new_scenarios(
        self, as_colleague: Browser, written: Written
    ) -> None:
        as_colleague.post(address_of(written.own), {"title": "À moitié", "brouillon": "enregistrer"})

        assert 'value="À moitié"' in as_colleague.get(address_of(written.own)).text
        assert "À moitié" not in as_colleague.get(NEW).text

    def test_duplicate_scenario_again_numbers_the_copies(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        duplicate(as_colleague, written.own)
        first = last(app)
        duplicate(as_colleague, written.own)
        second = last(app)["title"]
        duplicate(as_colleague, first["id"])

        assert first["title"] == "Titre-secret-alpha (copie)"
        assert second == "Titre-secret-alpha (copie 2)"
        assert last(app)["title"] == "Titre-secret-alpha (copie 3)"

    def test_duplicate_scenario_the_title_of_a_copy_is_cut_to_what_fits(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        set_up(app, lambda session: setattr(session.get_one(Scenario, written.own), "title", "%" + "é" * 149))

        for _time in range(2):
            duplicate(as_colleague, written.own)

        titles = [row["title"] for row in rows(app, Scenario) if "(copie" in row["title"]]
        assert titles == ["%" + "é" * 141 + " (copie)", "%" + "é" * 139 + " (copie 2)"]

    def test_duplicate_scenario_for_a_diploma_that_shares_no_competence_says_so(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        def prepare(session: Session) -> None:
            school_id = session.get_one(Scenario, written.own).establishment_id
            session.add(make_diploma(code="CAP-AUTRE", short_label="CAP autre", establishment_id=school_id))

        set_up(app, prepare)
        text = Page(as_colleague.get(address_of(written.own, "CAP-AUTRE"))).text
        duplicate(as_colleague, written.own, "CAP-AUTRE")

        assert of(app, ScenarioCompetence, last(app)["id"]) == []
        assert "Aucune compétence n’a le même code dans ce diplôme." in text
        assert "non reprises : C1." in text

    def test_duplicate_scenario_for_another_diploma_keeps_the_same_competences_and_tells_the_rest(
        self, app: Flask, as_colleague: Browser, written: Written
    ) -> None:
        def prepare(session: Session) -> None:
            school_id = session.get_one(Scenario, written.own).establishment_id
            other = make_diploma(code="BP-AUTRE", short_label="Autre BP", establishment_id=school_id)
            session.add(other)
            session.flush()
            same = session.get_one(Competence, written.competences["C13"]).label.upper()
            session.add(make_competence(other.id, code="C13", label=same, establishment_id=school_id))
            session.add(make_competence(other.id, code="C1", label="Autrement dite", establishment_id=school_id))
            session.add(
                ScenarioCompetence(
                    establishment_id=school_id, scenario_id=written.own, competence_id=written.competences["C13"]
                )
            )

        set_up(app, prepare)
        text = Page(as_colleague.get(address_of(written.own, "BP-AUTRE"))).text
        with watching(app) as watch:
            duplicate(as_colleague, written.own, "BP-AUTRE")

        copy = last(app)
        (competence,) = of(app, ScenarioCompetence, copy["id"])
        label = next(each["label"] for each in rows(app, Competence) if each["id"] == competence["competence_id"])
        assert (copy["author_id"], label) == (written.colleague, label.upper())
        assert "Compétences reprises, de mêmes code et intitulé : C13." in text
        assert "Même code mais autre intitulé, à cocher si cela convient : C1 « Autrement dite »." in text
        assert watch.line["changes"]["diploma"] == ["Bac pro MELEC", "Autre BP"]

    def test_duplicate_scenario_of_another_school_does_not_exist(
        self, app: Flask, as_: As, written: Written, world: World
    ) -> None:
        set_up(app, lambda session: session.add(make_diploma(code="AILLEURS", establishment_id=world.b.id)))
        browser = as_("teacher")

        with nothing_written(app):
            for asked in (str(written.theirs), "", "x", "9" * 40):
                assert browser.get(f"{NEW}?copie={asked}").status_code == 404
                assert browser.post(f"{NEW}?copie={asked}", written.typed()).status_code == 404
            elsewhere = [browser.form(address_of(written.own, code))["diploma"] for code in ("AILLEURS", "x" * 300)]

        assert elsewhere == ["40025520", "40025520"]  # a diploma that is not offered is not chosen

"""Another diploma tried in the form of a scenario: the competences ticked for the former one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpro.scenarios.models import ScenarioCompetence
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.scenarios.conftest import Written
from tests.scenarios.web.test_views_edit import NEW, last, of

As = Callable[..., Browser]


class TestChangeDiplomaBack:
    """Competences ticked for one diploma while another is tried: found again, and never saved on the wrong one."""

    def _names(self, browser: Browser, **values: Any) -> tuple[Page, dict[str, list[str]]]:
        answer = browser.post(NEW, values)
        posted = {
            name: re.findall(rf'<input type="{kind}"[^>]*name="{name}" value="(\d+)"{end}', answer.text)
            for name, kind, end in (("competences", "checkbox", " checked"), ("set_aside", "hidden", ""))
        }
        return Page(answer), posted

    def test_change_diploma_those_ticked_come_back_ticked(self, app: Flask, as_: As, written: Written) -> None:
        browser, ticked = as_("teacher"), str(written.competences["C1"])
        typed = written.typed(geste="diplome")

        away, posted = self._names(browser, **{**typed, "diploma": "50025524"})
        other = str(written.foreign_competence)
        back, again = self._names(browser, **{**typed, **posted, "competences": [other]})

        assert posted == {"competences": [], "set_aside": [ticked]}
        assert "Compétences mises de côté, car elles sont d’un autre diplôme : C1." in away.text
        assert again == {"competences": [ticked], "set_aside": [other]}
        assert "mises de côté, car" in back.text

    def test_create_scenario_begins_with_the_diploma_that_the_school_prepares_for_most(
        self, as_colleague: Browser, written: Written
    ) -> None:
        assert as_colleague.form(NEW)["diploma"] == "40025520"  # a teacher of no division; others come first by name

    def test_change_diploma_those_of_the_other_diploma_are_not_saved(
        self, app: Flask, as_: As, written: Written
    ) -> None:
        browser = as_("teacher")
        kept = {"set_aside": [str(written.competences["C1"])]}

        browser.post(NEW, written.typed(diploma="50025524", competences=[], **kept))
        of_other = of(app, ScenarioCompetence, last(app)["id"])
        browser.post(NEW, written.typed(competences=[], **kept))
        of_own = of(app, ScenarioCompetence, last(app)["id"])

        assert of_other == []
        assert [each["competence_id"] for each in of_own] == [written.competences["C1"]]

    @pytest.mark.parametrize("odd", ["x", "٣", "9" * 40, "\x00", "-1"])
    def test_change_diploma_what_is_no_competence_is_left_out(self, as_: As, written: Written, odd: str) -> None:
        _page, posted = self._names(as_("teacher"), **written.typed(geste="diplome", set_aside=[odd]))

        assert posted["set_aside"] == []

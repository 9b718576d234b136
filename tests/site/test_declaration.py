"""The declaration of accessibility: every criterion judged once, with its evidence; its rate computed and told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from bench import rgaa
from cpro.site.declaration import THEMES, Criterion, Judgment, read_judgment
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

ROOT = Path(__file__).resolve().parents[2]
#: How many criteria each theme of RGAA 4.1.2 has.
SIZES = {1: 9, 2: 2, 3: 3, 4: 13, 5: 8, 6: 2, 7: 5, 8: 10, 9: 4, 10: 14, 11: 13, 12: 11, 13: 12}
MENTION = "/mentions/accessibilite"


def judged(*states: str) -> Judgment:
    """Return a judgment of as many criteria as states."""
    return Judgment(tuple(Criterion("1.1", "", state, "", "") for state in states))


class TestJudgment:
    def test_judgment_holds_each_criterion_once(self) -> None:
        numbers = [each.criterion for each in read_judgment().criteria]

        assert numbers == [f"{theme}.{number}" for theme, size in SIZES.items() for number in range(1, size + 1)]
        assert len(numbers) == 106
        assert [*THEMES] == [*map(str, SIZES)]

    def test_judgment_of_each_criterion_says_why(self) -> None:
        assert [each for each in read_judgment().criteria if not (each.name and each.evidence)] == []
        assert {each.state for each in read_judgment().criteria} <= {"C", "NC", "NA"}

    @pytest.mark.integration  # reads many files
    def test_judgment_names_tests_that_exist(self) -> None:
        for each in read_judgment().criteria:
            path, _, name = each.test.partition("::")
            assert not path or (ROOT / path).is_file(), each
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), each

    def test_judgment_is_told_by_the_page_of_documents(self) -> None:
        assert rgaa.PAGE.read_text(encoding="utf-8") == rgaa.write(), "python -m bench.rgaa"

    @pytest.mark.parametrize(
        ("states", "rate", "words"),
        [
            (["C"] * 57 + ["NC"] * 10 + ["NA"] * 39, "85", "partiellement conforme"),
            (["C"] * 3 + ["NA"], "100", "totalement conforme"),
            (["C"] * 1000 + ["NC"], "99,9", "partiellement conforme"),
            (["C"] * 1 + ["NC"] * 1, "50", "partiellement conforme"),
            (["C"] * 2 + ["NC"] * 3, "40", "non conforme"),
        ],
    )
    def test_judgment_computes_its_rate_and_its_words(self, states: list[str], rate: str, words: str) -> None:
        assert judged(*states).rate_label == rate
        assert judged(*states).state == words


class TestDeclaration:
    def test_declaration_gives_the_rate_and_what_is_missing(self, browser: Callable[[], Browser]) -> None:
        judgment = read_judgment()
        page = Page(browser().get(MENTION))

        assert f"{judgment.rate_label} % des critères" in page.text
        assert judgment.state in page.text
        for each in judgment.list_in("NC"):
            assert f"{each.criterion} {each.name}" in page.text

    def test_declaration_is_still_to_be_made_where_nobody_deploys(self, browser: Callable[[], Browser]) -> None:
        text = Page(browser().get(MENTION)).text

        assert "Déclaration à établir par l’exploitant" in text
        assert "s’engage" not in text

    def test_declaration_binds_the_body_that_deploys(
        self, app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "CPRO_ENTITY": "L’académie d’Exemple",
            "CPRO_CONTACT_EMAIL": "acces@exemple.fr",
            "CPRO_ACCESSIBILITY_PLAN_URL": "https://exemple.fr/schema",
            "CPRO_ACCESSIBILITY_YEAR_URL": "https://exemple.fr/plan-2026",
        }.items():
            monkeypatch.setitem(app.config, name, value)
        page = Page(browser().get(MENTION))

        assert "L’académie d’Exemple s’engage" in page.text
        assert "à établir" not in page.text
        assert {"https://exemple.fr/schema", "https://exemple.fr/plan-2026", "mailto:acces@exemple.fr"} <= {*page.links}

    def test_declaration_says_which_plan_the_body_has_not_given(
        self, app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_ENTITY", "L’académie d’Exemple")
        text = Page(browser().get(MENTION)).text

        assert "schéma pluriannuel : à établir par l’exploitant" in text.lower()
        assert "plan d’actions de l’année : à établir par l’exploitant" in text.lower()

    def test_declaration_is_summed_up_at_the_foot_of_each_page(self, as_: Callable[..., Browser]) -> None:
        page = as_("teacher").get("/mon-compte").text
        foot = re.sub(r"\s+", " ", page[page.index("<footer") :])

        assert f"Accessibilité : {read_judgment().state}" in foot.replace("\u202f", " ").replace("\xa0", " ")

"""Words are explained where they stand, each by a button whose target the page has once, and together at /aide/mots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpro.site.glossary import WORDS
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of

As = Callable[..., Browser]


class TestFindWords:
    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/admin/parametres/etablissement", {"UAI", "RNE", "DREETS", "MCPFA", "GRETA", "CFA", "DPD"}),
            ("/admin/eleves/", {"INE"}),
            ("/admin/mefs/", {"MEF"}),
            ("/admin/imports", {"SIECLE", "STS", "MEF", "INE"}),
        ],
    )
    def test_find_words_explains_each_beside_what_names_it(
        self, as_: As, world: World, path: str, words: set[str]
    ) -> None:
        main = Page(as_("administrator").get(path)).main
        meanings = {each.get("id"): text_of(each) for each in main.iter() if each.get("popover") is not None}
        targets = [each.get("popovertarget") for each in main.iter("button") if each.get("popovertarget")]
        ids = [each.get("id") for each in main.iter() if each.get("id")]

        assert {meanings[target].partition(" ")[0] for target in targets} >= words
        assert len(set(ids)) == len(ids)
        assert sorted(targets) == sorted(meanings)

    def test_find_words_keeps_the_button_beside_the_label_of_its_field(self, as_: As, world: World) -> None:
        main = Page(as_("administrator").get("/admin/parametres/etablissement")).main

        beside = [[child.tag for child in each][:2] for each in main.iter("div") if each.get("class") == "field-label"]
        assert ["label", "button"] in beside

    def test_find_words_does_not_cut_other_words(self, as_: As, world: World) -> None:
        main = Page(as_("student").get("/mon-compte")).main

        assert not [each for each in main.iter("button") if each.get("popovertarget")]


class TestWords:
    def test_words_are_all_on_their_page_under_their_own_address(self, as_: As, world: World) -> None:
        main = Page(as_("student").get("/aide/mots")).main

        found = {each.get("id"): text_of(each) for each in main.iter("dt")}
        assert found == {each.slug: each.word for each in WORDS}

    def test_words_are_found_by_the_search(self, as_: As, world: World) -> None:
        main = Page(as_("student").get("/recherche?q=dreets")).main

        assert "/aide/mots#dreets" in [each.get("href") for each in main.iter("a")]

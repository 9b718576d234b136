"""« Continuer »: what comes next once something is done, elsewhere than on the page that is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem, NextStep
from cpro.dashboard.checklist import find_next_step
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]


class TestNextStep:
    def test_next_step_is_said_once_something_is_done(self, as_: As) -> None:
        typed = {"code": "ROCHE", "label": "CAP Roche", "short_label": "Roche"}
        page = Page(as_("administrator").post("/admin/diplomes/new/", typed, follow_redirects=True))

        assert "à régler. Continuer : " in page.text

    def test_next_step_is_not_said_where_nothing_was_done(self, as_: As) -> None:
        assert "Continuer : " not in Page(as_("administrator").get("/admin/diplomes/")).text

    def test_next_step_is_an_act_of_the_person(self) -> None:
        items = [
            ChecklistItem("A", "", "/a", "", act=Permission.USERS_CONSENT),
            ChecklistItem("B", "", "/b", "", done=True),
            ChecklistItem("C", "", "/c", ""),
            ChecklistItem("D", "", "/d", "", after=("imports",)),
        ]

        assert find_next_step(None, items, "") == NextStep("3 points restent à régler.", "C", "/c")
        assert find_next_step(None, items, "imports") == NextStep("3 points restent à régler.", "D", "/d")
        assert find_next_step(None, items[:2], "imports") is None

    def test_next_step_is_elsewhere_than_on_the_page_that_is_read(self) -> None:
        items = [ChecklistItem("A", "", "/a#name", ""), ChecklistItem("B", "", "/b", "")]

        assert find_next_step(None, items, "", "/a") == NextStep("2 points restent à régler.", "B", "/b")
        assert find_next_step(None, items[:1], "", "/a") is None

    def test_next_step_does_not_count_what_is_only_to_check(self) -> None:
        items = [ChecklistItem("A", "", "/a", "", is_to_check=True), ChecklistItem("B", "", "/b", "")]

        assert find_next_step(None, items, "") == NextStep("1 point reste à régler.", "B", "/b")
        assert find_next_step(None, items[:1], "") is None

    @pytest.mark.parametrize(
        ("address", "typed", "said"),
        [
            ("/admin/eleves/colonnes/", {"colonne": "given_name"}, "colonnes"),
            ("/admin/eleves/listes/garder/?situation=partis", {"name": "Partis"}, "Liste gardée"),
            ("/nouveautes/lues", {}, "Vos nouveautés sont marquées comme lues."),
        ],
    )
    def test_next_step_does_not_follow_what_is_the_readers_own(
        self, as_: As, address: str, typed: dict[str, str], said: str
    ) -> None:
        page = Page(as_("administrator").post(address, typed, follow_redirects=True))

        assert said in page.text
        assert "C’est fait" in page.text
        assert "Continuer : " not in page.text

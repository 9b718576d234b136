"""The list of the journal: its actions are offered by what they are about."""

from __future__ import annotations

from collections.abc import Callable

from cpro.core.validators import fold
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
JOURNAL = "/admin/journal/"


class TestJournalScreen:
    def test_journal_screen_offers_its_actions_in_sorted_groups(self, as_: As, world: World) -> None:
        page = Page(as_("head").get(f"{JOURNAL}?action=student:changed"))
        actions = next(each for each in page.main.iter("select") if each.get("name") == "action")
        groups = {each.get("label", ""): list(each.iter("option")) for each in actions.iter("optgroup")}

        assert [*groups] == sorted(groups, key=fold)
        assert {"Élève", "Compte", "Établissement", "Parcours d’un apprenant"} <= set(groups)
        assert sum(map(len, groups.values())) == len(list(actions.iter("option"))) - 1  # « toutes les actions »
        chosen = [each.get("value") for each in actions.iter("option") if each.get("selected") is not None]
        assert chosen == ["student:changed"]
        assert all((each.text or "").strip() for options in groups.values() for each in options)

    def test_journal_screen_still_refuses_an_action_that_is_none(self, as_: As, world: World) -> None:
        answer = as_("head").get(f"{JOURNAL}?action=zzz")

        assert answer.status_code == 200
        assert "n’est pas un choix de la liste" in Page(answer).text

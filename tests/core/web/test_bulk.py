"""Actions on several rows of a list: all that it shows without ticking, a bound, who is left out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.errors import Conflict, DomainError
from cpro.core.ticked_rows import MOST_AT_ONCE, NoRowTicked, NoSuchRow, TooManyRows
from cpro.core.web.screens import bulk
from cpro.students.models import Division
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
LIST, ACTION = "/admin/eleves/", "/admin/eleves/action/"


@pytest.mark.unit
def test_describe_left_out_names_a_few_and_counts_the_others() -> None:
    left_out = [(f"P{number}", "Parti.") for number in range(9)] + [("Q", "Actif.")]

    assert bulk.describe_left_out(left_out) == [
        "Rien ne change pour P0, P1, P2, P3, P4 et 4 autres. Pour chacun\u202f: parti.",
        "Rien ne change pour Q. Actif.",
    ]


def ticked(page: Page) -> list[str]:
    """Return the values of the boxes that a list shows ticked."""
    boxes = (each for each in page.main.iter("input") if each.get("name") in ("rowid", "tous"))
    return [each.get("value", "") for each in boxes if each.get("checked") is not None]


def chosen_action(page: Page) -> str:
    """Return the action that a list shows chosen, or "" for its first."""
    [field] = [each for each in page.main.iter("select") if each.get("name") == "action"]
    return next((each.get("value", "") for each in field.iter("option") if each.get("selected") is not None), "")


def way_back(page: Page, words: str = "Ne rien changer") -> str:
    return next(each.get("href") or "" for each in page.main.iter("a") if (each.text or "").strip() == words)


class TestTickedAgain:
    """Whoever gives up, or is refused, finds the list as it was: its search, its page, its ticks."""

    ACCOUNTS = "/admin/utilisateurs/?recherche=alpha&lignes=50"

    @pytest.fixture(autouse=True)
    def pupil(self, app: Flask, world: World, arrange: Look) -> str:
        """Give school A, outside SIECLE, a pupil without an account; return their id."""
        set_school(app, world.a.id, uses_siecle=False)
        with arrange() as session:
            session.add(new := make_student(world.a.id, last_name="QUARTZ", division_id=world.a.division_id))
            session.flush()
            return str(new.id)

    def test_ticked_again_after_a_confirmation_given_up_and_not_once_done(self, as_: As, world: World) -> None:
        browser, teacher = as_("administrator"), world.a.account_ids["teacher"]
        address, rows = self.ACCOUNTS.replace("/?", "/action/?"), [teacher, world.a.account_ids["head"]]

        asked = Page(browser.post(address, {"action": "deactivate", "rowid": rows}))
        back = way_back(asked)

        assert back == f"{self.ACCOUNTS}&coches={rows[0]}%2C{rows[1]}&action=deactivate"
        assert "coches=" not in "".join(Page(browser.get(back)).links), "another page of the list is another choice"
        form = next(each for each in asked.main.iter("form"))
        done = browser.post(form.get("action", ""), {"action": "deactivate", "rowid": [teacher], "confirme": "oui"})
        assert done.location == self.ACCOUNTS

    @pytest.mark.parametrize("endpoint", ["depart", "division", "course", "open-accounts", "sheets"])
    def test_ticked_again_after_a_page_of_its_own_given_up(self, as_: As, pupil: str, endpoint: str) -> None:
        browser, address = as_("administrator"), f"{LIST}action/?situation=presents"

        for typed, expected in (({"rowid": [pupil]}, [pupil]), ({"tous": "oui"}, ["oui"])):
            asked = Page(browser.post(address, {"action": endpoint, **typed}, follow_redirects=True))
            back = way_back(asked, "Ne rien préparer" if endpoint == "sheets" else "Ne rien changer")

            assert back.startswith(f"{LIST}?situation=presents&coches=")
            assert ticked(Page(browser.get(back))) == expected
            assert chosen_action(Page(browser.get(back))) == endpoint

    def test_ticked_again_after_a_refusal(self, as_: As, pupil: str) -> None:
        browser = as_("administrator")

        answer = browser.post(ACTION, {"action": "return", "rowid": [pupil]}, follow_redirects=True)
        assert ticked(Page(answer)) == [pupil]
        answer = browser.post(ACTION, {"action": "division", "rowid": [pupil, "999999"]}, follow_redirects=True)
        assert ticked(Page(answer)) == [pupil]

    def test_ticked_again_after_a_change_by_another_meanwhile(
        self, app: Flask, as_: As, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_accounts: Any, **_who: Any) -> None:
            raise Conflict("Ces comptes viennent de changer.")

        monkeypatch.setattr("cpro.users.operations.access.deactivate_accounts", refuse)
        browser, teacher = as_("administrator"), str(world.a.account_ids["teacher"])
        asked = {"action": "deactivate", "rowid": [teacher], "confirme": "oui"}

        with nothing_written(app):
            page = Page(browser.post("/admin/utilisateurs/action/", asked, follow_redirects=True))
        assert ticked(page) == [teacher]
        assert "Ces comptes viennent de changer." in page.text

    @pytest.mark.parametrize("made_up", ["mot", "1,%00", "9" * 400, ",,,"])
    def test_ticked_again_nothing_that_a_list_does_not_show(self, as_: As, made_up: str) -> None:
        assert ticked(Page(as_("administrator").get(f"{LIST}?coches={made_up}"))) == []

    def test_ticked_says_what_unticks(self, as_: As) -> None:
        page = Page(as_("administrator").get(LIST))
        assert page.says(
            "Les cases sont celles de cette page : chercher, filtrer, trier ou changer de page les décoche."
        )


class TestAllOfAList:
    @pytest.fixture(autouse=True)
    def pupils(self, app: Flask, world: World, arrange: Look) -> None:
        """Give school A 25 pupils more than a page shows, of one division, and a division to go to."""
        set_school(app, world.a.id, uses_siecle=False)
        with arrange() as session:
            session.add(Division(establishment_id=world.a.id, code="1NEUVE", label=""))
            names = [f"PIERRE {number:02}" for number in range(25)]
            session.add_all(make_student(world.a.id, last_name=each, division_id=None) for each in names)
            session.add(make_student(world.b.id, last_name="PIERRE AUTRE"))

    def test_all_of_a_list_are_the_rows_that_its_filter_shows_in_this_school(self, as_: As) -> None:
        browser = as_("administrator")
        assert (
            "Toutes les lignes de cette liste (25 élèves" in Page(browser.get("/admin/eleves/?recherche=pierre")).text
        )

        asked = browser.post(f"{ACTION}?recherche=pierre", {"action": "division", "tous": "oui"}, follow_redirects=True)

        page = Page(asked)
        assert "25 élèves" in page.text
        assert "AUTRE" not in page.text

    def test_all_of_a_list_too_long_is_refused_with_the_way_on(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("core.ticked_rows", "core.web.screens.view"):
            monkeypatch.setattr(f"cpro.{module}.MOST_AT_ONCE", 20)
        browser = as_("administrator")

        assert "Toutes les lignes" not in Page(browser.get("/admin/eleves/?recherche=pierre")).text
        with nothing_written(app):
            answer = browser.post(
                f"{ACTION}?recherche=pierre", {"action": "division", "tous": "oui"}, follow_redirects=True
            )
        assert "réduisez d’abord la liste" in Page(answer).text

    def test_ticked_rows_that_the_school_does_not_have_are_refused_with_the_reason(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        refused: list[tuple[list[Any], type[DomainError]]] = [
            ([], NoRowTicked),
            ([world.a.student_id, "mot"], NoSuchRow),
            ([world.a.student_id, world.b.student_id], NoSuchRow),
            ([*range(1, MOST_AT_ONCE + 2)], TooManyRows),
        ]

        for ids, refusal in refused:
            with nothing_written(app):
                answer = browser.post(ACTION, {"action": "division", "rowid": ids}, follow_redirects=True)
            assert Page(answer).says(refusal.message)

    @pytest.mark.parametrize("role", ["head", "teacher", "student", "support", "inspector"])
    def test_all_of_a_list_is_for_those_who_may_act(self, app: Flask, as_: As, role: str) -> None:
        browser = as_(role)

        with nothing_written(app):
            answer = browser.post(ACTION, {"action": "division", "tous": "oui"})
        assert answer.status_code in (303, 403)
        if answer.status_code == 303:  # the platform's people choose a school first
            assert "/eleves/division" not in answer.location

"""Actions on several rows of a list: all that it shows without ticking, a bound, who is left out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.errors import DomainError
from cpro.core.ticked_rows import MOST_AT_ONCE, NoRowTicked, NoSuchRow, TooManyRows
from cpro.core.web.screens import bulk
from cpro.students.models import Division
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
ACTION = "/admin/eleves/action/"


@pytest.mark.unit
def test_describe_left_out_names_a_few_and_counts_the_others() -> None:
    left_out = [(f"P{number}", "Parti.") for number in range(9)] + [("Q", "Actif.")]

    assert bulk.describe_left_out(left_out) == [
        "Rien ne change pour P0, P1, P2, P3, P4 et 4 autres. Parti.",
        "Rien ne change pour Q. Actif.",
    ]


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

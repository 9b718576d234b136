"""The second factor of an inspector, taken off by the head of a school that is open to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.users.models import PlatformAccount, SecondFactor
from tests.factories import PASSWORD
from tests.helpers.pages import Page
from tests.helpers.phone import make_second_factor
from tests.helpers.records import nothing_written, rows
from tests.inspectors.conftest import TAB, Desk

Opener = Callable[..., int]
GIVEN = {"current_password": PASSWORD}


@pytest.fixture(autouse=True)
def second_factor(desk: Desk, arrange: Callable[[], AbstractContextManager[Session]]) -> None:
    """Give the inspector a second factor."""
    inspector = next(row for row in desk.accounts() if row["role"] == "inspector")
    with arrange() as session:
        session.add(make_second_factor(session.get_one(PlatformAccount, inspector["id"])))


class TestResetSecondFactor:
    def test_reset_second_factor_is_told_to_the_inspector_and_to_both_journals(
        self, app: Flask, desk: Desk, open_to_inspector: Opener
    ) -> None:
        address = f"{TAB}/{open_to_inspector()}/second-facteur"
        head = desk.browser("head")
        assert address in head.get(TAB).text
        assert "dans tous les établissements qui lui sont ouverts" in Page(head.get(address)).text

        answer = head.post(address, GIVEN)

        assert answer.status_code == 303, answer.text
        assert rows(app, SecondFactor) == []
        assert "a réinitialisé le second facteur de votre compte" in desk.text()
        [of_school] = desk.lines("mandate:second-factor:reset")
        [of_platform] = desk.lines("account:second-factor:reset")
        assert (of_school["establishment_id"], of_platform["establishment_id"]) == (desk.world.a.id, None)
        assert "est réinitialisé" in Page(head.get(TAB)).text

    def test_reset_second_factor_asks_for_the_password(self, app: Flask, desk: Desk, open_to_inspector: Opener) -> None:
        address, head = f"{TAB}/{open_to_inspector()}/second-facteur", desk.browser("head")

        assert head.post(address, {"current_password": "Faux-faux-42-!"}).status_code == 422
        assert len(rows(app, SecondFactor)) == 1

    def test_reset_second_factor_twice_says_that_there_is_none(
        self, app: Flask, desk: Desk, open_to_inspector: Opener
    ) -> None:
        address, head = f"{TAB}/{open_to_inspector()}/second-facteur", desk.browser("head")
        head.post(address, GIVEN)

        head.post(address, GIVEN)

        assert "rien n’a changé" in Page(head.get(TAB)).text
        assert len(desk.lines("account:second-factor:reset")) == 1

    @pytest.mark.parametrize(
        ("who", "school", "status"), [("administrator", "a", 403), ("teacher", "a", 403), ("head", "b", 404)]
    )
    def test_reset_second_factor_is_the_heads_of_the_school_that_is_open(
        self, app: Flask, desk: Desk, open_to_inspector: Opener, who: str, school: str, status: int
    ) -> None:
        address, browser = f"{TAB}/{open_to_inspector()}/second-facteur", desk.browser(who, school)
        browser.get("/mon-compte")

        with nothing_written(app):
            assert browser.get(address).status_code == browser.post(address, GIVEN).status_code == status

    def test_reset_second_factor_is_refused_once_the_access_is_over(
        self, app: Flask, desk: Desk, open_to_inspector: Opener
    ) -> None:
        over = open_to_inspector(starts_on=date(2025, 9, 1), ends_on=date(2025, 9, 30))
        head = desk.browser("head")

        with nothing_written(app):
            assert head.post(f"{TAB}/{over}/second-facteur", GIVEN).status_code == 422

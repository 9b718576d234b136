"""The link sent to an earlier address: read by anybody who has it, answered once, until it expires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cpro.users.models import AddressChange
from cpro.users.operations import addresses, manual
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.letters import TYPED, answer, link_in, run_night
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written

Arrange = Callable[..., Any]
TAB, CONFIRM = "/admin/parametres/etablissement", "/admin/parametres/etablissement/confirmer-adresse"
OLD, OWN = "direction@alpha.example", "ines.quartz@alpha.example"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestAnswerLink:
    @pytest.fixture
    def link(self, office: Office) -> str:
        office.act(manual.update_account, account=office.school.account_ids["teacher"], values={"email": TYPED})
        return link_in(office, OWN)

    def test_answer_link_changes_nothing_when_opened(
        self, app: Flask, browser: Callable[[], Browser], link: str
    ) -> None:
        with nothing_written(app):
            page = Page(browser().get(link))

        for words in (OWN, TYPED, "Alix GRANITE", "Inès QUARTZ"):
            assert words in page.text

    @pytest.mark.parametrize("word", ["", "oui", "confirmer "])
    def test_answer_link_changes_nothing_for_another_word(
        self, app: Flask, browser: Callable[[], Browser], link: str, word: str
    ) -> None:
        page = browser()
        page.get(link)

        with nothing_written(app):
            assert page.post(link, {"reponse": word}).status_code == 422

    def test_answer_link_changes_nothing_for_a_forged_post(
        self, app: Flask, browser: Callable[[], Browser], link: str
    ) -> None:
        with nothing_written(app):
            assert browser().post(link, {"reponse": "confirmer"}, token=False).status_code == 400

    @pytest.mark.parametrize("word", ["confirmer", "refuser"])
    def test_answer_link_answers_once(self, app: Flask, browser: Callable[[], Browser], link: str, word: str) -> None:
        page = browser()
        answer(page, link, word)

        assert page.get(link).status_code == 404
        with nothing_written(app):
            assert page.post(link, {"reponse": "confirmer"}).status_code == 404

    def test_answer_link_expires(self, app: Flask, browser: Callable[[], Browser], link: str) -> None:
        with time_machine.travel(NOW + addresses.LINK_VALIDITY, tick=False), nothing_written(app):
            assert browser().get(link).status_code == 404
            assert browser().post(link, {"reponse": "confirmer"}).status_code == 404

    def test_answer_link_is_kept_as_a_digest(self, app: Flask, link: str, platform: Arrange) -> None:
        token = link.rpartition("/")[2]
        with platform() as session:
            stored = session.scalars(select(AddressChange)).one()
            assert token not in str(vars(stored))

    def test_answer_link_is_forgotten_once_answered_and_expired(
        self, app: Flask, browser: Callable[[], Browser], link: str, platform: Arrange
    ) -> None:
        answer(browser(), link, "confirmer")
        run_night(app, NOW + timedelta(days=31))

        with platform() as session:
            assert session.scalars(select(AddressChange)).all() == []

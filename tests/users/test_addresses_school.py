"""The school's changed address counts for heads' codes once a head, or its earlier holder, confirmed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.core.errors import DomainError
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import lock_current_establishment
from cpro.users.operations import addresses
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.letters import LINK, TYPED, answer, letters, link_in, run_night
from tests.helpers.office import Office
from tests.helpers.records import nothing_written, school_row, set_school, watching

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


class TestConfirmSchoolAddress:
    """The school's address counts for heads' codes once a head, or its earlier holder, confirmed it."""

    def take(self, browser: Browser, email: str = TYPED) -> TestResponse:
        return browser.post(TAB, {**browser.form(TAB), "email": email, "current_password": PASSWORD})

    def counting(self, office: Office) -> str:
        row = school_row(office.app, office.school.id)
        return str(row["confirmed_email"] or row["head_email"])

    def test_notify_school_address_changed_by_the_administrator_does_not_count_and_both_addresses_are_shown(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        administrator = as_("administrator")
        assert self.take(administrator).status_code == 303

        assert self.counting(office) == OLD
        for role in ("administrator", "head"):
            page = as_(role).get(TAB).text
            assert f"<strong>{OLD}</strong>" in page
            assert f"<strong>{TYPED}</strong>, ne les reçoit pas encore" in page
        assert CONFIRM not in administrator.get(TAB).text

    def test_notify_school_address_notifies_at_once_all_who_must_know(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        self.take(as_("administrator"))

        mailed = {to: text for to, text in office.mails()}
        assert set(mailed) == {"contact@alpha.example", OLD, "claude.basalte@alpha.example"}
        assert [to for to, text in mailed.items() if LINK.search(text)] == [OLD]
        assert all(TYPED in text and "Alix GRANITE" in text for text in mailed.values())

    @pytest.mark.parametrize("in_place", [True, False])
    def test_notify_school_address_a_first_address_is_notified_where_a_head_is_in_place(
        self, app: Flask, office: Office, as_: Callable[..., Browser], in_place: bool
    ) -> None:
        set_school(app, office.school.id, email="")
        office.change(office.school.account_ids["head"], is_active=in_place)

        self.take(as_("administrator"))

        mailed = {OLD, "claude.basalte@alpha.example"} if in_place else set()
        assert {to for to, _ in office.mails()} == mailed

    @pytest.mark.parametrize(("word", "counting"), [("confirmer", TYPED), ("refuser", OLD)])
    def test_answer_link_the_holder_of_the_address_that_counts_decides(
        self, office: Office, as_: Callable[..., Browser], browser: Callable[[], Browser], word: str, counting: str
    ) -> None:
        self.take(as_("administrator"))

        answer(browser(), link_in(office, OLD), word)

        assert self.counting(office) == counting
        mailed = [text for text in letters(office, "claude.basalte@alpha.example") if "s’est opposé" in text]
        assert len(mailed) == (word == "refuser")

    def test_confirm_school_address_silence_never_decides(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        self.take(as_("administrator"))

        run_night(app, NOW + timedelta(days=400))

        assert self.counting(office) == OLD

    def test_confirm_school_address_a_head_confirms_with_their_password(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        self.take(as_("administrator"))
        head = as_("head")
        assert CONFIRM in head.get(TAB).text
        form = head.form(CONFIRM)
        for wrong in ("", "Faux-faux-faux-42!"):
            with nothing_written(app):
                assert head.post(CONFIRM, {**form, "current_password": wrong}).status_code == 422

        with watching(app) as watch:
            assert head.post(CONFIRM, {**form, "current_password": PASSWORD}).status_code == 303

        assert self.counting(office) == TYPED
        assert watch.line["action"] == "establishment:address:confirmed"
        assert watch.line["changes"] == {"confirmed_email": [OLD, TYPED]}
        assert CONFIRM not in head.get(TAB).text

    def test_confirm_school_address_a_head_confirms_what_they_read_and_nothing_else(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        head = as_("head")
        form = head.form(CONFIRM)
        self.take(as_("administrator"))

        with nothing_written(app):
            answered = head.post(CONFIRM, {**form, "current_password": PASSWORD})

        assert answered.status_code == 409
        assert TYPED in answered.text

    def test_confirm_school_address_a_head_does_not_confirm_the_address_of_an_account(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        self.take(as_("administrator"), "alix.granite@alpha.example")
        head = as_("head")

        with nothing_written(app):
            answered = head.post(CONFIRM, {**head.form(CONFIRM), "current_password": PASSWORD})

        assert answered.status_code == 422
        assert "Alix GRANITE" in answered.text

    def test_confirm_school_address_changed_by_a_head_counts_at_once(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        assert self.take(as_("head")).status_code == 303

        assert self.counting(office) == TYPED

    def test_confirm_school_address_filled_in_by_a_head_without_a_password_waits(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        set_school(app, office.school.id, email="")
        head = as_("head")

        assert head.post(TAB, {**head.form(TAB), "email": TYPED}).status_code == 303
        assert self.counting(office) == OLD

    @pytest.mark.parametrize("who", ["administrator", "teacher", "student", "further head who waits", "disabled head"])
    def test_confirm_school_address_the_operation_itself_asks_for_a_head_in_place(
        self, app: Flask, office: Office, who: str
    ) -> None:
        by = office.actor(who if who in office.school.account_ids else "head")
        if who == "further head who waits":
            by = office.actor(office.create("head"))
        if who == "disabled head":
            office.change(office.school.account_ids["head"], is_active=False)

        with nothing_written(app), pytest.raises(DomainError, match="Seul le chef"):
            confirm(office, by)

    def test_notify_school_address_no_link_leaves_before_a_head_is_in_place(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        office.change(office.school.account_ids["head"], is_active=False)
        self.take(as_("administrator"))

        assert not any(LINK.search(text) for _to, text in office.mails())
        assert self.counting(office) == OLD

    def test_confirm_school_address_another_school_is_not_touched(
        self, app: Flask, office: Office, as_: Callable[..., Browser]
    ) -> None:
        before = school_row(app, office.world.b.id)
        self.take(as_("administrator"))
        head = as_("head")
        head.post(CONFIRM, {**head.form(CONFIRM), "current_password": PASSWORD, "establishment_id": office.world.b.id})

        assert school_row(app, office.world.b.id) == before


def confirm(office: Office, by: Any) -> None:
    """Confirm the school's address by somebody, past the pages."""
    with office.session(), unit_of_work():
        school = lock_current_establishment()
        addresses.confirm_school_address(school, shown=school.email, password_given=True, by=by, now=NOW)

"""An address that somebody else typed counts for codes once it is proved: who may prove it, how, and until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.core.mail import MailMessage
from cpro.core.mail.models import MailState
from cpro.core.permissions import Role
from cpro.extensions import db
from cpro.users.models import AddressChange
from cpro.users.operations import manual
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.letters import LINK, TYPED, answer, letters, link_in, run_night
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, watching

Arrange = Callable[..., Any]
TAB, CONFIRM = "/admin/parametres/etablissement", "/admin/parametres/etablissement/confirmer-adresse"
OWN_PAGE = "/mon-compte/adresse"
OLD, OWN = "direction@alpha.example", "ines.quartz@alpha.example"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


class TestChangeAccountAddress:
    """The administrator gives a teacher an address of theirs, then asks for a forgotten password."""

    @pytest.fixture
    def teacher(self, office: Office) -> int:
        return office.school.account_ids["teacher"]

    @pytest.fixture
    def changed(self, office: Office, teacher: int) -> int:
        office.act(manual.update_account, account=teacher, values={"email": TYPED})
        return teacher

    def forget(self, office: Office, login: str = "ines.quartz") -> list[str]:
        """Ask for a forgotten password; return the mailboxes that received a code for it."""
        before = office.mails()
        page = Browser(office.app)
        page.get("/mot-de-passe-oublie")
        page.post("/mot-de-passe-oublie", {"establishment": "alpha", "login": login})
        return [to for to, text in office.mails() if (to, text) not in before and CODE.search(text)]

    def test_change_account_address_keeps_its_codes_at_the_earlier_address(self, office: Office, changed: int) -> None:
        account = office.find(changed)

        assert (account.email, account.confirmed_email) == (TYPED, OWN)
        assert sorted(self._codes_for(office)) == [OWN]

    def _codes_for(self, office: Office) -> set[str]:
        self.forget(office)
        return {to for to, text in office.mails() if CODE.search(text)}

    def test_change_account_address_notifies_the_earlier_address_and_the_head_at_once(
        self, office: Office, changed: int
    ) -> None:
        [to_owner], [to_head] = letters(office, OWN), letters(office, "claude.basalte@alpha.example")

        for text in (to_owner, to_head):
            assert "Alix GRANITE a changé l’adresse électronique" in text
            assert TYPED in text
        assert LINK.search(to_owner)
        assert not LINK.search(to_head)
        assert letters(office, TYPED) == []

    def test_answer_link_counts_once_the_earlier_address_confirms(
        self, app: Flask, office: Office, changed: int, browser: Callable[[], Browser]
    ) -> None:
        with watching(app) as watch:
            assert answer(browser(), link_in(office, OWN), "confirmer").status_code == 303

        assert office.find(changed).confirmed_email == TYPED
        assert watch.line["action"] == "account:address:confirmed"
        assert watch.line["actor_label"] == f"Titulaire de l’adresse {OWN}"
        assert self._codes_for(office) == {TYPED}

    def test_answer_link_goes_back_when_the_earlier_address_objects(
        self, app: Flask, office: Office, changed: int, browser: Callable[[], Browser]
    ) -> None:
        answer(browser(), link_in(office, OWN), "refuser")

        account = office.find(changed)
        assert (account.email, account.confirmed_email) == (OWN, OWN)
        assert any("s’est opposé" in text for text in letters(office, "claude.basalte@alpha.example"))
        with time_machine.travel(NOW + timedelta(days=8), tick=False):
            assert self._codes_for(office) == {OWN}

    def test_change_own_address_counts_once_its_owner_gives_it_with_their_password(
        self, office: Office, changed: int, as_: Callable[..., Browser]
    ) -> None:
        owner = as_("teacher")
        page = owner.get(OWN_PAGE)

        assert "a été saisie par quelqu’un d’autre" in page.text
        assert owner.post(OWN_PAGE, {"email": TYPED, "current_password": PASSWORD}).status_code == 303
        assert office.find(changed).confirmed_email == TYPED
        assert "a été saisie par quelqu’un d’autre" not in owner.get(OWN_PAGE).text

    @pytest.mark.parametrize(("days", "counts"), [(6, False), (7, True), (20, True)])
    def test_apply_silence_counts_by_silence_after_seven_days(
        self, office: Office, changed: int, days: int, counts: bool
    ) -> None:
        with time_machine.travel(NOW + timedelta(days=days), tick=False):
            assert self._codes_for(office) == {TYPED if counts else OWN}

    @pytest.mark.parametrize("state", ["refused", "waiting"])
    def test_apply_silence_never_counts_by_silence_when_no_server_took_the_notice(
        self, office: Office, changed: int, arrange: Arrange, state: str
    ) -> None:
        with arrange() as session:
            notice = session.scalars(select(MailMessage).where(MailMessage.to == OWN)).one()
            notice.state = MailState(state)

        with time_machine.travel(NOW + timedelta(days=20), tick=False):
            assert self._codes_for(office) == {OWN}

    def test_apply_silence_never_counts_by_silence_when_the_notice_is_forgotten(
        self, office: Office, changed: int, arrange: Arrange
    ) -> None:
        with arrange() as session:
            session.delete(session.scalars(select(MailMessage).where(MailMessage.to == OWN)).one())

        with time_machine.travel(NOW + timedelta(days=20), tick=False):
            assert self._codes_for(office) == {OWN}

    def test_apply_silence_counts_the_seven_days_from_the_day_a_server_took_the_notice(
        self, office: Office, changed: int, arrange: Arrange
    ) -> None:
        with arrange() as session:
            notice = session.scalars(select(MailMessage).where(MailMessage.to == OWN)).one()
            notice.settled_at = NOW + timedelta(days=2)

        with time_machine.travel(NOW + timedelta(days=8), tick=False):
            assert self._codes_for(office) == {OWN}

    def test_answer_link_an_objection_undoes_what_silence_gave(
        self, office: Office, changed: int, browser: Callable[[], Browser]
    ) -> None:
        link = link_in(office, OWN)
        with time_machine.travel(NOW + timedelta(days=8), tick=False):
            self.forget(office)
            [code] = [code for to, text in office.mails() if to == TYPED for code in CODE.findall(text)]
            thief = browser()
            thief.get("/activation")
            chosen = {"password": "Girafe-et-zèbre-42", "password_confirm": "Girafe-et-zèbre-42"}
            thief.post("/activation", {"establishment": "alpha", "login": "ines.quartz", "code": code, **chosen})
            assert thief.get("/mon-compte").status_code == 200
            office.act(manual.update_account, account=changed, values={"email": "autre@boite.example"})

            answer(browser(), link, "refuser")

            assert thief.get("/mon-compte").status_code == 303
            assert browser().sign_in("alpha", "ines.quartz", chosen["password"]).status_code == 422
            assert office.find(changed).confirmed_email == OWN

    def test_apply_silence_the_night_closes_what_was_not_asked_about(
        self, app: Flask, office: Office, changed: int
    ) -> None:
        later = NOW + timedelta(days=7)
        with watching(app) as watch:
            assert run_night(app, later) == {"counted": 1}

        assert office.find(changed).confirmed_email == TYPED
        assert (watch.line["action"], watch.line["establishment_id"]) == ("account:address:counted", office.school.id)
        assert run_night(app, later) == {"counted": 0}

    @pytest.mark.parametrize("role", ["teacher", "student", "administrator"])
    def test_change_account_address_an_account_without_an_address_waits_for_its_owner_whatever_the_delay(
        self, office: Office, role: str
    ) -> None:
        account = office.add(Role(role), login="zoe.mica")
        office.act(manual.update_account, account=account, values={"email": TYPED})

        with time_machine.travel(NOW + timedelta(days=400), tick=False):
            run_night(office.app, NOW + timedelta(days=400))
            assert self.forget(office, "zoe.mica") == []

    def test_change_account_address_nor_does_an_address_given_at_creation(self, office: Office) -> None:
        account = office.create("teacher", email=TYPED)

        assert office.find(account).confirmed_email == ""
        assert self.forget(office, "zoe.mica") == []

    def test_change_account_address_two_changes_in_a_row_leave_one_link_and_the_first_address(
        self, office: Office, changed: int, browser: Callable[[], Browser]
    ) -> None:
        first = link_in(office, OWN)

        office.act(manual.update_account, account=changed, values={"email": "autre@boite.example"})

        assert browser().get(first).status_code == 404
        assert len(letters(office, OWN)) == 2
        assert letters(office, TYPED) == []
        with time_machine.travel(NOW + timedelta(days=6), tick=False):
            assert self._codes_for(office) == {OWN}

    def test_change_account_address_going_back_to_the_earlier_address_waits_for_nothing(
        self, office: Office, changed: int
    ) -> None:
        office.act(manual.update_account, account=changed, values={"email": OWN})

        assert self._codes_for(office) == {OWN}
        with time_machine.travel(NOW + timedelta(days=8), tick=False):
            assert run_night(office.app, NOW + timedelta(days=8)) == {"counted": 0}

    def test_apply_silence_a_head_is_never_decided_by_silence(self, office: Office, arrange: Arrange) -> None:
        head = office.school.account_ids["head"]
        office.change(head, email=TYPED)
        with arrange() as session:
            session.add(notice := _sent(office, "claude.basalte@alpha.example"))
            session.add(_change(office, head, "claude.basalte@alpha.example", notice.message_id))

        assert run_night(office.app, NOW + timedelta(days=30)) == {"counted": 0}

    def test_forget_address_an_account_that_becomes_a_pupils_keeps_no_address_and_no_link(
        self, office: Office, browser: Callable[[], Browser], arrange: Arrange
    ) -> None:
        from cpro.students.accounts.links import link_account
        from cpro.students.models import Student

        account, student_id = office.school.account_ids["student"], office.school.student_id
        own = "noe.agate@alpha.example"
        office.act(manual.update_account, account=account, values={"email": TYPED})
        with time_machine.travel(NOW + timedelta(days=8), tick=False):
            assert self.forget(office, "noe.agate") == [TYPED]

            office.act(
                lambda row, **actor: link_account(
                    row, db.session.get_one(Student, student_id), password_given=True, **actor
                ),
                account=account,
            )

            assert (office.find(account).email, office.find(account).confirmed_email) == ("", "")
            assert self.forget(office, "noe.agate") == []
            assert browser().get(link_in(office, own)).status_code == 404

    def test_change_account_address_the_command_lines_word_counts_at_once(
        self, app: Flask, office: Office, teacher: int
    ) -> None:
        from cpro.core.commands import COMMAND_LINE

        office.act(manual.update_account, COMMAND_LINE, account=teacher, values={"email": TYPED})

        assert office.find(teacher).confirmed_email == TYPED

    def test_change_own_address_ones_own_change_notifies_the_earlier_address(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        owner = as_("teacher")
        owner.get(OWN_PAGE)
        owner.post(OWN_PAGE, {"email": "ines@maison.example", "current_password": PASSWORD})

        [text] = letters(office, OWN)
        assert "ines@maison.example" in text

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_change_own_address_tells_both_addresses_and_the_new_one_of_nobody(
        self, office: Office, as_: Callable[..., Browser], role: str
    ) -> None:
        browser, earlier = as_(role), f"{office.world.logins[role]}@alpha.example"
        account = office.find(office.school.account_ids[role])

        browser.get(OWN_PAGE)
        browser.post(OWN_PAGE, {"email": "nouvelle@alpha.example", "current_password": PASSWORD})

        [told], [sent] = letters(office, earlier), letters(office, "nouvelle@alpha.example")
        assert "nouvelle@alpha.example" in told
        for secret in (account.last_name, account.login, earlier, "alpha,"):
            assert secret not in sent
        assert "s’est trompée" in sent and "http" not in sent
        assert "s’il n’arrive pas à nouvelle@alpha.example, corrigez-la" in Page(browser.get("/mon-compte")).flashes[-1]

    @pytest.mark.parametrize(
        ("typed", "meant"), [("ines@gmial.com", "gmail.com"), ("ines@aplha.example", "alpha.example")]
    )
    def test_change_own_address_asks_once_about_a_domain_that_looks_mistyped(
        self, app: Flask, office: Office, as_: Callable[..., Browser], teacher: int, typed: str, meant: str
    ) -> None:
        browser = as_("teacher")
        form = {**browser.form(OWN_PAGE), "email": typed, "current_password": PASSWORD}

        with nothing_written(app):
            asked = browser.post(OWN_PAGE, form)
        page = Page(asked)

        assert (asked.status_code, page.values()["email"]) == (422, typed)
        assert f"est-ce plutôt « {meant} »" in page.error("email")
        again = {**page.values(), "current_password": PASSWORD}
        with nothing_written(app):
            assert browser.post(OWN_PAGE, {**again, "email": "ines@orang.fr"}).status_code == 422
        assert browser.post(OWN_PAGE, again).status_code == 303
        assert office.find(teacher).confirmed_email == typed

    def test_change_own_address_asks_nothing_about_what_corrects_it(
        self, office: Office, as_: Callable[..., Browser], teacher: int
    ) -> None:
        browser = as_("teacher")
        asked = browser.post(OWN_PAGE, {"email": "ines@gmial.com", "current_password": PASSWORD})

        answer = browser.post(
            OWN_PAGE, {**Page(asked).values(), "email": "ines@gmail.com", "current_password": PASSWORD}
        )

        assert (answer.status_code, office.find(teacher).confirmed_email) == (303, "ines@gmail.com")

    def test_change_own_address_many_times_an_hour_is_refused_and_what_was_typed_stays(
        self, office: Office, as_: Callable[..., Browser]
    ) -> None:
        browser = as_("teacher")

        def change(number: int) -> TestResponse:
            form = browser.form(OWN_PAGE)
            typed = {"email": f"encore{number}@alpha.example", "current_password": PASSWORD}
            return browser.post(OWN_PAGE, {**form, **typed})

        answers = [change(number) for number in range(7)]

        assert [answer.status_code for answer in answers] == [303] * 5 + [429] * 2
        assert re.search(r"réessayez dans (5\d|60) minutes", Page(answers[-1]).text)
        assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
        assert Page(answers[-1]).values()["email"] == "encore6@alpha.example"
        assert office.find(office.school.account_ids["teacher"]).email == "encore4@alpha.example"
        assert letters(office, "encore4@alpha.example")
        assert not letters(office, "encore5@alpha.example")


def _sent(office: Office, to: str) -> MailMessage:
    return MailMessage(
        establishment_id=office.school.id,
        to=to,
        subject="x",
        sealed_body="",
        message_id="<x@cpro.example>",
        state=MailState.SENT,
        created_at=NOW,
        settled_at=NOW,
    )


def _change(office: Office, account_id: int, earlier: str, notice: str) -> AddressChange:
    return AddressChange(
        establishment_id=office.school.id,
        account_id=account_id,
        earlier=earlier,
        email=TYPED,
        notice=notice,
        requested_by="Alix GRANITE",
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )

"""Linking an account to a pupil: who could read whose records by it, and what stops them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cpro.core.drafts.models import Draft
from cpro.core.permissions import Role
from cpro.students.models import Student
from cpro.users.models import Account
from cpro.users.operations import codes
from cpro.users.sign_in_models import ActivationCode, SignIn
from tests.factories import NOW, PASSWORD, World, make_account, make_student
from tests.helpers.browser import Browser
from tests.helpers.office import CODE
from tests.helpers.pages import Page, walk
from tests.helpers.records import nothing_written, watching

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class Case:
    """An account of school A that names nobody, and a pupil without account."""

    def __init__(self, world: World, arrange: Look, platform: Look) -> None:
        self.world, self.arrange, self.platform = world, arrange, platform
        self.account_id, self.student_id = world.a.account_ids["student"], world.a.student_id

    @property
    def link(self) -> str:
        return f"/admin/utilisateurs/{self.account_id}/relier"

    @property
    def unlink(self) -> str:
        return f"/admin/utilisateurs/{self.account_id}/delier"

    def post(self, browser: Browser, address: str = "", **fields: Any) -> Any:
        browser.get("/admin/utilisateurs/")
        return browser.post(address or self.link, {"eleve": self.student_id, "current_password": PASSWORD, **fields})

    def account(self) -> Account:
        with self.platform() as session:
            return session.get_one(Account, self.account_id)

    def owner(self, student_id: int | None = None) -> int | None:
        with self.platform() as session:
            return session.get_one(Student, student_id or self.student_id).account_id

    def set(self, model: Any, row_id: int, **values: Any) -> None:
        with self.arrange() as session:
            for name, value in values.items():
                setattr(session.get_one(model, row_id), name, value)

    def add(self, row: Any) -> int:
        with self.arrange() as session:
            session.add(row)
            session.flush()
            return int(row.id)


@pytest.fixture
def case(world: World, arrange: Look, platform: Look) -> Case:
    return Case(world, arrange, platform)


class TestLinkWhoReadsWhoseRecords:
    """The branches of the attack: an account that somebody holds is linked to a pupil."""

    def test_link_who_knew_the_password_does_not_become_the_pupil(
        self, as_: As, case: Case, browser: Callable[[], Browser]
    ) -> None:
        holder = as_("student")
        assert holder.get("/eleves/moi").status_code == 200

        answer = case.post(as_("administrator"))

        assert answer.status_code == 200
        assert case.owner() == case.account_id
        assert holder.get("/eleves/moi").status_code == 303  # signed out
        assert browser().sign_in("alpha", "noe.agate", PASSWORD).status_code == 422
        assert case.account().password_hash is None

    def test_link_the_new_code_is_shown_once_and_opens_the_pupils_records(
        self, as_: As, case: Case, browser: Callable[[], Browser]
    ) -> None:
        [code] = CODE.findall(case.post(as_("administrator")).text)

        pupil = browser()
        pupil.get("/activation")
        chosen = {"password": "Basalte-et-gneiss-7", "password_confirm": "Basalte-et-gneiss-7"}
        answer = pupil.post("/activation", {"establishment": "alpha", "login": "noe.agate", "code": code, **chosen})
        assert answer.status_code == 303
        assert pupil.get("/eleves/moi").status_code in (200, 303)
        assert "SECRET-ALPHA" in pupil.get("/eleves/moi", follow_redirects=True).text.upper()

    def test_link_a_code_printed_before_opens_nothing(
        self, app: Flask, as_: As, case: Case, browser: Callable[[], Browser]
    ) -> None:
        case.set(Account, case.account_id, password_hash=None, activated_at=None)
        with case.arrange() as session:
            code = codes.create_code(session, session.get_one(Account, case.account_id), now=NOW)

        answer = case.post(as_("administrator"))

        assert answer.status_code == 303
        assert answer.location == f"/admin/utilisateurs/fiches?ids={case.account_id}"
        assert "Ce code est bon" not in browser().sign_in("alpha", "noe.agate", code).text

    def test_link_an_address_given_before_receives_no_code(self, as_: As, case: Case) -> None:
        case.set(Account, case.account_id, email="ailleurs@test.example")

        case.post(as_("administrator"))

        assert case.account().email == ""

    def test_link_a_sign_in_does_not_outlive_the_link(self, as_: As, case: Case) -> None:
        holder = as_("student")
        case.set(Student, case.student_id, account_id=case.account_id)
        assert holder.get("/eleves/moi").status_code in (200, 303)

        case.post(as_("administrator"), case.unlink)

        assert holder.get("/eleves/moi").location.startswith("/connexion")
        with case.platform() as session:
            assert not session.scalars(select(SignIn).where(SignIn.account_id == case.account_id)).all()

    def test_unlink_an_unlinked_account_reads_nothing_more(self, as_: As, case: Case) -> None:
        case.set(Student, case.student_id, account_id=case.account_id)
        case.post(as_("administrator"), case.unlink)

        holder = as_("student")

        assert holder.get(f"/eleves/{case.student_id}").status_code == 403
        assert "relié à aucun élève" in holder.get("/eleves/moi", follow_redirects=True).text

    def test_seen_links_the_head_is_notified_until_they_say_so(self, as_: As, case: Case) -> None:
        case.post(as_("administrator"))
        head = as_("head")

        assert "Vérifier les comptes reliés à un élève" in head.get("/admin/").text
        listed = Page(head.get("/admin/utilisateurs/liens")).text
        assert "Alix GRANITE a relié un compte à un élève" in listed
        assert "Secret-alpha" in listed
        assert head.post("/admin/utilisateurs/liens").status_code == 303
        assert "Vérifier les comptes" not in head.get("/admin/").text
        case.post(as_("administrator"), case.unlink)
        assert "Vérifier les comptes" in head.get("/admin/").text
        assert "Vérifier les comptes" not in as_("head", "b").get("/admin/").text

    @pytest.mark.parametrize("role", ["administrator", "teacher", "student", "support"])
    def test_seen_links_other_roles_do_not_say_the_head_has_read(self, app: Flask, as_: As, role: str) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        with nothing_written(app):
            assert browser.get("/admin/utilisateurs/liens").status_code == 403
            assert browser.post("/admin/utilisateurs/liens").status_code == 403


class TestLinkPasswordAgain:
    """Whoever would lose their password is protected as from a reset."""

    @pytest.mark.parametrize("typed", ["", "Autre-chose-1"])
    @pytest.mark.parametrize("act", ["link", "unlink"])
    def test_link_without_ones_own_password_nothing_happens(
        self, app: Flask, as_: As, case: Case, act: str, typed: str
    ) -> None:
        if act == "unlink":
            case.set(Student, case.student_id, account_id=case.account_id)
        browser = as_("administrator")

        with nothing_written(app):
            answer = case.post(browser, getattr(case, act), current_password=typed)

        assert answer.status_code == 422
        assert Page(answer).error("current_password")

    def test_link_of_an_account_never_opened_it_is_not_asked(self, as_: As, case: Case) -> None:
        case.set(Account, case.account_id, password_hash=None, activated_at=None)

        assert case.post(as_("administrator"), current_password="").status_code == 303
        assert case.owner() == case.account_id
        assert case.post(as_("administrator"), case.unlink, current_password="").status_code == 303

    def test_link_what_was_being_written_goes_with_the_link(self, as_: As, case: Case) -> None:
        case.set(Student, case.student_id, account_id=case.account_id)
        with case.arrange() as session:
            session.add(
                Draft(
                    establishment_id=case.world.a.id,
                    account_id=case.account_id,
                    token="0" * 32,
                    form="fiche",
                    object_key="new",
                    subject=f"student:{case.student_id}",
                    fields=[["title", "Secret"]],
                    turn=1,
                    began_at=NOW,
                    saved_at=NOW,
                )
            )

        case.post(as_("administrator"), case.unlink)

        with case.platform() as session:
            assert not session.scalars(select(Draft)).all()


class TestLinkRefused:
    @pytest.mark.parametrize("role", ["administrator", "head", "teacher"])
    def test_link_takes_only_a_pupils_account(self, app: Flask, as_: As, case: Case, role: str) -> None:
        browser = as_("administrator")
        case.account_id = case.world.a.account_ids[role]

        with nothing_written(app):
            assert browser.get(f"{case.link}?eleve={case.student_id}").status_code == 403
            assert case.post(browser).status_code == 403

    def test_link_leaves_a_pupil_one_account(self, app: Flask, as_: As, case: Case) -> None:
        other = case.add(make_account(case.world.a.id, Role.STUDENT))
        case.set(Student, case.student_id, account_id=other)
        browser = as_("administrator")

        with nothing_written(app):
            answer = case.post(browser)

        assert answer.status_code == 422
        assert "a déjà un compte" in Page(answer).text

    def test_link_leaves_an_account_one_pupil(self, app: Flask, as_: As, case: Case) -> None:
        other = case.add(make_student(case.world.a.id))
        case.set(Student, other, account_id=case.account_id)
        browser = as_("administrator")

        with nothing_written(app):
            assert case.post(browser).status_code == 409

        with pytest.raises(IntegrityError):  # the database's word too
            case.set(Student, case.student_id, account_id=case.account_id)

    @pytest.mark.parametrize("who", ["account", "pupil"])
    def test_link_refuses_a_departed_account_or_pupil(self, app: Flask, as_: As, case: Case, who: str) -> None:
        case.set(*((Account, case.account_id) if who == "account" else (Student, case.student_id)), is_active=False)
        browser = as_("administrator")

        with nothing_written(app):
            assert case.post(browser).status_code == 422

    def test_unlink_refuses_what_is_not_linked(self, app: Flask, as_: As, case: Case) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert browser.get(case.unlink).status_code == 409
            assert case.post(browser, case.unlink).status_code == 409

    def test_link_another_schools_account_and_pupil_do_not_exist(self, app: Flask, as_: As, case: Case) -> None:
        browser = as_("administrator")
        theirs = case.world.b

        with nothing_written(app):
            for account, student in (
                (theirs.account_ids["student"], case.student_id),
                (case.account_id, theirs.student_id),
            ):
                address = f"/admin/utilisateurs/{account}/relier"
                for answer in (
                    browser.get(f"{address}?eleve={student}"),
                    browser.post(address, {"eleve": student}),
                ):
                    assert (answer.status_code, "Secret-beta" in answer.text) == (404, False)
            assert browser.get(f"/admin/utilisateurs/{theirs.account_ids['student']}/eleve").status_code == 404
            assert browser.get(f"/admin/utilisateurs/{theirs.account_ids['student']}/delier").status_code == 404
            assert browser.get(f"/admin/eleves/{theirs.student_id}/compte").status_code == 404

    @pytest.mark.parametrize("role", ["head", "teacher", "student", "support"])
    def test_link_is_refused_to_other_roles(self, app: Flask, as_: As, case: Case, role: str) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        with nothing_written(app):
            for address in (case.link, case.unlink):
                assert browser.get(address).status_code == 403
                assert browser.post(address, {"eleve": case.student_id}).status_code == 403


class TestLink:
    def test_link_from_the_account_by_what_pages_offer(self, app: Flask, as_: As, case: Case) -> None:
        browser = as_("administrator")

        details = browser.get(f"/admin/utilisateurs/details/?id={case.account_id}").text
        choice = _link(details, "Relier à un élève")
        found = browser.get(f"{choice}?recherche=secret").text
        confirmation = browser.get(_link(found, "Relier")).text
        assert "son mot de passe est annulé" in confirmation
        with watching(app) as watch:
            answer = case.post(browser)

        assert answer.status_code == 200
        assert watch.changed == {"account", "student", "audit_entry", "activation_code"}
        assert watch.line["action"] == "account:linked"
        assert watch.line["changes"]["student"] == [None, "Zoé SECRET-ALPHA"]
        assert watch.line["changes"]["password_voided"] == [False, True]
        account = case.account()
        assert (account.first_name, account.last_name, account.login) == ("Zoé", "Secret-alpha", "noe.agate")
        assert account.search_key == "secret-alpha zoe noe.agate"
        assert (account.email, account.confirmed_email) == ("", "")

    def test_link_from_the_pupil_by_what_pages_offer(self, as_: As, case: Case) -> None:
        browser = as_("administrator")

        details = browser.get(f"/admin/eleves/details/?id={case.student_id}").text
        choice = browser.get(_link(details, "Relier un compte existant")).text
        address = _link(choice, "Relier")

        assert address == f"{case.link}?eleve={case.student_id}"
        assert "noe.agate" in choice

    def test_link_both_pages_show_the_link_and_lead_to_its_end(self, as_: As, case: Case) -> None:
        case.set(Student, case.student_id, account_id=case.account_id)
        browser = as_("administrator")

        for page in (
            f"/admin/eleves/details/?id={case.student_id}",
            f"/admin/utilisateurs/details/?id={case.account_id}",
        ):
            assert _link(browser.get(page).text, "Délier") == case.unlink
        assert "noe.agate" in browser.get(f"/admin/eleves/details/?id={case.student_id}").text
        assert "SECRET-ALPHA Zoé" in browser.get(f"/admin/utilisateurs/details/?id={case.account_id}").text
        confirmation = browser.get(case.unlink)
        assert confirmation.status_code == 200

    def test_unlink_keeps_the_pupil_and_the_account(self, app: Flask, as_: As, case: Case) -> None:
        case.set(Student, case.student_id, account_id=case.account_id)
        with case.arrange() as session:
            codes.create_code(session, session.get_one(Account, case.account_id), now=NOW)
        browser = as_("administrator")

        with watching(app) as watch:
            answer = case.post(browser, case.unlink)

        assert answer.status_code == 303
        assert case.owner() is None
        assert watch.line["changes"] == {"student": ["Zoé SECRET-ALPHA", None]}
        with case.platform() as session:
            assert all(code.spent_at for code in session.scalars(select(ActivationCode)))

    def test_choose_account_accounts_without_pupil_are_found(self, as_: As, case: Case) -> None:
        browser = as_("administrator")

        assert "noe.agate" in browser.get("/admin/utilisateurs/?etat=sans-eleve").text
        assert "Relier les comptes d’apprenants" in browser.get("/admin/").text
        case.set(Student, case.student_id, account_id=case.account_id)
        assert "noe.agate" not in browser.get("/admin/utilisateurs/?etat=sans-eleve").text

    def test_choose_student_is_searched_and_paged(self, as_: As, case: Case) -> None:
        with case.arrange() as session:
            session.add_all(make_student(case.world.a.id, last_name=f"Page{number:02}") for number in range(25))
        browser = as_("administrator")
        address = f"/admin/utilisateurs/{case.account_id}/eleve"

        first, rows = browser.get(address).text, walk(browser, address)
        assert ("PAGE00" in first, "PAGE24" in first) == (True, False)
        assert [number for row in rows for number in re.findall(r"PAGE(\d\d)", row[0])] == [
            f"{number:02}" for number in range(25)
        ]
        assert "PAGE24" in browser.get(f"{address}?lettre=page2").text
        assert "PAGE00" not in browser.get(f"{address}?recherche=page07").text
        assert "Aucun élève présent" in Page(browser.get(f"{address}?recherche=introuvable")).text
        for odd in ("0", "-1", "x", "9" * 30):
            assert browser.get(f"{address}?apres={odd}").status_code == 200


def _link(text: str, label: str) -> str:
    """Return the address of the first link of the page's content whose words begin so."""
    main = text[text.index("<main") :]
    found = re.search(rf'<a[^>]*href="([^"]+)"[^>]*>{label}', main)
    assert found, f"no link « {label} »"
    return found[1].replace("&amp;", "&")

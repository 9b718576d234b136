"""A document of activation sheets: found again for half an hour, by the browser that created it and no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.core.permissions import Role
from cpro.establishments.gate import GateClosed
from cpro.students.credential_sheets.models import KeptSheets
from cpro.students.credential_sheets.operations import Target, plan_target_sheets
from cpro.students.models import Student
from cpro.users.operations.credential_sheets import SheetsOutdated, activate_credential_sheets
from tests.factories import NOW, PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.deposits import drain
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching

ADDRESS = "/admin/utilisateurs/fiches"
As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(app: Flask, world: World, clock: Any) -> Office:
    return Office(app, world)


def post(browser: Browser, **fields: Any) -> Any:
    browser.get(ADDRESS)
    return browser.post(ADDRESS, {"layout": "8", "format": "csv", **fields})


def create_sheets(browser: Browser, **fields: Any) -> str:
    """Create sheets and return the address of the page that says so."""
    answer = post(browser, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def codes_of(browser: Browser, page: str) -> list[str]:
    answer = browser.get(f"{page}/fichier")
    assert answer.status_code == 200
    return CODE.findall(answer.data.decode())


class TestShowDocument:
    def test_show_document_the_page_says_what_was_created_and_gives_the_same_document_twice(
        self, as_: As, office: Office
    ) -> None:
        office.add_pupils(2)
        browser = as_("administrator")

        page = create_sheets(browser, division=office.school.division_id)

        shown = Page(browser.get(page)).text
        assert "2 fiches prêtes (division 2ALP)" in shown
        assert "11 h 30" in shown  # half an hour later, on the clocks of the school
        first, again = codes_of(browser, page), codes_of(browser, page)
        assert first == again
        assert len(set(first)) == 2
        assert not set(CODE.findall(browser.get(page).text)) & set(first)
        assert page in browser.get(ADDRESS).text

    @pytest.mark.parametrize("asked", ["pdf", "csv"])
    def test_show_document_in_both_formats_with_the_same_codes(self, as_: As, office: Office, asked: str) -> None:
        office.add_pupils(2)
        browser = as_("administrator")

        page = create_sheets(browser, division=office.school.division_id, format=asked)

        links = [each for each in Page(browser.get(page)).links if "/fichier" in each]
        assert len(links) == 2
        files = {browser.get(each).content_type.partition(";")[0]: browser.get(each).data for each in links}
        assert browser.get(links[0]).content_type.partition(";")[0].endswith(asked)
        text = "".join(each.extract_text() for each in PdfReader(BytesIO(files["application/pdf"])).pages)
        codes = CODE.findall(files["text/csv"].decode())
        assert len(codes) == 2
        assert {code for code in codes if code in text} == set(codes)
        assert browser.get(f"{page}/fichier?format=ods").status_code == 404

    def test_show_document_for_half_an_hour(self, as_: As, office: Office, clock: Any) -> None:
        office.add_pupils(1)
        browser = as_("administrator")
        page = create_sheets(browser, division=office.school.division_id)

        clock.move_to(NOW + timedelta(minutes=29))
        assert browser.get(page).status_code == 200
        clock.move_to(NOW + timedelta(minutes=30))

        for address in (page, f"{page}/fichier"):
            answer = browser.get(address)
            assert answer.status_code == 404
            assert "se garde 30 minutes" in Page(answer).text
            assert f'href="{ADDRESS}"' in answer.text
        assert page not in browser.get(ADDRESS).text

    def test_show_document_nothing_stored_can_be_read_without_the_cookie(
        self, app: Flask, as_: As, office: Office, platform: Look
    ) -> None:
        office.add_pupils(1)
        browser = as_("administrator")
        page = create_sheets(browser, division=office.school.division_id)
        [code] = codes_of(browser, page)

        with platform() as session:
            kept = session.scalars(select(KeptSheets)).one()
            assert code.encode() not in kept.sealed
            assert b"Identifiant" not in kept.sealed
        with browser.client.session_transaction() as cookie:
            del cookie["sheets_key"]
        assert browser.get(f"{page}/fichier").status_code == 404

    def test_show_document_the_housekeeping_deletes_it(
        self, app: Flask, as_: As, office: Office, clock: Any, platform: Look
    ) -> None:
        office.add_pupils(1)
        create_sheets(as_("administrator"), division=office.school.division_id)

        clock.move_to(NOW + timedelta(minutes=31))
        with app.app_context():
            run_housekeeping()
        drain(app)

        with platform() as session:
            assert not session.scalars(select(KeptSheets)).all()


class TestOtherPeople:
    def test_show_document_signing_out_deletes_it(self, as_: As, office: Office, platform: Look) -> None:
        office.add_pupils(1)
        browser = as_("administrator")
        page = create_sheets(browser, division=office.school.division_id)

        browser.post("/deconnexion")

        with platform() as session:
            assert not session.scalars(select(KeptSheets)).all()
        browser.sign_in("alpha", "alix.granite", PASSWORD)
        assert browser.get(f"{page}/fichier").status_code == 404

    def test_show_document_another_browser_of_the_same_person(self, as_: As, office: Office) -> None:
        office.add_pupils(1)
        page = create_sheets(as_("administrator"), division=office.school.division_id)
        other = as_("administrator")

        assert other.get(page).status_code == 404
        assert other.get(f"{page}/fichier").status_code == 404
        assert page not in other.get(ADDRESS).text

    def test_show_document_another_school_and_other_roles(self, as_: As, office: Office) -> None:
        office.add_pupils(1)
        page = create_sheets(as_("administrator"), division=office.school.division_id)

        for role, school, status in (("administrator", "b", 404), ("head", "a", 403), ("teacher", "a", 403)):
            assert as_(role, school).get(f"{page}/fichier").status_code == status

    def test_show_document_the_key_of_another_sign_in_opens_nothing(
        self, as_: As, office: Office, arrange: Look
    ) -> None:
        office.add_pupils(2)
        browser, other = as_("administrator"), as_("administrator")
        page = create_sheets(browser, division=office.school.division_id)
        [teacher] = [office.add(Role.TEACHER, password_hash=None, activated_at=None)]
        theirs = create_sheets(other, ids=str(teacher))
        with arrange() as session:
            mine = session.get_one(KeptSheets, int(page.rpartition("/")[2]))
            mine.sign_in_id = session.get_one(KeptSheets, int(theirs.rpartition("/")[2])).sign_in_id

        assert other.get(f"{page}/fichier").status_code == 404


class TestCreateSecondDocument:
    def test_create_second_document_says_first_how_many_codes_it_voids(
        self, app: Flask, as_: As, office: Office, platform: Look
    ) -> None:
        office.add_pupils(3)
        browser = as_("administrator")
        page = create_sheets(browser, division=office.school.division_id)
        before = codes_of(browser, page)
        office.add_pupils(1)

        with nothing_written(app):
            asked = post(browser, division=office.school.division_id)

        assert asked.status_code == 200
        assert "3 codes déjà créés et pas encore utilisés cessent de servir" in Page(asked).text
        assert codes_of(browser, page) == before
        again = create_sheets(browser, division=office.school.division_id, confirme="oui")
        assert len(codes_of(browser, again)) == 4
        with platform() as session:
            assert len(session.scalars(select(KeptSheets)).all()) == 1  # the codes of the other are void

    def test_create_second_document_names_whom_it_is_for_and_says_who_is_left_out(
        self, as_: As, office: Office
    ) -> None:
        office.add_pupils(12)
        office.add_pupils(1, last_name="Active", password_hash="x", activated_at=NOW)
        browser = as_("administrator")
        create_sheets(browser, division=office.school.division_id)

        page = Page(post(browser, division=office.school.division_id)).text

        named = re.search(r"Des fiches se préparent pour (.+?)\. 12 codes", page)
        assert named, page
        assert [f"ÉLÈVE{number:02d}" in named[1] for number in range(12)] == [True] * 10 + [False] * 2
        assert named[1].endswith(" et 2 autres")
        assert "ACTIVE" not in named[1]
        assert re.search(r"Sans fiche : ACTIVE Prénom \([^)]+\), compte déjà activé\.", page), page
        assert re.search(r"n’a pas encore de compte dans la division 2ALP : .+SECRET-ALPHA.+\. Sans compte", page)

    def test_create_second_document_for_one_person_names_them(self, as_: As, office: Office) -> None:
        [pupil] = office.add_pupils(1)
        browser = as_("administrator")
        create_sheets(browser, ids=str(pupil))

        assert "Une fiche se prépare pour ÉLÈVE00" in Page(post(browser, ids=str(pupil))).text

    def test_create_second_document_a_code_used_or_too_old_or_asked_by_mail_is_none(
        self, as_: As, office: Office, arrange: Look, clock: Any
    ) -> None:
        from cpro.users.models import Account
        from cpro.users.operations import codes

        [pupil] = office.add_pupils(1)
        with arrange() as session:
            account = session.get_one(Account, pupil)
            codes.create_code(session, account, now=NOW - timedelta(days=31))
            codes.create_forgotten_code(session, account, now=NOW)

        create_sheets(as_("administrator"), division=office.school.division_id)

    def test_create_second_document_a_reset_asks_the_password_on_the_same_page(
        self, app: Flask, as_: As, office: Office
    ) -> None:
        [pupil] = office.add_pupils(1)
        browser = as_("administrator")
        create_sheets(browser, ids=str(pupil))
        fields = {"ids": str(pupil), "reset": "y"}

        asked = post(browser, **fields, current_password=PASSWORD)
        assert asked.status_code == 200
        assert PASSWORD not in asked.text
        assert 'name="current_password"' in asked.text
        with nothing_written(app):
            wrong = post(browser, **fields, confirme="oui", current_password="Autre-chose-1")
        assert wrong.status_code == 422
        assert "pas le bon" in Page(wrong).text
        create_sheets(browser, **fields, confirme="oui", current_password=PASSWORD)

    def test_create_second_document_is_refused_for_accounts_that_changed(
        self, app: Flask, office: Office, world: World
    ) -> None:
        ids = office.add_pupils(2)
        batch = office.act(plan_target_sheets, target=Target(account_ids=tuple(ids)))
        office.change(ids[0], activated_at=NOW, password_hash="chosen meanwhile")

        with nothing_written(app), pytest.raises(SheetsOutdated):
            office.act(activate_credential_sheets, **{"plan": batch.plan}, about="essai")

    @pytest.mark.parametrize("missing", [{"name": ""}, {"email": ""}, {"uai": None}], ids=str)
    def test_create_second_document_is_refused_once_a_particular_is_missing(
        self, app: Flask, office: Office, world: World, missing: dict[str, Any]
    ) -> None:
        elsewhere = Office(app, world, "b")
        plans = {}
        for where in (office, elsewhere):
            target = Target(account_ids=tuple(where.add_pupils(1)))
            plans[where] = where.act(plan_target_sheets, target=target).plan
        set_school(app, world.a.id, **missing)

        with nothing_written(app), pytest.raises(GateClosed):
            office.act(activate_credential_sheets, plan=plans[office], about="essai")

        elsewhere.act(activate_credential_sheets, plan=plans[elsewhere], about="essai")


class TestChoosePeopleOfSheets:
    def test_credential_sheets_for_a_role(self, as_: As, office: Office) -> None:
        office.add_pupils(1)
        waiting = [office.add(Role.TEACHER, password_hash=None, activated_at=None, last_name=name) for name in "BA"]
        browser = as_("administrator")

        page = create_sheets(browser, pour="role", role="teacher")

        text = browser.get(f"{page}/fichier").data.decode()
        assert [office.find(each).login in text for each in waiting] == [True, True]
        assert "Élève00" not in text
        assert "2 fiches prêtes (rôle Enseignant)" in Page(browser.get(page)).text

    def test_credential_sheets_for_all_who_never_activated(self, as_: As, office: Office) -> None:
        office.add_pupils(2)
        office.add_pupils(1, password_hash="x", activated_at=NOW)
        office.add(Role.TEACHER, password_hash=None, activated_at=None)
        office.add(Role.HEAD, password_hash=None, activated_at=None)
        office.add(Role.TEACHER, password_hash=None, activated_at=None, is_active=False)
        browser = as_("administrator")

        assert len(codes_of(browser, create_sheets(browser, pour="jamais"))) == 3

    def test_credential_sheets_for_all_who_have_no_code_as_the_dashboard_counts_them(
        self, as_: As, office: Office
    ) -> None:
        holders = office.add_pupils(2)
        browser = as_("administrator")
        held = create_sheets(browser, ids=list(map(str, holders)))
        codes = codes_of(browser, held)
        without = office.add_pupils(2)

        [link] = {each for each in Page(browser.get("/admin/")).links if "pour=sans-code" in each}
        form = browser.form(link)
        assert "Tous ceux qui n’ont pas de code valable (2)" in Page(browser.get(f"{ADDRESS}?pour=sans-code")).text
        assert form["pour"] == "sans-code"
        page = create_sheets(browser, **form)

        logins = {office.find(each).login for each in without}
        text = browser.get(f"{page}/fichier?format=csv").data.decode()
        assert {login for login in logins if login in text} == logins
        assert len(CODE.findall(text)) == 2
        assert codes_of(browser, held) == codes  # those of the others are as good as before
        assert "(0)" in Page(browser.get(ADDRESS)).text

    def test_credential_sheets_for_ticked_people_and_ticked_pupils(
        self, as_: As, office: Office, platform: Look
    ) -> None:
        ids = office.add_pupils(2)
        with platform() as session:
            pupils = session.scalars(select(Student.id).where(Student.account_id.in_(ids))).all()
        browser = as_("administrator")

        for screen, rows in (("utilisateurs", ids), ("eleves", pupils)):
            browser.get(f"/admin/{screen}/")
            answer = browser.post(f"/admin/{screen}/action/", {"action": "sheets", "rowid": list(rows)})
            assert answer.status_code == 303
            form = browser.get(answer.location)
            assert "2 comptes choisis" in Page(form).text
            fields = {"confirme": "oui", ("ids" if screen == "utilisateurs" else "eleves"): list(rows)}
            assert len(codes_of(browser, create_sheets(browser, **fields))) == 2

    @pytest.mark.parametrize("fields", [{"pour": "role"}, {"pour": "role", "role": "head"}, {"pour": "tous"}])
    def test_credential_sheets_for_without_any_person_named(
        self, app: Flask, as_: As, office: Office, fields: dict[str, str]
    ) -> None:
        office.add_pupils(1)
        browser = as_("administrator")

        with nothing_written(app):
            assert post(browser, **fields).status_code == 422

    def test_credential_sheets_another_schools_pupils_do_not_exist(
        self, app: Flask, as_: As, world: World, office: Office
    ) -> None:
        Office(app, world, "b").add_pupils(1)
        browser = as_("administrator")

        with nothing_written(app):
            answers = (
                post(browser, eleves=str(world.b.student_id)),
                browser.get(f"{ADDRESS}?eleves={world.b.student_id}"),
            )

        assert [each.status_code for each in answers] == [404, 404]

    def test_credential_sheets_the_journal_holds_no_code(self, app: Flask, as_: As, office: Office) -> None:
        office.add_pupils(1)
        browser = as_("administrator")

        with watching(app) as watch:
            page = create_sheets(browser, division=office.school.division_id)

        assert not any(code in str(watch.line) for code in codes_of(browser, page))

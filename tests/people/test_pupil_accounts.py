"""Opening the accounts of pupils who have none: for one, for some, for a division, for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.core.permissions import Role
from cpro.core.ticked_rows import MOST_AT_ONCE, TooManyRows
from cpro.students.accounts import operations
from cpro.students.models import Division
from cpro.users.models import Account
from tests.factories import NOW, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import drain
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school, watching
from tests.people.conftest import logins

ADDRESS = "/admin/eleves/ouvrir-comptes"
As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def ask(browser: Browser, **fields: Any) -> TestResponse:
    """Post the address as the first step does."""
    browser.get(ADDRESS)
    return browser.post(ADDRESS, fields)


def confirm(browser: Browser, **fields: Any) -> TestResponse:
    """Go through both steps: the first page, then the form it shows as it stands."""
    first = ask(browser, **fields)
    assert first.status_code == 200, first.text
    shown = Page(first)
    form = next(each for each in shown.main.iter("form") if each.get("method") == "post")
    values = {each.get("name"): each.get("value") for each in form.iter("input") if each.get("name") != "csrf_token"}
    return browser.post(form.get("action") or "", values)


class TestOpenAccountsFirstStep:
    def test_open_accounts_says_how_many_and_who_is_left_out_and_writes_nothing(
        self, app: Flask, as_: As, pupils: list[int]
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            page = Page(ask(browser, ids=",".join(map(str, pupils))))

        assert "Ouvrir 3 comptes" in page.text
        left_out = re.findall(r"Laissé de côté : Zoé (\w+) \(31/01/2009\) a (quitté|déjà)", page.text)
        assert [why for _name, why in left_out] == ["déjà", "quitté"]
        everyone = Page(ask(browser, tous="oui")).text
        assert "Laissé de côté : 2 élèves ont déjà un compte." in everyone
        assert "Laissé de côté : 1 élève a quitté l’établissement : aucun compte ne s’ouvre plus pour lui." in everyone

    @pytest.mark.parametrize(("number", "others"), [(10, ""), (11, ""), (22, " et 12 autres.")])
    def test_open_accounts_names_the_ticked_pupils_ten_then_counts(
        self, as_: As, world: World, arrange: Look, number: int, others: str
    ) -> None:
        with arrange() as session:
            ticked = [make_student(world.a.id, last_name=f"PIERRE {each:02}") for each in range(number)]
            session.add_all(ticked)
            session.flush()
            ids = ",".join(str(each.id) for each in ticked)

        text = Page(ask(as_("administrator"), ids=ids)).text

        named = [each for each in range(number) if f"PIERRE {each:02}" in text]
        assert named == [*range(10 if others else number)]
        assert others in text

    @pytest.mark.parametrize("address", [ADDRESS, "/admin/eleves/division", "/admin/eleves/depart"])
    def test_open_accounts_and_its_neighbours_lead_back_to_the_list_as_it_was_left(
        self, app: Flask, as_: As, world: World, pupils: list[int], address: str
    ) -> None:
        set_school(app, world.a.id, uses_siecle=False)
        browser = as_("administrator")
        asked = {"ids": ",".join(map(str, pupils)), "liste": "recherche=e&lignes=50"}

        page = Page(browser.get(address, query_string=asked))

        left = next(each for each in page.main.iter("a") if (each.text or "").strip() == "Ne rien changer")
        assert left.get("href") == "/admin/eleves/?recherche=e&lignes=50"

    def test_open_accounts_a_get_shows_the_same_page(
        self, app: Flask, as_: As, world: World, pupils: list[int]
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            page = Page(browser.get(f"{ADDRESS}?division=2ALP"))

        assert "Ouvrir 2 comptes" in page.text
        assert "division 2ALP" in page.text
        named = re.search(r"Un compte s’ouvre pour (.+?)\. ", page.text)
        assert named, page.text
        assert named[1].count(" et ") == 1
        assert "s’ouvre pour" not in Page(browser.get(f"{ADDRESS}?tous=oui")).text

    def test_open_accounts_without_a_pupil_offers_divisions_and_all(self, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")

        page = browser.get(ADDRESS)

        assert page.status_code == 200
        assert "tous=oui" in page.text
        assert "division=2ALP" in page.text
        assert "division=1+CAP" in page.text or "division=1%20CAP" in page.text
        assert ask(browser).status_code == 422

    def test_open_accounts_the_gate_is_judged_here(self, app: Flask, as_: As, world: World, pupils: list[int]) -> None:
        set_school(app, world.a.id, uai=None)
        browser = as_("administrator")

        with nothing_written(app):
            posted, shown = ask(browser, tous="oui"), browser.get(f"{ADDRESS}?tous=oui")

        assert (posted.status_code, shown.status_code) == (409, 200)
        for answer in (posted, shown):
            assert "/admin/parametres/etablissement#uai" in answer.text
            assert 'name="confirme"' not in answer.text

    def test_open_accounts_no_account_left_says_why_and_leads_on(self, as_: As, pupils: list[int]) -> None:
        page = ask(as_("administrator"), ids=str(pupils[4]))

        assert page.status_code == 200
        assert "a déjà un compte" in page.text
        assert f"/admin/utilisateurs/fiches?eleves={pupils[4]}" in page.text
        assert 'name="confirme"' not in page.text


class TestOpenAccounts:
    def test_open_accounts_of_all(self, app: Flask, as_: As, world: World, pupils: list[int], platform: Look) -> None:
        browser = as_("administrator")

        with watching(app) as watch:
            answer = confirm(browser, tous="oui")

        assert answer.status_code == 303
        assert answer.location == "/admin/utilisateurs/fiches?pour=role&role=student"
        assert "3 comptes d’élèves sont ouverts" in Page(browser.get(answer.location)).text
        assert logins(platform, pupils) == ["lea.ambre2", "lea.ambre3", "elie.usage", None, "lea.ambre"]
        assert watch.changed == {"account", "student", "audit_entry"}
        assert (watch.line["action"], watch.line["changes"]) == ("accounts:opened", {"opened": [None, 3]})
        with platform() as session:
            account = session.scalars(select(Account).where(Account.login == "elie.usage")).one()
            assert (account.last_name, account.first_name, account.role) == ("Usage", "Élie", Role.STUDENT)
            assert account.password_hash is None
            assert account.search_key == "usage elie elie.usage"

    def test_open_accounts_of_a_division(self, as_: As, pupils: list[int], world: World, platform: Look) -> None:
        answer = confirm(as_("administrator"), division="2ALP")

        assert answer.location == f"/admin/utilisateurs/fiches?division={world.a.division_id}"
        assert logins(platform, pupils)[2:4] == [None, None]
        assert None not in logins(platform, pupils[:2])

    @pytest.mark.parametrize("repeated", [True, False])
    def test_open_accounts_of_some(self, as_: As, pupils: list[int], platform: Look, repeated: bool) -> None:
        wanted = [pupils[0], pupils[2]]

        answer = confirm(as_("administrator"), ids=wanted if repeated else " , ".join(map(str, wanted)))

        assert answer.status_code == 303
        assert [bool(each) for each in logins(platform, pupils)] == [True, False, True, False, True]

    def test_open_accounts_of_one_is_shown_under_the_account(self, app: Flask, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")

        with watching(app) as watch:
            confirm(browser, ids=str(pupils[2]))

        assert watch.line["action"] == "account:created"
        assert watch.line["changes"]["student"] == [None, "Élie NAISSANCE"]

    def test_open_accounts_pressed_twice_opens_once(self, app: Flask, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")
        confirm(browser, tous="oui")

        with nothing_written(app):
            again = browser.post(ADDRESS, {"tous": "oui", "confirme": "oui"})

        assert again.status_code == 200
        assert "Aucun compte n’est à ouvrir" in Page(again).text

    def test_open_accounts_of_many_is_a_workers(
        self, as_: As, pupils: list[int], platform: Look, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(operations, "AT_ONCE", 2)
        browser = as_("administrator")

        answer = confirm(browser, tous="oui")

        assert answer.location.startswith("/admin/travaux/")
        assert logins(platform, pupils)[0] is None
        drain(app)
        assert None not in logins(platform, pupils[:3])
        assert "/admin/utilisateurs/fiches?pour=role" in browser.get(answer.location).text


class TestOpenAccountsRefused:
    @pytest.mark.parametrize("fields", [{"ids": "x"}, {"ids": "1,x"}, {"division": "NULLE"}, {"ids": "9" * 30}])
    def test_open_accounts_of_what_does_not_exist(
        self, app: Flask, as_: As, pupils: list[int], fields: dict[str, str]
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            assert ask(browser, **fields, confirme="oui").status_code == 404

    def test_open_accounts_of_too_many_rows(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = ask(browser, ids=",".join(map(str, range(1, MOST_AT_ONCE + 2))), confirme="oui")
        assert (answer.status_code, Page(answer).says(TooManyRows.message)) == (422, True)

    def test_open_accounts_another_schools_pupils_and_divisions_do_not_exist(
        self, app: Flask, as_: As, world: World, pupils: list[int], arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(theirs := make_student(world.b.id, last_name="Secret-beta"))
            session.flush()
            their_id = theirs.id
        browser = as_("administrator", "a")

        with nothing_written(app):
            for fields in ({"ids": str(their_id)}, {"ids": f"{pupils[0]},{their_id}"}, {"division": "2BET"}):
                answer = ask(browser, **fields, confirme="oui")
                assert (answer.status_code, "Secret-beta" in answer.text) == (404, False)

    def test_open_accounts_of_all_is_ones_own_school(
        self, as_: As, world: World, pupils: list[int], arrange: Look, platform: Look
    ) -> None:
        with arrange() as session:
            session.add(theirs := make_student(world.b.id))
            session.flush()
            their_id = theirs.id

        confirm(as_("administrator", "a"), tous="oui")

        assert logins(platform, [their_id]) == [None]

    @pytest.mark.parametrize("role", ["head", "teacher", "student", "support"])
    def test_open_accounts_is_refused_to_other_roles(self, app: Flask, as_: As, pupils: list[int], role: str) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        with nothing_written(app):
            assert browser.get(f"{ADDRESS}?tous=oui").status_code == 403
            assert browser.post(ADDRESS, {"tous": "oui", "confirme": "oui"}).status_code == 403


class TestOpenAccountsOffered:
    def test_open_accounts_offered_on_a_pupil_and_on_ticked_ones(self, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")

        details = browser.get(f"/admin/eleves/details/?id={pupils[0]}")
        assert f"{ADDRESS}?ids={pupils[0]}" in details.text
        browser.get("/admin/eleves/")
        bulk = browser.post("/admin/eleves/action/", {"action": "open-accounts", "rowid": pupils[:2]})

        assert bulk.status_code == 303
        page = Page(browser.get(bulk.location))
        assert "Ouvrir 2 comptes" in page.text

    def test_open_accounts_offered_on_a_division_and_for_all(self, as_: As, pupils: list[int], world: World) -> None:
        browser = as_("administrator")

        assert f"{ADDRESS}?division=2ALP" in browser.get("/admin/divisions/").text
        assert f"{ADDRESS}?division=2ALP" in browser.get(f"/admin/divisions/details/?id={world.a.division_id}").text
        assert "Ouvrir les comptes de tous (3)" in Page(browser.get("/admin/eleves/")).text
        assert ADDRESS in browser.get("/admin/").text

    def test_open_accounts_offered_from_the_sheets_when_no_pupil_has_one(
        self, as_: As, pupils: list[int], platform: Look
    ) -> None:
        with platform() as session:
            other = session.scalars(select(Division).where(Division.code == "1 CAP")).one().id
        browser = as_("administrator")

        shown = browser.get(f"/admin/utilisateurs/fiches?division={other}")
        refused = browser.post("/admin/utilisateurs/fiches", {"division": other, "layout": "8", "format": "csv"})

        for answer, status in ((shown, 200), (refused, 422)):
            assert answer.status_code == status
            assert "1 élève présent n’a pas encore de compte" in Page(answer).text
            assert f"{ADDRESS}?division=1+CAP" in answer.text.replace("%20", "+")

    @pytest.mark.parametrize("role", ["head", "support"])
    def test_open_accounts_offered_not_to_those_who_only_read(
        self, as_: As, pupils: list[int], world: World, role: str
    ) -> None:
        browser = as_(role, enter="a" if role == "support" else None)

        for page in (
            "/admin/eleves/",
            "/admin/divisions/",
            f"/admin/eleves/details/?id={pupils[0]}",
            f"/admin/divisions/details/?id={world.a.division_id}",
            "/admin/",
        ):
            assert ADDRESS not in browser.get(page).text, page

    def test_open_accounts_offered_nothing_once_each_pupil_has_one(self, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")
        confirm(browser, tous="oui")

        assert "Ouvrir les comptes de tous" not in browser.get("/admin/eleves/").text
        assert ADDRESS not in browser.get("/admin/divisions/").text
        assert "Chaque élève présent a déjà un compte" in Page(browser.get(ADDRESS)).text

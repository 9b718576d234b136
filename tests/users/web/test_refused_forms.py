"""What was typed in a refused form comes back when its page is asked for: to the same person, in one sign-in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.users.operations.parked_forms import MAX_CHARACTERS, MAX_REFUSED
from cpro.users.sign_in_models import ParkedForm
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

SETTINGS = "/admin/parametres"
PARTICULARS, MANDATES = f"{SETTINGS}/etablissement", f"{SETTINGS}/inspecteurs"
As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
NOT_SAVED = "Votre saisie n’est pas encore enregistrée"
REFUSED = {"name": "Lycée tapé", "phone": "trop court"}


def refuse(browser: Browser, path: str = PARTICULARS, **typed: str) -> TestResponse:
    """Post a form that a rule refuses."""
    answer = browser.post(path, {**browser.form(path), **(typed or REFUSED)})
    assert answer.status_code == 422
    return answer


def parked(platform: Look) -> list[object]:
    """Return the fields of every form that is kept."""
    with platform() as session:
        return list(session.scalars(select(ParkedForm.fields)))


def page_of(answer: TestResponse) -> str | None:
    """Return the address that the browser takes the answer for."""
    found = re.search(r'<meta name="cpro-page" content="([^"]+)">', answer.text)
    return found[1] if found else None


class TestRefusedForm:
    def test_refused_form_comes_back_with_what_is_said_of_it(self, as_: As) -> None:
        browser = as_("administrator")
        refused = refuse(browser)

        page = Page(browser.get(PARTICULARS))

        assert page_of(refused) == PARTICULARS
        assert f'<noscript><meta http-equiv="refresh" content="0;url={PARTICULARS}"></noscript>' in refused.text
        assert NOT_SAVED in page.text
        assert (page.values()["name"], page.values()["phone"]) == ("Lycée tapé", "trop court")
        assert page.error("phone") == Page(refused).error("phone") != ""

    def test_refused_form_is_no_more_once_saved(self, platform: Look, as_: As) -> None:
        browser = as_("administrator")
        refuse(browser)

        assert browser.post(PARTICULARS, {**browser.form(PARTICULARS), "phone": "0387000000"}).status_code == 303

        page = Page(browser.get(PARTICULARS))
        assert NOT_SAVED not in page.text
        assert page.values()["name"] == "Lycée tapé"
        assert parked(platform) == []

    def test_refused_form_is_no_more_once_given_up(self, platform: Look, as_: As, world: World) -> None:
        browser = as_("administrator")
        refuse(browser)
        link = next(each for each in Page(browser.get(PARTICULARS)).main.iter("a") if "Abandonner" in (each.text or ""))

        given_up = Page(browser.get(link.get("href") or ""))

        assert given_up.values()["name"] == world.a.name
        assert NOT_SAVED not in Page(browser.get(PARTICULARS)).text
        assert parked(platform) == []

    def test_refused_form_is_its_page_alone(self, as_: As) -> None:
        browser = as_("administrator")
        refuse(browser)

        assert NOT_SAVED not in browser.get(f"{SETTINGS}/transferts").text
        assert NOT_SAVED not in browser.get(f"{PARTICULARS}?autre=1").text

    @pytest.mark.parametrize("who", ["head", "administrator"])
    def test_refused_form_is_its_sign_in_alone(self, as_: As, who: str) -> None:
        refuse(as_("administrator"))

        other = Page(as_(who).get(PARTICULARS))

        assert NOT_SAVED not in other.text
        assert other.values()["name"] != "Lycée tapé"

    @pytest.mark.parametrize("login", ["alix.granite", "claude.basalte"])
    def test_refused_form_ends_with_the_sign_in_on_a_shared_computer(
        self, platform: Look, as_: As, world: World, login: str
    ) -> None:
        browser = as_("administrator")
        refuse(browser)
        browser.post("/deconnexion")
        assert parked(platform) == []

        assert browser.sign_in(world.a.code, login, PASSWORD).status_code == 303

        page = browser.get(PARTICULARS).text
        assert NOT_SAVED not in page and "Lycée tapé" not in page

    def test_refused_form_waits_two_hours(self, as_: As) -> None:
        with time_machine.travel(datetime(2026, 11, 23, 8, 0, tzinfo=UTC), tick=False) as traveller:
            browser = as_("administrator")
            refuse(browser)
            for _ in range(5):
                traveller.shift(timedelta(minutes=25))
                page = browser.get("/mon-compte")
                assert page.status_code == 200
            assert NOT_SAVED not in browser.get(PARTICULARS).text

    def test_refused_form_keeps_no_secret(self, platform: Look, as_: As) -> None:
        browser = as_("administrator")
        refuse(browser, name="Lycée tapé", phone="x", current_password="Secret-secret-42", **{"#phone": "inventé"})

        (kept,) = parked(platform)
        assert "Secret-secret-42" not in str(kept) and "csrf_token" not in str(kept)
        assert "inventé" not in browser.get(PARTICULARS).text

    def test_refused_form_that_is_too_long_is_shown_once(self, platform: Look, as_: As) -> None:
        browser = as_("administrator")

        answer = refuse(browser, name="x" * (MAX_CHARACTERS + 1))

        assert parked(platform) == []
        assert 'http-equiv="refresh"' not in answer.text, "the page asked anew would not show it"

    def test_refused_form_only_the_latest_are_kept(self, platform: Look, as_: As) -> None:
        browser = as_("administrator")
        for number in range(MAX_REFUSED + 3):
            assert browser.post(f"{PARTICULARS}?n={number}", REFUSED).status_code == 422

        assert len(parked(platform)) == MAX_REFUSED

    def test_refused_form_a_creation_and_a_correction_come_back_apart(self, as_: As, world: World) -> None:
        browser = as_("administrator")
        new, edit = "/admin/utilisateurs/new/", f"/admin/utilisateurs/edit/?id={world.a.account_ids['teacher']}"
        refuse(browser, new, last_name="Nouveau", role="teacher", first_name="", email="x")
        refuse(browser, edit, last_name="Ancien", role="teacher", email="y")

        pages = [Page(browser.get(address)) for address in (new, edit)]

        assert [page.values()["last_name"] for page in pages] == ["Nouveau", "Ancien"]
        assert all(NOT_SAVED in page.text for page in pages)

    def test_refused_form_a_mandate_comes_back(self, as_: As) -> None:
        head = as_("head")
        refuse(head, MANDATES, name="Dominique Schiste", email="dominique@gmail.example", purpose="Une visite")

        text = head.get(MANDATES).text
        assert NOT_SAVED in text
        assert "Dominique Schiste" in text and "Une visite" in text


class TestRefusedFormConflict:
    def test_refused_form_conflict_comes_back_with_its_choices(self, as_: As) -> None:
        first, second = as_("administrator"), as_("head")
        opened = second.form(PARTICULARS)
        first.post(PARTICULARS, {**first.form(PARTICULARS), "city": "Metz", "academy": "Nancy-Metz"})
        asked = second.post(PARTICULARS, {**opened, "city": "Nancy"})
        assert asked.status_code == 409

        page = Page(second.get(PARTICULARS))

        assert page.clashes() == Page(asked).clashes() != []
        assert "avait changé « Académie » entre-temps" in page.text
        answer = second.post(PARTICULARS, {**page.values(), "choix-city": "enregistre"})
        assert answer.status_code == 303
        assert second.form(PARTICULARS)["city"] == "Metz"


class TestRefusedFormOtherAnswers:
    def test_refused_form_a_confirmation_stands_for_the_form_it_confirms(self, as_: As) -> None:
        browser, url = as_("administrator"), f"{SETTINGS}/transferts"
        browser.post(url, {"cnil_reference": "1679866", "transfers_enabled": "oui"})

        asked = browser.post(url, {**browser.form(url), "transfers_enabled": "non"})

        assert asked.status_code == 200
        assert page_of(asked) == url
        assert "http-equiv" not in asked.text, "without script, it must stay to be answered"
        assert Page(browser.get(url)).values()["transfers_enabled"] == "non"

    def test_refused_form_a_confirmation_given_up_forgets_what_it_would_have_saved(self, as_: As) -> None:
        browser, url = as_("administrator"), f"{SETTINGS}/transferts"
        browser.post(url, {"cnil_reference": "1679866", "transfers_enabled": "oui"})
        asked = browser.post(url, {**browser.form(url), "transfers_enabled": "non"})
        links = Page(asked).main.iter("a")
        back = next(each.get("href") or "" for each in links if (each.text or "").strip() == "Ne rien changer")

        for address in (back, url):
            page = Page(browser.get(address))
            assert page.values()["transfers_enabled"] == "oui", address
            assert NOT_SAVED not in page.text

    @pytest.mark.parametrize("came_from", [None, f"http://localhost{SETTINGS}/logo"])
    def test_refused_form_what_weighs_too_much_says_so_on_the_page_it_came_from(
        self, as_: As, came_from: str | None
    ) -> None:
        browser = as_("administrator")
        browser.get(PARTICULARS)
        headers = {"Referer": came_from} if came_from else {}
        answer = browser.post(PARTICULARS, {"name": "y" * 12_000_000}, headers=headers)

        page = Page(browser.get(page_of(answer) or ""))

        assert answer.status_code == 413
        assert page_of(answer) == f"{f'{SETTINGS}/logo' if came_from else PARTICULARS}?refus=413"
        assert "trop volumineux" in page.alerts[0]

    @pytest.mark.parametrize("came_from", ["https://evil.example/x", "//evil.example", "javascript:alert(1)", ""])
    def test_refused_form_no_address_of_elsewhere_is_sent(self, as_: As, came_from: str) -> None:
        answer = as_("administrator").post(
            f"{SETTINGS}/logo/televerser/logo", {}, headers={"Referer": came_from} if came_from else {}
        )

        assert answer.status_code == (403 if came_from else 422)
        assert page_of(answer) is None

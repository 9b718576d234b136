"""What was typed when the sign-in ended comes back: to the same person, on the same page, never applied by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from cpro.establishments.models import Establishment
from cpro.masks.models import Mask
from cpro.users.sign_in_models import ParkedForm
from tests.factories import PASSWORD, World, make_diploma
from tests.helpers.browser import Browser
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
PARTICULARS = "/admin/parametres/etablissement"
TRANSFERS = "/admin/parametres/transferts"
MASKS = "/admin/parametres/masques?diplome=40025520"
#: What browsers say of a form sent from one of our own pages.
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
TYPED = "Lycée tapé trop tard"
COMES_BACK = "Saisie retrouvée"


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def too_late(as_: Callable[..., Browser], clock_: time_machine.Traveller) -> Callable[..., Browser]:
    """Return a maker of browsers whose form arrived after thirty-one minutes of silence."""

    def post(
        role: str = "administrator", path: str = PARTICULARS, headers: dict[str, str] | None = None, **typed: str
    ) -> Browser:
        browser = as_(role)
        fields = {**browser.form(path), **(typed or {"name": TYPED})}
        clock_.shift(timedelta(minutes=31))
        browser.answer = browser.post(path, fields, headers=OURS if headers is None else headers)  # type: ignore[attr-defined]
        return browser

    return post


def answer_to(browser: Browser) -> TestResponse:
    """Return what the late form was answered."""
    return browser.answer  # type: ignore[attr-defined,no-any-return]


def sign_in_again(browser: Browser, login: str = "alix.granite", school: str = "alpha") -> TestResponse:
    """Sign in where the late form led."""
    target = answer_to(browser).location
    browser.get(target)
    return browser.post(target, {"establishment": school, "login": login, "password": PASSWORD})


class TestParkedFormOfThePerson:
    def test_parked_form_leads_to_the_sign_in_and_says_what_will_happen(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late()

        assert answer_to(browser).status_code == 303
        assert answer_to(browser).location.startswith("/connexion?suite=")
        page = browser.get(answer_to(browser).location).text
        assert "Ce que vous aviez saisi vous sera présenté après la connexion" in page
        assert TYPED not in page

    def test_parked_form_comes_back_and_is_not_applied(
        self, too_late: Callable[..., Browser], desk: Desk, world: World
    ) -> None:
        browser = too_late(city="Ville tapée", name=TYPED)

        landed = sign_in_again(browser)

        assert (landed.status_code, landed.location) == (303, PARTICULARS)
        page = browser.get(PARTICULARS).text
        assert COMES_BACK in page
        assert f'value="{TYPED}"' in page
        assert 'value="Ville tapée"' in page
        assert world.a.name in [school.name for school in desk.rows(Establishment)]

    def test_parked_form_is_saved_once_validated_and_comes_back_no_more(
        self, too_late: Callable[..., Browser], desk: Desk
    ) -> None:
        browser = too_late()
        sign_in_again(browser)

        saved = browser.post(PARTICULARS, browser.form(PARTICULARS))

        assert (saved.status_code, saved.location) == (303, PARTICULARS)
        assert TYPED in [school.name for school in desk.rows(Establishment)]
        assert COMES_BACK not in browser.get(PARTICULARS).text

    def test_parked_form_waits_while_one_looks_elsewhere(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late()
        sign_in_again(browser)

        assert TYPED not in browser.get(TRANSFERS).text
        assert TYPED in browser.get(PARTICULARS).text
        assert TYPED in browser.get(PARTICULARS).text, "reading it twice does not lose it"

    def test_parked_form_can_be_given_up(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late()
        sign_in_again(browser)

        given_up = browser.get(PARTICULARS + "?abandonner=1").text

        assert TYPED not in given_up
        assert TYPED not in browser.get(PARTICULARS).text

    def test_parked_form_keeps_refused_values_as_they_were_typed(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late(uai="0940321S", email="a@b")
        sign_in_again(browser)

        page = browser.get(PARTICULARS).text

        assert 'value="0940321S"' in page
        assert 'value="a@b"' in page

    def test_parked_form_of_the_transfers_tab_comes_back(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late("head", TRANSFERS, cnil_reference="1679866 v 0", transfers_enabled="oui")
        sign_in_again(browser, "claude.basalte")

        form = browser.form(TRANSFERS)

        assert (form["cnil_reference"], form["transfers_enabled"]) == ("1679866 v 0", "oui")

    def test_parked_form_of_the_masks_comes_back_on_its_diploma_alone(
        self, too_late: Callable[..., Browser], desk: Desk
    ) -> None:
        from cpro.core.transactions import platform_unit_of_work

        with desk.app.app_context(), platform_unit_of_work("test") as work:
            work.session.add(make_diploma(code="50022137", label="CAP cuisine", short_label="CAP cuisine"))
        browser = too_late("administrator", MASKS, problematic="Intitulé tapé")

        landed = sign_in_again(browser)

        assert landed.location == MASKS
        assert "Intitulé tapé" not in browser.get("/admin/parametres/masques?diplome=50022137").text
        assert browser.form(MASKS)["problematic"] == "Intitulé tapé"
        assert "Intitulé tapé" not in [mask.wording for mask in desk.rows(Mask)]

    def test_parked_form_comes_back_when_the_expired_sign_in_was_swept_meanwhile(
        self, as_: Callable[..., Browser], clock_: time_machine.Traveller
    ) -> None:
        browser = as_("administrator")
        fields = {**browser.form(PARTICULARS), "name": TYPED}
        clock_.shift(timedelta(minutes=31))
        as_("teacher", "b")
        browser.answer = browser.post(PARTICULARS, fields, headers=OURS)  # type: ignore[attr-defined]

        sign_in_again(browser)

        assert TYPED in browser.get(PARTICULARS).text


class TestParkedFormOfAnotherPerson:
    @pytest.mark.parametrize(
        ("login", "school"), [("claude.basalte", "alpha"), ("alix.granite", "beta"), ("ines.quartz", "alpha")]
    )
    def test_parked_form_of_another_person_is_not_shown(
        self, too_late: Callable[..., Browser], login: str, school: str
    ) -> None:
        browser = too_late()

        landed = sign_in_again(browser, login, school)

        assert landed.status_code == 303
        assert TYPED not in browser.get(PARTICULARS).text

    def test_parked_form_is_not_shown_even_when_the_expired_sign_in_was_swept_meanwhile(
        self, as_: Callable[..., Browser], clock_: time_machine.Traveller
    ) -> None:
        browser = as_("administrator")
        fields = {**browser.form(PARTICULARS), "name": TYPED}
        clock_.shift(timedelta(minutes=31))
        as_("teacher", "b")
        browser.answer = browser.post(PARTICULARS, fields, headers=OURS)  # type: ignore[attr-defined]

        sign_in_again(browser, "claude.basalte")

        assert TYPED not in browser.get(PARTICULARS).text

    def test_parked_form_waits_for_its_owner_until_a_sign_out(self, too_late: Callable[..., Browser]) -> None:
        browser = too_late()
        sign_in_again(browser, "claude.basalte")
        browser.get("/mon-compte")
        browser.sign_in("alpha", "alix.granite", PASSWORD)
        assert TYPED in browser.get(PARTICULARS).text

        browser.post("/deconnexion")
        browser.sign_in("alpha", "alix.granite", PASSWORD)

        assert TYPED not in browser.get(PARTICULARS).text

    def test_parked_form_is_not_shown_in_another_browser(
        self, too_late: Callable[..., Browser], as_: Callable[..., Browser]
    ) -> None:
        too_late()

        assert TYPED not in as_("administrator").get(PARTICULARS).text


class TestParkedFormNotKept:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "http://localhost.evil.example"},
        ],
    )
    @pytest.mark.parametrize("with_token", [True, False])
    def test_parked_form_not_kept_a_form_of_another_site(
        self,
        as_: Callable[..., Browser],
        clock_: time_machine.Traveller,
        desk: Desk,
        headers: dict[str, str],
        with_token: bool,
    ) -> None:
        browser = as_("administrator")
        browser.get(PARTICULARS)
        clock_.shift(timedelta(minutes=31))

        answer = browser.post(PARTICULARS, {"name": TYPED}, headers=headers, token=with_token)

        assert answer.status_code == (403 if "//" in headers.get("Origin", "") else 303)
        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_a_form_of_another_site_posted_while_signed_in(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        browser = as_("administrator")

        answer = browser.post(
            PARTICULARS,
            {"name": TYPED},
            headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            token=False,
        )

        assert answer.status_code == 403
        assert desk.rows(ParkedForm) == []
        assert TYPED not in [school.name for school in desk.rows(Establishment)]

    def test_parked_form_not_kept_a_form_that_no_browser_vouches_for_without_its_token(
        self, as_: Callable[..., Browser], clock_: time_machine.Traveller, desk: Desk
    ) -> None:
        browser = as_("administrator")
        clock_.shift(timedelta(minutes=31))

        browser.post(PARTICULARS, {"name": TYPED}, token=False)

        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_passwords_codes_and_tokens(
        self, too_late: Callable[..., Browser], desk: Desk
    ) -> None:
        secrets = {"password": "s3cret-1", "password_confirm": "s3cret-2", "current_password": "s3cret-3", "code": "s3"}

        too_late(name=TYPED, **secrets)

        [parked] = desk.rows(ParkedForm)
        names = {name for name, _ in parked.fields}
        assert "name" in names
        assert not names & {*secrets, "csrf_token"}
        assert "s3cret" not in str(parked.fields)

    def test_parked_form_not_kept_the_form_of_ones_own_password(
        self, as_: Callable[..., Browser], clock_: time_machine.Traveller, desk: Desk
    ) -> None:
        browser = as_("administrator")
        browser.get("/mon-compte")
        clock_.shift(timedelta(minutes=31))

        answer = browser.post("/mon-compte", {"current_password": PASSWORD, "password": "x"}, headers=OURS)

        assert answer.status_code == 303
        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_of_somebody_who_may_not_post_it(
        self, as_: Callable[..., Browser], desk: Desk, clock_: time_machine.Traveller
    ) -> None:
        teacher = as_("teacher")
        clock_.shift(timedelta(minutes=31))

        assert teacher.post(PARTICULARS, {"name": TYPED}, headers=OURS).status_code == 303

        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_with_a_stale_token_of_somebody_who_may_not_post_it(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        assert as_("teacher").post(PARTICULARS, {"name": TYPED}, headers=OURS, token=False).status_code == 403

        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_of_a_disabled_account(
        self, as_: Callable[..., Browser], desk: Desk, clock_: time_machine.Traveller
    ) -> None:
        browser = as_("administrator")
        fields = browser.form(PARTICULARS)
        desk.change("administrator", is_active=False)

        browser.post(PARTICULARS, fields, headers=OURS)

        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_more_than_five_times_for_one_person(
        self, too_late: Callable[..., Browser], desk: Desk, clock_: time_machine.Traveller
    ) -> None:
        browser = too_late()
        for number in range(8):
            clock_.shift(timedelta(seconds=1))
            browser.post(PARTICULARS, {"name": f"{TYPED} {number}"}, headers=OURS)

        assert {dict(row.fields)["name"][-1] for row in desk.rows(ParkedForm)} == set("34567")

    def test_parked_form_not_kept_more_than_any_form_holds(self, too_late: Callable[..., Browser], desk: Desk) -> None:
        browser = too_late(name="x" * 310_000)

        assert answer_to(browser).status_code == 303
        assert desk.rows(ParkedForm) == []

    def test_parked_form_not_kept_after_two_hours(
        self, too_late: Callable[..., Browser], clock_: time_machine.Traveller
    ) -> None:
        browser = too_late()
        clock_.shift(timedelta(hours=2, seconds=1))

        landed = sign_in_again(browser)

        assert landed.location == PARTICULARS
        assert TYPED not in browser.get(PARTICULARS).text


class TestTokenOfAnotherSignIn:
    def test_parked_form_token_of_another_sign_in_shows_the_form_again_unapplied(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        """Two tabs: the sign-in ended and began again in one, the other still holds the old token."""
        browser = as_("administrator")
        fields: dict[str, Any] = {**browser.form(PARTICULARS), "name": TYPED, "csrf_token": "stale"}

        answer = browser.post(PARTICULARS, fields, headers=OURS, token=False)

        assert (answer.status_code, answer.location) == (303, PARTICULARS)
        assert f'value="{TYPED}"' in browser.get(PARTICULARS).text
        assert TYPED not in [school.name for school in desk.rows(Establishment)]

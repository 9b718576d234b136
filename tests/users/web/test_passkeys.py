"""Passkeys: added after a code, given in place of one; refused from another site, sign-in or person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.audit.models import AuditEntry
from cpro.users.operations import throttle
from cpro.users.passkeys.models import Passkey
from cpro.users.passkeys.operations import MOST
from cpro.users.sign_in_models import SecondFactor
from tests.factories import PASSWORD
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.passkeys import Device
from tests.helpers.phone import AGAIN, CODE, PAGE, Phone
from tests.helpers.records import nothing_written
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
ORIGIN = "http://localhost"
KEYS = f"{PAGE}/cles"
As = Callable[..., Browser]


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def public_url(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish the site where the test's browsers open it."""
    monkeypatch.setitem(app.config, "CPRO_PUBLIC_URL", ORIGIN)


@pytest.fixture
def phone(app: Flask, as_: As, clock_: time_machine.Traveller) -> Phone:
    return Phone(app, as_("head"), clock_)


def add(browser: Browser, device: Device, name: str = "Clé USB", **said: str) -> TestResponse:
    """Add the key of a device to one's own account."""
    options = browser.post(f"{KEYS}/defi").json
    assert options is not None and "challenge" in options, options
    return browser.post(KEYS, {"name": name, "passkey": device.make(options, **said)})


@pytest.fixture
def device(phone: Phone) -> Device:
    """Return the device whose key was added to the head's account."""
    made = Device(ORIGIN)
    assert add(phone.browser, made).status_code == 303
    return made


def ask(browser: Browser, page: str = CODE) -> dict[str, Any]:
    """Return what the script of a page is answered."""
    answer = browser.post(f"{page}/defi", headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


class TestAdd:
    def test_add_names_the_key_and_records_it(self, phone: Phone, device: Device, desk: Desk) -> None:
        page = Page(phone.browser.get(KEYS)).text

        assert "Clé USB" in page
        assert "jamais" in page
        [row] = desk.rows(Passkey)
        assert (row.account_id, row.establishment_id) == (desk.account("head").id, desk.world.a.id)
        assert "account:passkey:added" in [line.action for line in desk.rows(AuditEntry)]

    def test_add_several_up_to_ten(self, phone: Phone, device: Device, desk: Desk) -> None:
        for number in range(2, MOST + 1):
            assert add(phone.browser, Device(ORIGIN), f"Clé {number}").status_code == 303

        assert phone.browser.post(f"{KEYS}/defi", headers={"Accept": "application/json"}).status_code == 409
        assert len(desk.rows(Passkey)) == MOST

    @pytest.mark.parametrize("role", ["teacher", "support", "inspector"])
    def test_add_is_offered_to_everybody(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, desk: Desk, role: str
    ) -> None:
        made = Phone(app, as_(role), clock_)

        assert add(made.browser, Device(ORIGIN)).status_code == 303
        assert len(desk.rows(Passkey)) == 1

    def test_add_waits_for_a_second_factor(self, app: Flask, as_: As) -> None:
        browser = as_("head")
        assert "Activez d’abord votre second facteur" in Page(browser.get(KEYS)).text

        with nothing_written(app):
            assert browser.post(f"{KEYS}/defi").status_code == 409
            assert browser.post(KEYS, {"name": "Clé", "passkey": "{}"}).status_code == 409

    def test_add_asks_for_a_code_again(self, app: Flask, phone: Phone) -> None:
        phone.clock.shift(timedelta(minutes=15))
        phone.browser.get(PAGE)

        with nothing_written(app):
            assert phone.browser.get(KEYS).location.startswith(AGAIN)
            assert phone.browser.post(f"{KEYS}/defi", headers={"Accept": "application/json"}).status_code == 403
            assert phone.browser.post(f"{KEYS}/1/supprimer").location.startswith(AGAIN)

    @pytest.mark.parametrize(
        "said",
        [
            {"origin": "https://cpro.example.evil"},
            {"origin": "http://localhost:8080"},
            {"type": "webauthn.get"},
            {"challenge": "AAAA"},
        ],
    )
    def test_add_refuses_another_site_page_or_challenge(self, phone: Phone, desk: Desk, said: dict[str, str]) -> None:
        answer = add(phone.browser, Device(ORIGIN), **said)

        assert answer.status_code == 422
        assert "La clé n’a pas été ajoutée" in Page(answer).text
        assert desk.rows(Passkey) == []

    def test_add_refuses_a_key_made_for_another_site(self, phone: Phone, desk: Desk) -> None:
        assert add(phone.browser, Device(ORIGIN, party_id="example.org")).status_code == 422
        assert desk.rows(Passkey) == []

    def test_add_refuses_a_public_key_that_is_no_point_of_its_curve(self, phone: Phone, desk: Desk) -> None:
        forged = Device(ORIGIN)
        forged.off_the_curve = True

        answer = add(phone.browser, forged)

        assert answer.status_code == 422
        assert "La clé n’a pas été ajoutée" in Page(answer).text
        assert desk.rows(Passkey) == []

    def test_add_refuses_the_same_answer_twice(self, phone: Phone, desk: Desk) -> None:
        options = phone.browser.post(f"{KEYS}/defi").json
        typed = {"name": "Clé", "passkey": Device(ORIGIN).make(options)}  # type: ignore[arg-type]
        assert phone.browser.post(KEYS, typed).status_code == 303

        assert phone.browser.post(KEYS, typed).status_code == 422
        assert len(desk.rows(Passkey)) == 1

    def test_add_refuses_a_key_that_somebody_has(
        self, app: Flask, device: Device, as_: As, clock_: time_machine.Traveller, desk: Desk
    ) -> None:
        other = Phone(app, as_("administrator"), clock_)

        assert add(other.browser, device).status_code == 422
        assert len(desk.rows(Passkey)) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            *("", "{", "[]", "null", '{"id": 3}', '{"id": "\\u0000"}', '{"id": "\\ud800"}', "[" * 5000, "x" * 20_001),
            '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
        ],
    )
    def test_add_and_ask_refuse_what_is_no_answer(self, phone: Phone, device: Device, answer: str) -> None:
        phone.browser.post(f"{KEYS}/defi")
        assert phone.browser.post(KEYS, {"name": "Clé", "passkey": answer}).status_code == 422
        waiting = phone.give_password()
        ask(waiting)
        assert waiting.post(CODE, {"passkey": answer}).status_code == 422

    @pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\x00b"])
    def test_add_refuses_what_is_no_name(self, app: Flask, phone: Phone, name: str) -> None:
        options = phone.browser.post(f"{KEYS}/defi").json

        answer = phone.browser.post(KEYS, {"name": name, "passkey": Device(ORIGIN).make(options)})  # type: ignore[arg-type]

        assert answer.status_code == 422


class TestAsk:
    def test_ask_opens_the_account_as_a_code_does(self, phone: Phone, device: Device, desk: Desk) -> None:
        browser = phone.give_password()
        assert "Utiliser une clé d’accès" in browser.get(CODE).text

        answer = browser.post(CODE, {"passkey": device.sign(ask(browser))})

        assert (answer.status_code, answer.location) == (303, "/")
        assert browser.get("/mon-compte").status_code == 200
        [row] = desk.rows(Passkey)
        assert (row.sign_count, row.last_used_at) == (1, datetime.now(UTC))

    def test_ask_an_answer_serves_once(self, phone: Phone, device: Device) -> None:
        device.counts = False  # what counts nothing is refused for its challenge alone
        browser = phone.give_password()
        answer = device.sign(ask(browser))
        stranger = phone.give_password()
        assert browser.post(CODE, {"passkey": answer}).status_code == 303

        assert stranger.post(CODE, {"passkey": answer}).status_code == 422
        ask(stranger)
        assert stranger.post(CODE, {"passkey": answer}).status_code == 422

    def test_ask_a_challenge_is_spent_by_a_wrong_answer(self, phone: Phone, device: Device) -> None:
        browser = phone.give_password()
        options = ask(browser)
        assert browser.post(CODE, {"passkey": device.sign(options, origin="https://evil.example")}).status_code == 422

        assert browser.post(CODE, {"passkey": device.sign(options)}).status_code == 422

    def test_ask_a_challenge_waits_five_minutes(self, phone: Phone, device: Device) -> None:
        browser = phone.give_password()
        options = ask(browser)
        phone.clock.shift(timedelta(minutes=5, seconds=1))

        assert browser.post(CODE, {"passkey": device.sign(options)}).status_code == 422

    @pytest.mark.parametrize(
        "said",
        [{"origin": "https://localhost"}, {"origin": "http://evil.example"}, {"type": "webauthn.create"}],
    )
    def test_ask_refuses_another_site(self, phone: Phone, device: Device, said: dict[str, str]) -> None:
        browser = phone.give_password()

        answer = browser.post(CODE, {"passkey": device.sign(ask(browser), **said)})

        assert answer.status_code == 422
        assert "n’a pas été reconnue" in Page(answer).text

    def test_ask_refuses_what_was_signed_for_another_site(self, phone: Phone, device: Device) -> None:
        browser, device.party_id = phone.give_password(), "example.org"

        assert browser.post(CODE, {"passkey": device.sign(ask(browser))}).status_code == 422

    def test_ask_refuses_another_persons_key(
        self, app: Flask, phone: Phone, device: Device, as_: As, clock_: time_machine.Traveller
    ) -> None:
        other = Device(ORIGIN)
        assert add(Phone(app, as_("administrator"), clock_).browser, other).status_code == 303
        browser = phone.give_password()

        assert browser.post(CODE, {"passkey": other.sign(ask(browser))}).status_code == 422

    def test_ask_refuses_a_copy_of_a_device_that_counts(self, phone: Phone, device: Device) -> None:
        device.signed = 7
        first = phone.give_password()
        assert first.post(CODE, {"passkey": device.sign(ask(first))}).status_code == 303
        copied = phone.give_password()
        device.signed = 4

        assert copied.post(CODE, {"passkey": device.sign(ask(copied))}).status_code == 422

    def test_ask_refuses_another_signature(self, phone: Phone, device: Device) -> None:
        forged = Device(ORIGIN)
        forged.id = device.id
        browser = phone.give_password()

        assert browser.post(CODE, {"passkey": forged.sign(ask(browser))}).status_code == 422

    def test_ask_is_slowed_down(self, app: Flask, phone: Phone, device: Device) -> None:
        browser = phone.give_password()
        for _ in range(throttle.ACCOUNT_FREE + 1):
            assert browser.post(CODE, {"passkey": "{}"}).status_code == 422

        answer = browser.post(CODE, {"passkey": device.sign(ask(browser))})

        assert answer.status_code == 429

    def test_ask_draws_no_challenge_without_a_password(self, app: Flask, phone: Phone, device: Device) -> None:
        stranger = Browser(app)
        stranger.get("/connexion")

        with nothing_written(app):
            assert stranger.post(f"{CODE}/defi", headers={"Accept": "application/json"}).status_code == 403

    def test_ask_again_takes_a_key_too(self, phone: Phone, device: Device) -> None:
        phone.clock.shift(timedelta(minutes=15))
        asked = phone.browser.get(KEYS).location
        assert "Utiliser une clé d’accès" in phone.browser.get(asked).text

        answer = phone.browser.post(asked, {"passkey": device.sign(ask(phone.browser, AGAIN))})

        assert (answer.status_code, answer.location) == (303, KEYS)
        assert phone.browser.get(KEYS).status_code == 200

    def test_ask_offers_no_key_to_those_who_have_none(self, phone: Phone) -> None:
        assert "Utiliser une clé d’accès" not in phone.give_password().get(CODE).text


class TestRemove:
    def test_remove_closes_what_the_key_opened(self, phone: Phone, device: Device, desk: Desk) -> None:
        [row] = desk.rows(Passkey)
        waiting = phone.give_password()
        options = ask(waiting)

        assert phone.browser.post(f"{KEYS}/{row.id}/supprimer").status_code == 303

        assert desk.rows(Passkey) == []
        assert waiting.post(CODE, {"passkey": device.sign(options)}).status_code == 422
        assert phone.browser.post(f"{KEYS}/{row.id}/supprimer").status_code == 404
        assert "account:passkey:removed" in [line.action for line in desk.rows(AuditEntry)]

    @pytest.mark.parametrize(("role", "school"), [("administrator", "a"), ("head", "b"), ("support", "a")])
    def test_remove_reaches_no_key_of_another(
        self, app: Flask, device: Device, desk: Desk, as_: As, role: str, school: str
    ) -> None:
        [row] = desk.rows(Passkey)
        browser = as_(role, school) if role != "support" else as_(role)
        browser.get("/mon-compte")

        assert "Clé USB" not in browser.get(KEYS).text
        with nothing_written(app):
            assert browser.post(f"{KEYS}/{row.id}/supprimer").status_code == 404

    def test_remove_goes_with_the_second_factor(self, phone: Phone, device: Device, desk: Desk) -> None:
        assert phone.browser.post(f"{PAGE}/retirer", {"current_password": PASSWORD}).status_code == 303

        assert desk.rows(SecondFactor) == desk.rows(Passkey) == []


class TestParty:
    @pytest.mark.parametrize(
        ("address", "sentence"),
        [
            ("http://127.0.0.1:5000", "jamais sous une adresse faite de chiffres"),
            ("https://192.0.2.7", "jamais sous une adresse faite de chiffres"),
            ("https://[2001:db8::1]", "jamais sous une adresse faite de chiffres"),
            ("http://cpro.example", "en HTTPS"),
            ("https://cpro.example", "ne fonctionnent qu’à l’adresse https://cpro.example"),
        ],
    )
    def test_party_says_why_no_key_works_here(
        self, app: Flask, phone: Phone, device: Device, monkeypatch: pytest.MonkeyPatch, address: str, sentence: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_PUBLIC_URL", address)

        page = Page(phone.browser.get(KEYS))

        assert sentence in page.text
        assert "Ajouter une clé" not in page.text
        assert phone.browser.post(f"{KEYS}/defi").status_code == 409
        assert "Utiliser une clé d’accès" not in phone.give_password().get(CODE).text

    def test_party_options_say_what_browsers_need(self, phone: Phone, device: Device) -> None:
        options = json.loads(phone.browser.post(f"{KEYS}/defi").text)

        assert options["rp"] == {"id": "localhost", "name": "CPro"}
        assert options["authenticatorSelection"]["userVerification"] == "preferred"
        assert len(options["excludeCredentials"]) == 1
        assert "claude" not in options["user"]["id"]
        asked = ask(phone.give_password())
        assert (asked["rpId"], asked["userVerification"], len(asked["allowCredentials"])) == (
            "localhost",
            "preferred",
            1,
        )

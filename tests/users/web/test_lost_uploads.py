"""A file sent after the sign-in ended: its owner reads its name, on its page, once signed in again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.imports.models import ImportRun
from tests.factories import PASSWORD, World
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
IMPORTS, LOGO = "/admin/imports", "/admin/parametres/logo"
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
As = Callable[..., Browser]


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def send(browser: Browser, page: str, to: str, headers: dict[str, str] = OURS, **files: Any) -> TestResponse:
    """Post files, {field: [(name, content)]}, from a page, as a browser does."""
    data = {field: [(io.BytesIO(content), name) for name, content in sent] for field, sent in files.items()}
    sent = {**headers, "Referer": f"http://localhost{page}"}
    answer = browser.post(to, data, content_type="multipart/form-data", headers=sent)
    answer.request.environ["wsgi.input"].close()  # the test client's own copy of what it sent
    return answer


def sign_in_again(browser: Browser, answer: TestResponse, login: str = "alix.granite") -> Page:
    """Sign in where a late request led, and return the page that follows."""
    assert "rien n’a été déposé" in Page(browser.get(answer.location)).text
    fields = {"establishment": "alpha", "login": login, "password": PASSWORD}
    browser.last = browser.post(answer.location, fields)  # type: ignore[attr-defined]
    return Page(browser.get(browser.last.location, follow_redirects=True))  # type: ignore[attr-defined]


class TestLostUploadSignInEnded:
    def late(self, as_: As, clock_: time_machine.Traveller, page: str, to: str, **files: Any) -> tuple[Browser, Any]:
        browser = as_("administrator")
        browser.get(page)
        clock_.shift(timedelta(minutes=31))
        return browser, send(browser, page, to, **files)

    def test_lost_upload_a_deposit_is_named_and_its_page_comes_back(
        self, app: Flask, as_: As, clock_: time_machine.Traveller
    ) -> None:
        browser, answer = self.late(as_, clock_, IMPORTS, IMPORTS, files=[("Élèves 2026.xml", b"<x/>")])

        page = sign_in_again(browser, answer)

        assert browser.last.location == IMPORTS  # type: ignore[attr-defined]
        assert page.flashes == [
            "Attention Votre session a pris fin pendant l’envoi : le fichier « Élèves 2026.xml » n’a pas été déposé. "
            "Choisissez-le à nouveau."
        ]
        assert rows(app, ImportRun) == []
        assert Page(browser.get(IMPORTS)).flashes == [], "said twice"

    def test_lost_upload_a_large_one_is_read_to_its_end_and_named(
        self, as_: As, clock_: time_machine.Traveller
    ) -> None:
        big = bytes(12 * 1024 * 1024)
        browser, answer = self.late(
            as_, clock_, IMPORTS, IMPORTS, files=[("a.xml", big), ("b.xml", b"x"), ("c.xml", b"x"), ("d.xml", b"x")]
        )

        assert answer.status_code == 303
        assert "« a.xml », « b.xml » et « c.xml » n’ont pas été déposés" in sign_in_again(browser, answer).flashes[0]

    def test_lost_upload_the_logo_comes_back_to_its_tab(
        self, app: Flask, as_: As, clock_: time_machine.Traveller
    ) -> None:
        picture = [("blason.png", pictures.png())]
        browser, answer = self.late(as_, clock_, LOGO, f"{LOGO}/televerser/logo", logo=picture, cachet=[("", b"")])

        page = sign_in_again(browser, answer)

        assert browser.last.location == LOGO  # type: ignore[attr-defined]
        assert "le fichier « blason.png » n’a pas été déposé" in page.flashes[0]

    def test_lost_upload_one_beyond_what_is_read_says_so_without_a_name(
        self, as_: As, clock_: time_machine.Traveller
    ) -> None:
        big = [("logo.png", bytes(12 * 1024 * 1024))]
        browser, answer = self.late(as_, clock_, LOGO, f"{LOGO}/televerser/logo", logo=big)

        assert "rien n’a été déposé. Choisissez à nouveau vos fichiers." in sign_in_again(browser, answer).flashes[0]

    def test_lost_upload_the_next_person_at_the_same_computer_is_shown_no_name(
        self, as_: As, clock_: time_machine.Traveller
    ) -> None:
        browser, answer = self.late(as_, clock_, IMPORTS, IMPORTS, files=[("secret.xml", b"<x/>")])

        page = sign_in_again(browser, answer, "claude.basalte")

        assert "secret.xml" not in page.text
        assert page.flashes == []

    @pytest.mark.parametrize(
        "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str
    )
    def test_lost_upload_what_another_site_sends_leaves_no_word(
        self, as_: As, clock_: time_machine.Traveller, headers: dict[str, str]
    ) -> None:
        browser = as_("administrator")
        clock_.shift(timedelta(minutes=31))

        answer = send(browser, IMPORTS, IMPORTS, headers, files=[("a.xml", b"x")])

        assert answer.status_code == (403 if "Origin" in headers else 303)
        assert "n’a été déposé" not in Page(browser.get(answer.location or "/connexion")).text

    @pytest.mark.parametrize("page", ["//evil.example/x", "/\\evil.example", "/admin/imports\x1f"])
    def test_lost_upload_a_forged_page_is_not_come_back_to(
        self, as_: As, clock_: time_machine.Traveller, page: str
    ) -> None:
        browser = as_("administrator")
        clock_.shift(timedelta(minutes=31))

        answer = send(browser, page, IMPORTS, files=[("a.xml", b"x")])

        assert "evil" not in sign_in_again(browser, answer).text
        assert browser.last.location in ("/", IMPORTS)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("name", ['a"b.xml', "<script>.xml", "x" * 300 + ".xml", "a\x07b.xml"])
    def test_lost_upload_odd_names_are_shown_as_text(self, as_: As, clock_: time_machine.Traveller, name: str) -> None:
        browser, answer = self.late(as_, clock_, IMPORTS, IMPORTS, files=[(name, b"<x/>")])

        assert answer.status_code == 303
        assert "n’a pas été déposé" in sign_in_again(browser, answer).flashes[0]


class TestLostUploadOtherSignIn:
    def test_lost_upload_a_file_sent_from_a_page_of_the_sign_in_before_is_named(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("administrator")
        browser.get(IMPORTS)
        old = browser._token
        browser.sign_in_as(world, "administrator")
        browser._token = old

        with nothing_written(app):
            answer = send(browser, IMPORTS, IMPORTS, files=[("eleves.xml", b"<x/>")])

        assert answer.location == IMPORTS
        assert "le fichier « eleves.xml » n’a pas été déposé" in Page(browser.get(IMPORTS)).flashes[0]

    def test_lost_upload_from_elsewhere_it_is_refused(self, as_: As) -> None:
        browser = as_("administrator")
        browser._token = "forged"

        answer = send(browser, IMPORTS, IMPORTS, {"Sec-Fetch-Site": "cross-site"}, files=[("eleves.xml", b"<x/>")])

        assert answer.status_code == 400

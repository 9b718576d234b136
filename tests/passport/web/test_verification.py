"""The public page: what was issued under a code, to anyone, without anything personal."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written
from tests.passport.conftest import SECRET, Class_

As = Callable[..., Browser]
PAGE = "/verifier"
UNKNOWN = "ABCD-EFGH-JKMN-PQRS"


@pytest.fixture
def passport(as_: As, class_a: Class_) -> bytes:
    """Return the passport issued to school A's pupil."""
    return as_("teacher").get(f"/passeport/{class_a.pupil_id}.pdf").data


@pytest.fixture
def code(passport: bytes, class_a: Class_) -> str:
    """Return its code, as printed."""
    [issue] = class_a.issues()
    return "-".join(re.findall("....", issue.code))


def compare(visitor: Browser, code: str, content: bytes, **kwargs: bool) -> TestResponse:
    """Post a copy as the page's form does."""
    visitor.get(f"{PAGE}/{code}")
    data = {"copy": (io.BytesIO(content), "copie.pdf")}
    answer = visitor.post(f"{PAGE}/{code}", data, content_type="multipart/form-data", **kwargs)
    answer.request.environ["wsgi.input"].close()
    return answer


class TestShowVerification:
    def test_show_verification_the_school_the_day_and_how_much_there_is(
        self, browser: Callable[[], Browser], code: str, class_a: Class_, world: World
    ) -> None:
        page = browser().get(f"{PAGE}/{code}")

        assert page.status_code == 200
        for words in (world.a.name, world.a.uai, "05/10/2026", code):
            assert words in page.text
        assert re.search(r"<dt>Pages</dt><dd>2</dd>", page.text)
        assert re.search(r"bilans</dt><dd>4</dd>", page.text)

    def test_show_verification_nothing_personal_and_never_authentic(
        self, app: Flask, browser: Callable[[], Browser], code: str, passport: bytes
    ) -> None:
        visitor = browser()
        with nothing_written(app):
            pages = [visitor.get(f"{PAGE}/{code}").text, compare(visitor, code, passport).text]

        for text in pages:
            lowered = text.lower()
            for word in ("agate", "noé", "2alp", SECRET.lower(), "quartz", "authentique", "authentifi"):
                assert word not in lowered, word

    def test_show_verification_it_is_what_it_was_when_issued(
        self, browser: Callable[[], Browser], arrange: Callable[..., object], code: str, world: World
    ) -> None:
        from cpro.establishments.models import Establishment

        with arrange() as session:  # type: ignore[attr-defined]
            session.get_one(Establishment, world.a.id).name = "Nouveau nom"

        text = browser().get(f"{PAGE}/{code}").text

        assert world.a.name in text
        assert "Nouveau nom" not in text

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_show_verification_from_any_school(self, as_: As, code: str, world: World, role: str) -> None:
        page = as_(role, "b").get(f"{PAGE}/{code}")

        assert page.status_code == 200
        assert world.a.name in page.text

    def test_show_verification_whatever_way_it_is_typed(self, browser: Callable[[], Browser], code: str) -> None:
        visitor = browser()
        ways = [code, code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code.lower()} "]
        ways += [code.replace("1", "l").replace("0", "o"), code.replace("1", "I").replace("0", "O")]

        for typed in ways:
            assert visitor.get(f"{PAGE}/{typed}").status_code == 200, typed
            visitor.get(PAGE)
            answer = visitor.post(PAGE, {"code": typed})
            assert answer.status_code == 303, typed
            assert answer.headers["Location"] == f"{PAGE}/{code}"


class TestVerificationOfUnknownCodes:
    @pytest.mark.parametrize(
        "typed", [UNKNOWN, "x", "é" * 16, "%00"[1:], "0" * 5000, "..", "'; DROP TABLE", "ABCDEFGHJKMNPQR"]
    )
    def test_verification_are_reported_in_a_sentence(
        self, browser: Callable[[], Browser], world: World, typed: str
    ) -> None:
        page = browser().get(f"{PAGE}/{typed}")

        assert page.status_code == 404
        assert "Aucun passeport n’a été émis sous ce code" in page.text

    def test_verification_the_form_asks_for_one(self, browser: Callable[[], Browser], world: World) -> None:
        visitor = browser()
        assert visitor.get(PAGE).status_code == 200

        answers = [visitor.post(PAGE, {"code": typed}) for typed in ("", "   ", "é/è", "a?b")]

        assert [answer.status_code for answer in answers] == [422] * 4
        assert visitor.post(PAGE, {"code": "x" * 5000}).status_code == 303

    def test_verification_guessing_is_slowed_down_then_stopped(
        self, browser: Callable[[], Browser], world: World, code: str
    ) -> None:
        visitor = browser()
        statuses = [visitor.get(f"{PAGE}/{UNKNOWN}").status_code for _ in range(25)]

        assert statuses[:21] == [404] * 21
        assert statuses[-1] == 429
        answer = visitor.get(f"{PAGE}/{UNKNOWN}")
        assert int(answer.headers["Retry-After"]) > 0
        assert "Trop de vérifications" in answer.text
        assert visitor.get(f"{PAGE}/{code}").status_code == 200  # who holds a passport is not kept out by others
        with time_machine.travel(NOW + timedelta(hours=2), tick=False):
            assert visitor.get(f"{PAGE}/{UNKNOWN}").status_code == 404


class TestCompareFile:
    def test_compare_file_the_file_issued_is_told_apart_from_any_other(
        self, browser: Callable[[], Browser], code: str, passport: bytes
    ) -> None:
        visitor = browser()

        assert "identique au fichier émis" in compare(visitor, code, passport).text
        for other in (passport + b" ", passport[:-1], b"%PDF-1.7 autre", passport.replace(b"1", b"2", 1)):
            answer = compare(visitor, code, other)
            assert answer.status_code == 200
            assert "différent du fichier émis" in answer.text
            assert "identique" not in answer.text

    def test_compare_file_none_or_an_empty_one_is_refused(self, browser: Callable[[], Browser], code: str) -> None:
        visitor = browser()
        visitor.get(f"{PAGE}/{code}")

        assert visitor.post(f"{PAGE}/{code}").status_code == 422
        assert "Ce fichier est vide" in compare(visitor, code, b"").text

    def test_compare_file_too_large_a_one_is_not_read(self, browser: Callable[[], Browser], code: str) -> None:
        assert compare(browser(), code, bytes(9 * 1024 * 1024)).status_code == 413

    def test_compare_file_without_the_page_s_token_nothing_is_compared(
        self, browser: Callable[[], Browser], code: str, passport: bytes
    ) -> None:
        assert compare(browser(), code, passport, token=False).status_code == 400

    def test_compare_file_comparing_without_end_is_stopped(
        self, browser: Callable[[], Browser], code: str, passport: bytes
    ) -> None:
        visitor = browser()

        statuses = [compare(visitor, code, b"%PDF").status_code for _ in range(35)]

        assert statuses[:31] == [200] * 31
        assert statuses[-1] == 429

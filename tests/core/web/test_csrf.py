"""The token of forms is masked anew in each answer, which may therefore be compressed."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from difflib import SequenceMatcher

import brotli
import pytest
from flask import Flask

from cpro.core.web.csrf import mask, unmask
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written

TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
As = Callable[..., Browser]


class TestMask:
    @pytest.mark.parametrize("token", ["a.b.c", "IjEy.aQ.x_-9", "é.1"])
    def test_mask_is_taken_off_again(self, token: str) -> None:
        assert unmask(mask(token)) == token
        assert mask(token) != mask(token)

    @pytest.mark.parametrize("odd", ["", "a", "abc", "é", "a.b.c", "====", "_" * 7, "A" * 4000, "\x00"])
    def test_unmask_gives_back_or_judges_what_is_no_mask_without_failing(self, odd: str) -> None:
        assert isinstance(unmask(odd), str)


class TestPages:
    def test_pages_share_no_twelve_characters_of_the_token(self, as_: As) -> None:
        head = as_("head")
        first, second = (TOKEN.findall(head.get("/mon-compte").text) for _ in range(2))

        assert len(set(first)) == len(set(second)) == 1
        common = SequenceMatcher(None, first[0], second[0], autojunk=False).find_longest_match()
        assert common.size < 12

    def test_pages_are_compressed_where_the_browser_understands_that(self, as_: As) -> None:
        head = as_("head")

        plain = head.get("/admin/eleves/")

        assert "Content-Encoding" not in plain.headers
        for accepted, encoding, decompress in (
            ("gzip, deflate, br", "br", brotli.decompress),
            ("gzip, deflate", "gzip", gzip.decompress),
        ):
            compressed = head.client.get("/admin/eleves/", headers={"Accept-Encoding": accepted})
            assert compressed.headers["Content-Encoding"] == encoding
            assert "Accept-Encoding" in compressed.headers["Vary"]
            assert len(compressed.data) < len(plain.data) / 3
            assert decompress(compressed.data).startswith(b"<!DOCTYPE html>")

    @pytest.mark.parametrize("token", ["", "wrong", "a.wrong.token"])
    def test_pages_refuse_a_post_with_another_token(self, as_: As, token: str) -> None:
        for sent in (token, mask(token)):
            assert as_("head").post("/deconnexion", {"csrf_token": sent}, token=False).status_code == 400

    def test_pages_take_a_token_written_before_it_was_masked(self, as_: As) -> None:
        head = as_("head")
        token = unmask(TOKEN.findall(head.get("/mon-compte").text)[0])

        assert head.post("/deconnexion", {"csrf_token": token}, token=False).status_code == 303


OURS, OTHERS = "http://localhost", "https://evil.example"


class TestCheckOrigin:
    @pytest.mark.parametrize(
        "said",
        [
            {"Origin": OTHERS},
            {"Origin": OTHERS, "Referer": f"{OURS}/mon-compte"},
            {"Origin": f"{OURS}.evil.example"},
            {"Origin": f"{OURS}:8080"},
            {"Origin": "http://[evil"},
            {"Referer": f"{OTHERS}/piege"},
            {"Origin": "null", "Referer": f"{OTHERS}/piege"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("path", ["/mon-compte/sessions/terminer-les-autres", "/deconnexion"])
    def test_check_origin_refuses_another_site_though_the_token_is_right(
        self, app: Flask, as_: As, said: dict[str, str], path: str
    ) -> None:
        head = as_("head")
        head.get("/mon-compte")
        with nothing_written(app):
            answer = head.post(path, headers=said)

        assert answer.status_code == 403
        assert "depuis un autre site que CPro" in Page(answer).text
        assert head.get("/mon-compte").status_code == 200, "still signed in"

    def test_check_origin_without_a_public_address_refuses_what_is_no_address(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_PUBLIC_URL", "")
        head = as_("head")
        head.get("/mon-compte")

        for said in ("http://[evil", "evil", "file://"):
            assert head.post("/mon-compte/sessions/terminer-les-autres", headers={"Origin": said}).status_code == 403

    def test_check_origin_refuses_a_sign_in_that_another_site_sends(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        typed = {"establishment": world.a.code, "login": world.logins["head"], "password": PASSWORD}
        visitor = browser()
        visitor.get("/connexion")

        assert visitor.post("/connexion", typed, headers={"Origin": OTHERS}).status_code == 403
        assert visitor.post("/connexion", typed, headers={"Origin": OURS}).status_code == 303

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"Origin": OURS},
            {"Origin": "null"},
            {"Origin": "null", "Referer": f"{OURS}/mon-compte"},
            {"Referer": f"{OURS}/mon-compte"},
            {"Origin": "https://CPro.example"},
        ],
        ids=str,
    )
    def test_check_origin_lets_ours_through_and_who_says_nothing(self, as_: As, said: dict[str, str]) -> None:
        head = as_("head")
        head.get("/mon-compte")

        assert head.post("/mon-compte/sessions/terminer-les-autres", headers=said).status_code == 303

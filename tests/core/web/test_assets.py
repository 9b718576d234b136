"""One style sheet and one script, under addresses that say what they hold."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from cpro.core.web.assets import Asset
from tests.helpers.browser import Browser

As = Callable[..., Browser]
#: What browsers say that they understand: how they are answered, and what they do with it.
ACCEPTED = {
    "gzip, deflate, br, zstd": ("br", brotli.decompress),
    "gzip, deflate": ("gzip", gzip.decompress),
    "br;q=0.5, gzip": ("gzip", gzip.decompress),
    "br;q=0, identity": ("", bytes),
}
LINKED = re.compile(r'(?:<link rel="stylesheet" href|<script[^>]* src)="([^"]+)"')


def linked(page: str) -> list[str]:
    """Return the style sheets and scripts of a page."""
    return LINKED.findall(page)


class TestAssets:
    def test_assets_are_one_style_sheet_and_one_script_on_every_kind_of_page(
        self, as_: As, browser: Callable[[], Browser]
    ) -> None:
        stranger, head = browser(), as_("head")
        pages = [stranger.get("/connexion"), *(head.get(f"/admin/{path}") for path in ("", "eleves/", "eleves/new/"))]

        found = {tuple(linked(page.text)) for page in pages}

        assert len(found) == 1
        assert [name.rsplit(".")[-1] for name in found.pop()] == ["css", "js"]

    def test_assets_are_kept_for_a_year_and_compressed_for_who_understands(
        self, browser: Callable[[], Browser]
    ) -> None:
        stranger = browser()
        for address in linked(stranger.get("/connexion").text):
            plain = stranger.get(address)
            sent = {accepted: stranger.get(address, headers={"Accept-Encoding": accepted}) for accepted in ACCEPTED}

            assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert plain.headers["Vary"] == "Accept-Encoding"
            assert "Set-Cookie" not in plain.headers
            for accepted, (encoding, decompress) in ACCEPTED.items():
                assert sent[accepted].headers.get("Content-Encoding", "") == encoding
                assert decompress(sent[accepted].data) == plain.data

    def test_assets_travel_without_their_comments_and_weigh_little(self, browser: Callable[[], Browser]) -> None:
        stranger = browser()
        sent = [stranger.get(address).data for address in linked(stranger.get("/connexion").text)]

        comments = re.compile(rb"^\s*(?://|/\*[^\n]*\*/$)", re.MULTILINE)
        assert not [each for each in sent if comments.search(each) or b"@type" in each or b"\n " in each]
        assert sum(len(gzip.compress(each, 9)) for each in sent) < 30_000

    def test_assets_strings_of_style_sheets_travel_as_they_are(self, browser: Callable[[], Browser]) -> None:
        stranger = browser()
        sent = next(stranger.get(each).text for each in linked(stranger.get("/connexion").text) if each.endswith("css"))
        sources = [Path("static/cpro.css"), *Path("static/css").glob("*.css")]
        strings = {
            string
            for each in sources
            for string in re.findall(r'"[^"\n]*"', re.sub(r"/\*.*?\*/", "", each.read_text("utf-8"), flags=re.DOTALL))
        }

        assert '"\\202f: "' in strings
        assert [each for each in strings if each not in sent] == []

    def test_assets_no_text_of_a_script_goes_on_to_the_next_line(self) -> None:
        """What begins a line is then nothing but its layout, which does not travel."""
        lines = [line for each in Path("static").glob("*.js") for line in each.read_text(encoding="utf-8").splitlines()]

        assert len(lines) > 1000
        assert not [line for line in lines if re.sub(r"\[(?:[^\]\\]|\\.)*\]", "", line).count("`") % 2]

    @pytest.mark.parametrize("kind", ["css", "js"])
    def test_assets_of_another_version_are_todays_and_not_kept(self, browser: Callable[[], Browser], kind: str) -> None:
        """While two versions serve side by side, a page of one may ask the other for its style sheet."""
        stranger = browser()
        present = next(each for each in linked(stranger.get("/connexion").text) if each.endswith(kind))

        other = stranger.get(f"/static/v/cpro.0123456789abcdef.{kind}")

        assert (other.status_code, other.data) == (200, stranger.get(present).data)
        assert other.headers["Cache-Control"] == "no-store"
        assert other.mimetype == stranger.get(present).mimetype

    @pytest.mark.parametrize("name", ["cpro.css", "cpro.0123456789abcdef.map", "other.0123456789abcdef.css"])
    def test_assets_of_no_version_are_not_found(self, browser: Callable[[], Browser], name: str) -> None:
        assert browser().get(f"/static/v/{name}").status_code == 404


class TestAsset:
    def test_asset_has_another_name_once_it_says_something_else(self) -> None:
        assert Asset(b"a{}", "css").name != Asset(b"b{}", "css").name
        assert Asset(b"a{}", "css").name == Asset(b"a{}", "css").name

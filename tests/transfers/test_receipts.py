"""The receipt: one for each school, figures and never content, PDF/UA-1."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.helpers.browser import Browser
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import FOLLOW_UP, cancelled, conflict, done

As = Callable[..., Browser]


def words_of(content: bytes) -> str:
    """Return the text of a PDF, as pdftotext reads it."""
    found = shutil.which("pdftotext")
    if not found:
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    text = subprocess.run([found, "-layout", "-", "-"], input=content, capture_output=True, check=True).stdout.decode()
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())


class TestRenderReceipt:
    def test_render_receipt_there_is_none_of_what_was_not_made(self, as_: As, exchange: Exchange) -> None:
        conflict(exchange)

        assert as_("head", "b").get(f"{FOLLOW_UP}/{exchange.side('b').id}/recepisse.pdf").status_code == 409

    def test_render_receipt_the_support_takes_no_copy_away(self, as_: As, exchange: Exchange) -> None:
        done(exchange)
        browser = as_("support", enter="b")

        assert browser.get(f"{FOLLOW_UP}/{exchange.side('b').id}/recepisse.pdf").status_code == 403
        assert "recepisse" not in browser.get(f"{FOLLOW_UP}/{exchange.side('b').id}").text

    @pytest.mark.parametrize("school", ["a", "b"])
    @pytest.mark.parametrize("role", ["administrator", "head"])
    def test_render_receipt_shows_each_school_what_went_from_where_to_where(
        self, as_: As, exchange: Exchange, school: str, role: str
    ) -> None:
        done(exchange)

        answer = as_(role, school).get(f"{FOLLOW_UP}/{exchange.side(school).id}/recepisse.pdf")

        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert b"pdfuaid:part" in answer.data or b"PDF/UA" in answer.data
        words = words_of(answer.data)
        assert "Établissement d’origine : Lycée alpha, UAI 0999001W" in words
        assert "Établissement d’accueil : Lycée beta, UAI 0999002X" in words
        assert "Fiches 2" in words
        assert "Bilans 1" in words
        assert "Évaluations 2" in words
        for secret in ("Câblage", "Analyser", "Bon trimestre", "28/02/2009"):
            assert secret not in words

    def test_render_receipt_says_that_it_was_cancelled(self, as_: As, exchange: Exchange) -> None:
        cancelled(exchange)

        words = words_of(as_("head", "a").get(f"{FOLLOW_UP}/{exchange.side('a').id}/recepisse.pdf").data)

        assert "Transfert annulé" in words

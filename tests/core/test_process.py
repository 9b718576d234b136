"""A process of the platform: its files are private, and any console shows what it prints."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator

import pytest

from cpro.core.process import prepare_process


@pytest.fixture(autouse=True)
def former_umask() -> Iterator[None]:
    """Give the suite its mask back."""
    former = os.umask(0o022)
    yield
    os.umask(former)


def printed_on(charset: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return what a console of a charset receives of a sentence."""
    console = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(console, encoding=charset))
    prepare_process()
    print(sentence, flush=True)
    return console.getvalue()


class TestPrepareProcess:
    @pytest.mark.parametrize(
        ("charset", "expected"),
        [
            ("utf-8", "« L’œuvre » : 5 €, été 漢"),
            ("iso-8859-15", "« L'œuvre » : 5 €, été ?"),
            ("ascii", '" L\'oeuvre " : 5 EUR, ete ?'),
        ],
    )
    def test_prepare_process_a_sign_the_console_lacks_becomes_a_plain_one(
        self, charset: str, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        received = printed_on(charset, "« L’œuvre » : 5 €, été 漢", monkeypatch)

        assert received.decode(charset).replace("\u202f", " ").replace("\xa0", " ").rstrip() == expected

    def test_prepare_process_a_new_file_is_its_owners_alone(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        prepare_process()
        (tmp_path / "new").touch()

        assert (tmp_path / "new").stat().st_mode & 0o077 == 0

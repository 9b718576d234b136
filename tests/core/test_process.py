"""A process of the platform: its files are private, and any console shows what it prints."""

from __future__ import annotations

import gc
import gettext
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from cpro.core import process
from cpro.core.process import prepare_process, without_collector


@pytest.fixture(autouse=True)
def former_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the suite its mask and its language back."""
    monkeypatch.setenv("LANGUAGE", "")
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


@click.group()
def tool() -> None: ...


@tool.command()
@click.option("--nombre", type=int, required=True)
def essai(nombre: int) -> None: ...


class TestWordsOfTheCommandLine:
    CATALOGUE = Path(process.__file__).with_name("locale") / "fr" / "LC_MESSAGES" / "messages.po"

    def test_words_the_compiled_catalogue_is_the_one_that_is_read(self) -> None:
        with self.CATALOGUE.open("rb") as written, self.CATALOGUE.with_suffix(".mo").open("rb") as compiled:
            words = gettext.GNUTranslations(compiled)
            for each in (each for each in read_po(written) if each.id):
                if isinstance(each.id, str):
                    assert words.gettext(each.id) == each.string, "make locale"
                else:
                    assert [words.ngettext(*each.id, number) for number in (1, 2)] == list(each.string), "make locale"

    def test_words_each_translates_one_that_click_still_says(self) -> None:
        said = "".join(path.read_text() for path in Path(click.__file__).parent.glob("*.py"))
        with self.CATALOGUE.open("rb") as written:
            ids = [each.id if isinstance(each.id, str) else each.id[0] for each in read_po(written) if each.id]

        assert [each for each in ids if repr(each)[1:-1] not in said and each not in said] == []

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["--help"], "Usage : outil"),
            (["--help"], "Afficher cette aide."),
            (["rien"], "La commande 'rien' n’existe pas."),
            (["essai", "--rien"], "L’option '--rien' n’existe pas."),
            (["essai"], "Option manquante '--nombre'."),
            (["essai", "--nombre", "x"], "n’est pas un nombre"),
        ],
    )
    def test_words_usage_errors_are_in_french(self, words: list[str], expected: str) -> None:
        prepare_process()

        result = CliRunner().invoke(tool, words, prog_name="outil")

        assert expected in result.output.replace("\u202f", " ")


class TestWithoutCollector:
    def test_without_collector_gives_it_back_after_a_failure_too(self) -> None:
        with pytest.raises(ZeroDivisionError), without_collector():
            assert not gc.isenabled()
            raise ZeroDivisionError

        assert gc.isenabled()

"""May this school import, and which files: one rule, whoever asks and wherever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.establishments.gate import GateClosed
from cpro.establishments.models import Establishment
from cpro.imports.models import ImportRun, RunState
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.deposits import IMPORTS, ONE, analyse, drain, send
from tests.helpers.imports import SAMPLES, Desk
from tests.helpers.pages import Page
from tests.helpers.pictures import png
from tests.helpers.siecle import zip_of

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
Set = Callable[..., None]
Command = Callable[..., Result]

OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PUPILS_TABLE = "Nom de famille;Prénom;Classe\r\nOnyx;Zoé;CAP1\r\n".encode()
NO_EXPORT = {
    "a picture": ("photo.png", png(40, 30)),
    "a document": ("lettre.docx", zip_of({"word/document.xml": b"<document/>"})),
    "an old workbook": ("eleves.xls", OLD_WORKBOOK),
    "a letter": ("lettre.txt", "Bonjour,\nvoici les élèves.".encode()),
    "a page of paper": ("liste.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"),
    "half a table": ("eleves.csv", b"Nom de famille;Classe\r\nOnyx;CAP1\r\n"),
}


@pytest.fixture
def school(arrange: Look, world: World) -> Set:
    """Return a function that changes the settings of school "a"."""

    def change(**values: Any) -> None:
        with arrange() as session:
            for name, value in values.items():
                setattr(session.get_one(Establishment, world.a.id), name, value)

    return change


@pytest.fixture
def command(app: Flask, desk: Desk) -> Command:
    """Return a runner of `imports siecle` on the samples."""

    def run(*options: str, school: str = "alpha") -> Result:
        with time_machine.travel(NOW, tick=False):
            arguments = ["imports", "siecle", *map(str, SAMPLES), "--establishment", school, *options]
            return app.test_cli_runner().invoke(args=arguments)

    return run


def count_runs(platform: Look) -> int:
    """Return how many imports the history holds."""
    with platform() as session:
        return session.scalar(select(func.count(ImportRun.id))) or 0


class TestCommandLine:
    @pytest.mark.parametrize("options", [(), ("--apply",), ("--apply", "--json")])
    def test_siecle_command_a_school_that_does_not_use_siecle_is_refused_as_on_the_page(
        self, desk: Desk, school: Set, command: Command, platform: Look, options: tuple[str, ...]
    ) -> None:
        school(uses_siecle=False)
        before = desk.state()

        result = command(*options)

        assert (result.exit_code, result.stdout) == (1, "")
        assert "déclare ne pas utiliser SIECLE" in result.stderr
        assert result.stderr.count("\n") == 1
        assert (desk.state(), count_runs(platform)) == (before, 0)

    @pytest.mark.parametrize(("field", "value", "words"), [("name", "", "Le nom"), ("uai", None, "Le code UAI")])
    def test_siecle_command_a_school_without_name_or_uai_is_refused(
        self, school: Set, command: Command, platform: Look, field: str, value: Any, words: str
    ) -> None:
        school(**{field: value})

        for options in ((), ("--apply",)):
            result = command(*options)
            assert (result.exit_code, result.stdout) == (1, "")
            assert f"{words} de l’établissement manque" in result.stderr
        assert count_runs(platform) == 0

    def test_siecle_command_a_school_just_opened_has_no_email_address_yet_and_imports(
        self, desk: Desk, school: Set, command: Command
    ) -> None:
        school(email="")

        assert command("--apply").exit_code == 0
        assert len(desk.students()) == 11

    def test_siecle_command_what_one_school_says_holds_for_itself(
        self, desk: Desk, school: Set, command: Command
    ) -> None:
        school(uses_siecle=False)

        refused = command("--apply", school="beta")

        assert "n’utilise" not in refused.stderr
        assert "non du vôtre (0999002X)" in refused.stderr


class TestRequireMayImport:
    def test_require_may_import_the_gate_closed_since_the_deposit_stops_the_application(
        self, app: Flask, as_: As, desk: Desk, school: Set, october: Any
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        form = browser.form(address)
        school(email="")

        answer = browser.post(f"{address}/appliquer", form)
        drain(app)

        assert answer.status_code == 409
        assert "L’adresse électronique de l’établissement manque" in Page(answer).text
        page = browser.get(address).text
        assert "/admin/parametres/etablissement#email" in page
        assert 'aria-disabled="true"' in page
        assert (desk.students(), desk.run(1).state) == ({}, RunState.ANALYSED)

    def test_require_may_import_the_gate_closed_while_the_worker_is_awaited_stops_it_too(
        self, app: Flask, as_: As, desk: Desk, school: Set, october: Any
    ) -> None:
        browser = as_("administrator")
        address = analyse(browser, ONE)
        browser.post(f"{address}/appliquer", browser.form(address))
        school(email="")

        drain(app)

        assert (desk.students(), desk.run(1).state) == ({}, RunState.ANALYSED)
        page = Page(browser.get(address))
        assert "L’application n’a pas abouti. L’adresse électronique de l’établissement manque" in page.text

    def test_require_may_import_the_operation_itself_refuses(self, desk: Desk, school: Set, platform: Look) -> None:
        school(email="")

        with pytest.raises(GateClosed, match="adresse électronique"):
            desk.analyse(SAMPLES[0])

        assert count_runs(platform) == 0


class TestDeposit:
    @pytest.mark.parametrize("case", NO_EXPORT)
    def test_deposit_is_refused_as_no_export_where_siecle_is_used(self, as_: As, case: str) -> None:
        answer = send(as_("administrator"), NO_EXPORT[case])

        sentence_shown = Page(answer).error("files")
        assert answer.status_code == 422
        assert "n’est pas un export de SIECLE ni de STS-Web" in sentence_shown
        assert sentence_shown.startswith(f"« {NO_EXPORT[case][0]}")
        assert "ableau" not in sentence_shown

    def test_deposit_a_table_where_siecle_is_used_says_for_whom_tables_are(self, as_: As) -> None:
        sentence_shown = Page(send(as_("administrator"), ("eleves.csv", PUPILS_TABLE))).error("files")

        assert "réservés aux établissements qui ne l’utilisent pas" in sentence_shown

    def test_deposit_leaves_a_table_beside_an_export_and_says_so_too(self, as_: As) -> None:
        browser = as_("administrator")

        shown = Page(browser.get(analyse(browser, ONE, ("eleves.csv", PUPILS_TABLE)))).text

        assert "« eleves.csv » : votre établissement utilise SIECLE" in shown
        assert "réservés aux établissements qui ne l’utilisent pas" in shown

    @pytest.mark.parametrize(
        ("case", "sentence"),
        [
            ("a picture", "tableau"),
            ("a document", "n’est pas un tableau issu de nos modèles"),
            ("an old workbook", "enregistrez-le en XLSX ou en CSV"),
            ("a letter", "n’est pas un tableau issu de nos modèles"),
            ("half a table", "absente"),
        ],
    )
    def test_deposit_speaks_of_tables_where_siecle_is_not_used(
        self, as_: As, school: Set, case: str, sentence: str
    ) -> None:
        school(uses_siecle=False)

        answer = send(as_("administrator"), NO_EXPORT[case])

        sentence_shown = Page(answer).error("files")
        assert answer.status_code == 422
        assert sentence.casefold() in sentence_shown.casefold()
        assert "export" not in sentence_shown

    def test_deposit_the_command_line_speaks_of_exports(self, app: Flask, desk: Desk, tmp_path: Any) -> None:
        path = tmp_path / "photo.png"
        path.write_bytes(NO_EXPORT["a picture"][1])

        result = app.test_cli_runner().invoke(args=["imports", "siecle", str(path), "--establishment", "alpha"])

        assert result.exit_code == 1
        assert "n’est pas un export de SIECLE" in result.stderr


def test_deposit_is_gated_itself(as_: As, school: Set) -> None:
    school(email="")
    browser = as_("administrator")

    assert 'aria-disabled="true"' in browser.get(IMPORTS).text
    assert send(browser, ONE).status_code == 409

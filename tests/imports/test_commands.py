"""`flask imports siecle` and `undo`: the contract's keys, the same guards, one sentence on standard error."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask

from cpro.establishments.models import Establishment
from tests.factories import NOW
from tests.helpers.imports import SAMPLES, Desk

KEYS = {"created", "changed", "deactivated", "reactivated", "unchanged", "refused", "without_ine"}


@pytest.fixture
def command(app: Flask, desk: Desk) -> Any:
    """Return a runner of the command."""

    def run(*arguments: str | Path, now: datetime = NOW, school: str = "alpha", verb: str = "siecle") -> Result:
        with time_machine.travel(now, tick=False):
            return app.test_cli_runner().invoke(args=["imports", verb, *map(str, arguments), "--establishment", school])

    return run


class TestSiecleCommand:
    def test_siecle_command_without_apply_nothing_is_written(self, desk: Desk, command: Any) -> None:
        before = desk.state()

        result = command(*SAMPLES, "--json")

        report = json.loads(result.stdout)
        assert result.exit_code == 0
        assert report["students"].keys() == report["staff"].keys() == KEYS
        assert (report["students"]["created"], report["students"]["without_ine"]) == (11, 1)
        assert (report["applied"], desk.state()) == (False, before)

    def test_siecle_command_with_apply_it_is_and_again_changes_nothing(self, desk: Desk, command: Any) -> None:
        first = json.loads(command(*SAMPLES, "--apply", "--json").stdout)
        second = json.loads(command(*SAMPLES, "--apply", "--json", school="0999001W").stdout)

        assert (first["students"]["created"], first["staff"]["created"]) == (11, 5)
        assert (second["students"]["unchanged"], second["students"]["created"]) == (11, 0)
        assert len(desk.students()) == 11

    def test_siecle_command_another_school_is_refused_in_one_sentence(self, desk: Desk, command: Any) -> None:
        for arguments in ([SAMPLES[0]], [SAMPLES[0], "--apply", "--json"]):
            result = command(*arguments, school="beta")
            assert (result.exit_code, result.stdout) == (1, "")
            assert "0999001W" in result.stderr
            assert result.stderr.count("\n") == 1
        assert desk.students("b") == {}

    def test_siecle_command_a_missing_confirmation_is_named_and_nothing_is_written(
        self, desk: Desk, command: Any
    ) -> None:
        command(SAMPLES[0], "--apply")
        few = desk.file_of({"id": "900001", "ine": "990000011DB", "division": "2MELEC1"})

        refused = command(few, "--apply", "--json")
        accepted = command(few, "--apply", "--json", "--confirm-deactivations")

        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "10 élèves" in refused.stderr
        assert "--confirm-deactivations" in refused.stderr
        assert json.loads(accepted.stdout)["students"]["deactivated"] == 10

    def test_siecle_command_another_year_needs_its_confirmation(self, desk: Desk, command: Any) -> None:
        later = NOW.replace(year=2027)

        refused = command(SAMPLES[0], "--apply", now=later)
        accepted = command(SAMPLES[0], "--apply", "--confirm-year", now=later)

        assert refused.exit_code == 1
        assert "--confirm-year" in refused.stderr
        assert accepted.exit_code == 0
        assert "appliqué" in accepted.stdout

    def test_siecle_command_the_analysis_alone_says_what_will_be_asked_and_is_done(
        self, desk: Desk, command: Any
    ) -> None:
        command(SAMPLES[0], "--apply")
        few = desk.file_of({"id": "900001", "ine": "990000011DB", "division": "2MELEC1"}, year=2027)

        result = command(few, "--json")
        confirmed = command(few, "--json", "--confirm-deactivations", "--confirm-year")

        assert result.exit_code == 0
        asked = json.loads(result.stdout)["confirmations_needed"]
        assert ["10 élèves" in sentence for sentence in asked].count(True) == 1
        assert ["2027-2028" in sentence for sentence in asked].count(True) == 1
        assert json.loads(confirmed.stdout)["confirmations_needed"] == []

    def test_siecle_command_pupils_receive_accounts_when_it_is_asked(self, desk: Desk, command: Any) -> None:
        without = json.loads(command(SAMPLES[0], "--apply", "--json").stdout)
        opened = json.loads(command(SAMPLES[0], "--apply", "--json", "--open-student-accounts").stdout)
        again = command(SAMPLES[0], "--apply", "--open-student-accounts")

        assert (without["accounts_opened"], opened["accounts_opened"]) == (0, 11)
        assert [login for login, account in desk.accounts().items() if account["role"] == "student"][1:]
        assert "ouverts" not in again.stdout

    def test_undo_command_the_last_import_is_undone_and_only_once(self, desk: Desk, command: Any) -> None:
        before = desk.state()
        command(*SAMPLES, "--apply", "--open-student-accounts")

        undone, again = command(verb="undo"), command(verb="undo")

        assert (undone.exit_code, again.exit_code, again.stdout) == (0, 1, "")
        assert "annulé" in undone.stdout
        assert again.stderr.count("\n") == 1
        assert desk.state() == before

    def test_undo_command_another_schools_import_is_not_undone(self, desk: Desk, command: Any) -> None:
        command(SAMPLES[0], "--apply")

        for school in ("beta", "gamma"):
            result = command(verb="undo", school=school)
            assert (result.exit_code, result.stdout) == (1, "")
        assert len(desk.students()) == 11

    def test_undo_command_eight_days_later_nothing_is_undone(self, desk: Desk, command: Any) -> None:
        command(SAMPLES[0], "--apply")

        result = command(verb="undo", now=NOW + timedelta(days=8))

        assert (result.exit_code, len(desk.students())) == (1, 11)
        assert "7 jours" in result.stderr

    @pytest.mark.parametrize(
        "text", ["", "<html></html>", "<!DOCTYPE a><BEE_ELEVES/>", "<BEE_RESPONSABLES></BEE_RESPONSABLES>"]
    )
    def test_siecle_command_what_is_no_export_is_refused(self, desk: Desk, command: Any, text: str) -> None:
        result = command(desk.write(text))

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: « 1.xml »")

    def test_siecle_command_takes_what_is_useful_and_says_what_it_left(self, desk: Desk, command: Any) -> None:
        table = desk.write("Nom;Prénom;Classe\nONYX;Zoé;CAP2\n").rename(desk.write("").with_suffix(".csv"))

        result = command(SAMPLES[0], table, "--json")

        assert (result.exit_code, json.loads(result.stdout)["students"]["created"]) == (0, 11)
        assert result.stderr.startswith(f"Fichier laissé de côté. «\u202f{table.name}\u202f»")

    def test_siecle_command_reads_the_tables_of_a_school_without_siecle(self, desk: Desk, command: Any) -> None:
        with desk.open() as session:
            session.get_one(Establishment, desk.world.a.id).uses_siecle = False

        report = json.loads(command(desk.write("Nom;Prénom;Classe\nONYX;Zoé;CAP2\n"), "--apply", "--json").stdout)

        assert (report["applied"], report["students"]["created"]) == (True, 1)

    def test_siecle_command_an_unknown_school_is_refused(self, command: Any) -> None:
        result = command(SAMPLES[0], school="gamma")

        assert result.exit_code == 1
        assert "gamma" in result.stderr

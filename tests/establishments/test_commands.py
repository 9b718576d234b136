"""The command line of schools: create one, correct a UAI; one sentence and a status when it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from cpro.establishments.models import Establishment
from cpro.users.models import Account
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import failing_journal, nothing_written, rows, school_row, set_school, watching


def run(app: Flask, *args: str) -> Result:
    """Run a command as `flask --app app …` does."""
    return app.test_cli_runner().invoke(args=["establishments", *args])


def create(app: Flask, **options: str) -> Result:
    """Create a school, with valid options unless told otherwise."""
    given = {"name": "Lycée des Essais", "code": "essais", "uai": "0570109J", **options}
    return run(app, "create", *(part for name, text in given.items() for part in (f"--{name.replace('_', '-')}", text)))


class TestSetUAI:
    #: code of the school, UAI, what the sentence must say.
    REFUSED = {
        "unknown school": ("gamma", "0570109J", "Aucun établissement ne porte le code"),
        "wrong key": ("alpha", "0940321S", "lettre de contrôle"),
        "malformed": ("alpha", "12", "sept chiffres et d’une lettre"),
        "blank": ("alpha", "  ", "Indiquez le code UAI"),
        "another school's": ("alpha", "0999002X", "déjà celui d’un autre établissement"),
    }

    @pytest.mark.parametrize("case", REFUSED)
    def test_set_uai_refuses_in_one_sentence(self, app: Flask, world: World, case: str) -> None:
        code, uai, sentence = self.REFUSED[case]

        with nothing_written(app):
            result = run(app, "set-uai", code, uai)

        assert result.exit_code == 1
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""

    def test_set_uai_corrects_a_locked_one_and_leaves_a_line(self, app: Flask, world: World) -> None:
        set_school(app, world.a.id, uai_locked_at=NOW)

        with watching(app) as watch:
            result = run(app, "set-uai", "ALPHA", " 057 0109 j")

        assert (result.exit_code, result.stderr) == (0, "")
        assert school_row(app, world.a.id)["uai"] == "0570109J"
        assert watch.changed == {"establishment", "audit_entry"}
        assert watch.line["action"] == "establishment:uai:corrected"
        assert watch.line["establishment_id"] == world.a.id
        assert watch.line["changes"] == {"uai": ["0999001W", "0570109J"]}
        assert (watch.line["actor_kind"], watch.line["origin"]) == ("system", "ligne de commande")

    def test_set_uai_does_not_happen_without_its_journal_line(self, app: Flask, world: World) -> None:
        with nothing_written(app), failing_journal():
            result = run(app, "set-uai", "alpha", "0570109J")

        assert result.exit_code != 0


class TestCreateSchool:
    #: options, what the sentence must say.
    REFUSED = {
        "code of another school": ({"code": "Alpha"}, "déjà celui d’un établissement"),
        "blank code": ({"code": " "}, "Indiquez le code de l’établissement"),
        "reserved code": ({"code": "admin"}, "réservé"),
        "code with an accent": ({"code": "école"}, "lettres sans accent"),
        "code that begins with a digit": ({"code": "0570109J"}, "commence par une lettre"),
        "UAI of another school": ({"uai": "0999001W"}, "déjà celui d’un autre établissement"),
        "UAI with a wrong key": ({"uai": "0570109K"}, "lettre de contrôle"),
        "name too long": ({"name": "x" * 151}, "le maximum est 150"),
        "administrator's e-mail": ({"admin_email": "a@b"}, "il manque un point"),
    }

    @pytest.mark.parametrize("case", REFUSED)
    def test_create_school_refuses_in_one_sentence(self, app: Flask, world: World, case: str) -> None:
        options, sentence = self.REFUSED[case]

        with nothing_written(app):
            result = create(app, **options)

        assert result.exit_code == 1
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""

    def test_create_school_makes_a_school_whose_administrator_activates_with_the_code_printed(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        result = create(app, admin_email="essais@lycee.example")

        assert (result.exit_code, result.stderr) == (0, "")
        code = result.stdout.split()[-1]
        answer = browser().sign_in("0570109j", "administrateur", code)
        assert "Ce code est bon" in Page(answer).text
        school = next(row for row in rows(app, Establishment) if row["code"] == "essais")
        assert (school["name"], school["uai"], school["transfers_enabled"]) == ("Lycée des Essais", "0570109J", False)

    def test_create_school_leaves_lines_in_the_new_school_only(self, app: Flask, world: World) -> None:
        with watching(app) as watch:
            create(app)

        school = next(row for row in rows(app, Establishment) if row["code"] == "essais")
        assert [line["action"] for line in watch.lines] == ["establishment:created", "account:created"]
        assert {line["establishment_id"] for line in watch.lines} == {school["id"]}

    def test_create_school_prints_the_code_and_keeps_only_its_digest(self, app: Flask, world: World) -> None:
        with watching(app) as watch:
            result = create(app)

        code = result.stdout.split()[-1]
        account = next(row for row in rows(app, Account) if row["login"] == "administrateur")
        assert account["password_hash"] is None
        assert code not in str(watch.lines)

    def test_create_school_two_schools_may_have_no_uai(self, app: Flask, world: World) -> None:
        assert create(app, uai="", code="essais-un").exit_code == 0
        assert create(app, uai="", code="essais-deux").exit_code == 0

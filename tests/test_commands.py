"""Every command that scripts rely on exists, and says in French what it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate.cli import db as group

from cpro.core.cli_words import _COMMANDS, _OPTIONS
from tests.helpers.platform import run

#: The stable surface: a command that is renamed or removed turns this red.
COMMANDS = """
audit verify
backup
competences load
db upgrade
demo load
establishments create
establishments list
establishments lock
establishments set-head-email
establishments set-uai
establishments unlock
imports siecle
imports sweep
imports undo
jobs cancel
jobs list
jobs purge
jobs retry
jobs run
keys adopt
keys reseal
keys status
mail test
passport sweep
platform-users create
platform-users disable
platform-users enable
platform-users list
platform-users reset
platform-users reset-second-factor
records expire
restore
transfers forget
transfers run
uploads sweep
users consent
users disable
users enable
users list
users reset
users reset-second-factor
worker
""".strip().splitlines()


#: Words that English help has, and French never.
ENGLISH = re.compile(r"\b(the|of|its|an|and|from|with|this|for|current|default|new|use|set|run|show|print)\b", re.I)


def assert_in_french(told: str, clicks_own: str = r"|Show this message and exit\.|\[[^]]*\]") -> None:
    """Fail on English words, but those of click: they are in French once `app.py` is read, which the runner skips."""
    prose = re.sub(r"«[^»]*»|--?[a-z-]+|^  [a-z-]+ |\b[A-Z]+\b|Usage.*" + clicks_own, "", told, flags=re.M)
    assert len(told.splitlines()) >= 5
    assert ENGLISH.findall(prose) == [], told


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_of_each_command(self, app: Flask, command: str) -> None:
        result = app.test_cli_runner().invoke(args=[*command.split(), "--help"])

        assert result.exit_code == 0, result.output
        assert_in_french(result.output)

    def test_help_of_each_command_of_db(self, app: Flask) -> None:
        told = app.test_cli_runner().invoke(args=["db", "--help"]).output
        names = re.findall(r"^  ([a-z-]+) ", told.partition("Commands:")[2], re.M)

        assert_in_french(told)
        assert set(names) == set(group.commands) == set(_COMMANDS), "cpro/core/cli_words.py says each in French"
        for name in names:
            assert_in_french(app.test_cli_runner().invoke(args=["db", name, "--help"]).output)
            assert {param.name for param in group.commands[name].params} - {"revision", "revisions"} <= set(_OPTIONS)

    @pytest.mark.slow
    @pytest.mark.parametrize("command", [["flask", "--app", "app"], ["cpro"]])
    def test_help_of_the_program_itself(self, tmp_path: Path, command: list[str]) -> None:
        told = run(["-m", *command, "--help"], tmp_path)

        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.count("Commandes\u202f:") == 1
        assert "restore" in told.stdout
        assert_in_french(told.stdout, clicks_own="")

    def test_help_every_group_of_ours_is_listed_above(self, app: Flask) -> None:
        ours = {
            f"{name} {sub}" if hasattr(group, "commands") else name
            for name, group in app.cli.commands.items()
            for sub in getattr(group, "commands", {"": None})
            if name != "db"
        }

        assert ours == set(COMMANDS) - {"db upgrade"}

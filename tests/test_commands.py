"""Every command that scripts rely on exists, and says in French what it does."""

from __future__ import annotations

import pytest
from flask import Flask

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


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_help_of_each_command(self, app: Flask, command: str) -> None:
        result = app.test_cli_runner().invoke(args=[*command.split(), "--help"])

        assert result.exit_code == 0, result.output
        if command != "db upgrade":  # Flask-Migrate's own words
            assert len(result.output.splitlines()) >= 5
            assert [word for word in (" the ", " of ", " its ", "Print ") if word in result.output] == []

    def test_help_every_group_of_ours_is_listed_above(self, app: Flask) -> None:
        ours = {
            f"{name} {sub}" if hasattr(group, "commands") else name
            for name, group in app.cli.commands.items()
            for sub in getattr(group, "commands", {"": None})
            if name not in ("db", "run", "shell", "routes")
        }

        assert ours == set(COMMANDS) - {"db upgrade"}

"""docs/commandes.md: it names every command, and commands end with the statuses that it tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from cpro.config import PROJECT_ROOT
from tests.test_commands import COMMANDS

pytestmark = [pytest.mark.integration, pytest.mark.any_database]

TOLD = re.findall(r"^\| `([a-z -]+)` \| (.*?) \| (.*?) ?\|$", (PROJECT_ROOT / "docs/commandes.md").read_text(), re.M)
#: What an empty platform lets be done, in this order; a command again where that is done too.
DONE = """
audit verify
backup FOLDER/one
competences load
competences load
establishments create --name École --code ecole
establishments list
establishments lock ecole
establishments set-head-email ecole chef@ecole.example
establishments set-uai ecole 0999003Y
establishments unlock ecole
imports sweep
jobs list
jobs list --state failed
jobs purge
jobs run pictures:sweep
keys adopt
keys reseal
keys status
mail test quelqu.un@ecole.example
passport sweep
platform-users create support@cpro.example --role support
platform-users disable support@cpro.example
platform-users enable support@cpro.example
platform-users list
platform-users reset support@cpro.example
records expire
transfers forget
transfers run
uploads sweep
users enable administrateur --establishment ecole
users list --establishment ecole
users reset administrateur --establishment ecole
""".strip().splitlines()
REFUSED = """
backup FOLDER/one
backup FOLDER/absent/one
demo load
establishments create --name École --code ecole
establishments create --name École --code autre --uai 0
establishments lock nulle-part
establishments set-head-email nulle-part chef@ecole.example
establishments set-head-email ecole chef
establishments set-uai nulle-part 0999003Y
establishments set-uai ecole 0
establishments unlock nulle-part
establishments unlock ecole
imports siecle FILE --establishment nulle-part
imports siecle FILE --establishment ecole
imports undo --establishment nulle-part
imports undo --establishment ecole
jobs cancel 999999
jobs retry 999999
jobs run imports:apply
jobs run nothing:known
mail test personne
platform-users create support --role support
platform-users disable personne@cpro.example
platform-users enable personne@cpro.example
platform-users reset personne@cpro.example
platform-users reset-second-factor personne@cpro.example
restore FILE
restore --check FILE
restore FOLDER/absent
users consent personne --establishment ecole
users consent personne --establishment nulle-part
users disable administrateur --establishment ecole
users disable personne --establishment ecole
users enable personne --establishment ecole
users list --establishment nulle-part
users reset personne --establishment ecole
users reset-second-factor administrateur --establishment ecole
users reset-second-factor personne --establishment ecole
""".strip().splitlines()
#: What is done after more than commands.
DONE_ELSEWHERE = {
    "db downgrade": "tests/test_migrations.py",
    "db upgrade": "tests/deploy/test_exploitation.py",
    "demo load": "tests/test_demo.py",
    "imports siecle": "tests/imports/test_commands.py",
    "imports undo": "tests/imports/test_commands.py",
    "jobs cancel": "tests/core/jobs/test_commands.py",
    "jobs retry": "tests/core/jobs/test_commands.py",
    "platform-users reset-second-factor": "tests/users/web/test_second_factor.py",
    "restore": "tests/backup/test_operations.py",
    "users consent": "tests/users/test_rules_head.py",
    "users disable": "tests/users/test_commands.py",
    "users reset-second-factor": "tests/users/web/test_second_factor.py",
    "worker": "tests/core/jobs/test_worker.py",
}
#: Refusals that need more than a command to be met.
ELSEWHERE = {
    "audit verify": "tests/audit/test_chain.py",
    "db downgrade": "tests/test_migrations.py",
    "db upgrade": "tests/core/test_database_revision.py",
    "worker": "tests/core/test_database_roles.py",
}


def words(line: str, folder: Path) -> list[str]:
    """Return the arguments of a line, with a folder and a file of ours."""
    (folder / "file").write_text("rien")
    return [word.replace("FOLDER", str(folder)).replace("FILE", str(folder / "file")) for word in line.split()]


class TestTable:
    def test_table_names_every_command_once(self) -> None:
        assert sorted(name for name, _, _ in TOLD) == sorted({*COMMANDS, "db downgrade"})

    def test_table_each_command_is_done_by_a_test(self) -> None:
        done = {name for name, _, _ in TOLD if any(line.startswith(f"{name} ") or line == name for line in DONE)}

        assert sorted(name for name, _, _ in TOLD if name not in done) == sorted(DONE_ELSEWHERE)
        for name, path in DONE_ELSEWHERE.items():
            assert name.split()[-1] in (PROJECT_ROOT / path).read_text(encoding="utf-8"), name

    def test_table_each_refusal_told_is_tried(self) -> None:
        refusals = {name for name, _, refusal in TOLD if refusal and refusal != "la tâche a échoué"}
        tried = {name for name, _, _ in TOLD if any(line.startswith(f"{name} ") or line == name for line in REFUSED)}

        assert refusals == tried | ELSEWHERE.keys()
        assert [path for path in ELSEWHERE.values() if not (PROJECT_ROOT / path).is_file()] == []


class TestStatuses:
    def test_done_is_0_and_refused_is_1_with_a_sentence(self, app: Flask, tmp_path: Path) -> None:
        runner, found = app.test_cli_runner(), []
        for expected, lines in ((0, DONE), (1, REFUSED)):
            for line in lines:
                told = runner.invoke(args=words(line, tmp_path))
                sentence = told.stderr.strip() if expected else told.stdout.strip()
                if told.exit_code != expected or not sentence or "Traceback" in told.output:
                    found.append((line, told.exit_code, told.output))

        assert "\n".join(map(str, found)) == ""

    @pytest.mark.parametrize("name", [name for name, _, _ in TOLD if not name.startswith("db ")])
    def test_badly_written_is_2_with_the_usage(self, migrated_app: Flask, name: str) -> None:
        told = migrated_app.test_cli_runner().invoke(args=[*name.split(), "--jamais-vu"])

        assert told.exit_code == 2
        assert "--help" in told.stderr

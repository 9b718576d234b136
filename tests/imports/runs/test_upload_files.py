"""The files of imports that are not over: what a deposit that was killed leaves goes by night."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import pytest
from flask import Flask

from cpro.imports.runs.upload_files import get_folder
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.deposits import ONE, analyse, kept_files

THREE_HOURS = 3 * 3600


def age(path: Path) -> None:
    os.utime(path, (time.time() - THREE_HOURS,) * 2)


@pytest.mark.usefixtures("october")
class TestDeleteAbandoned:
    def test_delete_abandoned_takes_what_a_killed_deposit_left_and_nothing_else(
        self, app: Flask, world: World, as_: Callable[..., Browser]
    ) -> None:
        analyse(as_("administrator"), ONE)
        [kept] = kept_files(app)
        imports = Path(app.config["CPRO_UPLOADS"]) / "imports"
        [waiting] = (imports / str(world.a.id)).iterdir()
        with app.app_context():
            killed, under_way = (get_folder(world.a.id, token_hex(16)) for _ in range(2))
        stranger = imports / str(world.a.id) / "notes"
        for path in (killed, under_way, stranger):
            path.mkdir()
        (killed / "depot-001").write_bytes(ONE[1])
        for path in (killed, waiting, stranger):
            age(path)

        told = app.test_cli_runner().invoke(args=["jobs", "run", "imports:sweep"])

        assert told.exit_code == 0, told.output
        assert "1 dossier de fichiers supprimé" in told.stdout
        assert not killed.exists()
        assert under_way.is_dir() and stranger.is_dir()
        assert kept_files(app) == [kept]

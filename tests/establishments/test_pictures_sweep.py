"""The sweep of pictures: what an undo could restore stays, the rest goes, from the command too."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from cpro.core import clock
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.uploads import shown, stored_files, sweep, undo, upload

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
As = Callable[..., Browser]


class TestDeleteUnusedPictures:
    def _history(self, as_: As) -> None:
        """Deposit a logo, replace it ten days later."""
        with time_machine.travel(START, tick=False):
            upload(as_("administrator"), pictures.png(10, 10))
        with time_machine.travel(START + timedelta(days=10), tick=False):
            upload(as_("administrator"), pictures.png(20, 20))

    def _age(self, app: Flask, instant: datetime) -> None:
        for path in stored_files(app):
            os.utime(path, (instant.timestamp(), instant.timestamp()))

    def test_delete_unused_pictures_what_an_undo_could_restore_is_kept_thirty_days(self, app: Flask, as_: As) -> None:
        self._history(as_)
        self._age(app, START)

        assert sweep(app, START + timedelta(days=39)) == []
        with time_machine.travel(START + timedelta(days=39), tick=False):
            browser = as_("administrator")
            undo(browser)
            assert shown(browser) == (10, 10)

    def test_delete_unused_pictures_then_only_what_is_current_is_left(self, app: Flask, as_: As) -> None:
        self._history(as_)
        self._age(app, START)

        swept = sweep(app, START + timedelta(days=41))

        assert len(swept) == 1
        with time_machine.travel(START + timedelta(days=41), tick=False):
            assert shown(as_("administrator")) == (20, 20)

    def test_delete_unused_pictures_what_was_undone_goes_after_thirty_days(self, app: Flask, as_: As) -> None:
        self._history(as_)
        with time_machine.travel(START + timedelta(days=11), tick=False):
            undo(as_("administrator"))
        self._age(app, START)

        assert not sweep(app, START + timedelta(days=40))
        assert len(sweep(app, START + timedelta(days=42))) == 1
        with time_machine.travel(START + timedelta(days=60), tick=False):
            assert shown(as_("administrator")) == (10, 10)

    def test_delete_unused_pictures_a_file_of_another_school_with_the_same_content_is_its_own(
        self, app: Flask, as_: As
    ) -> None:
        for school in ("a", "b"):
            upload(as_("administrator", school), pictures.png())
        undo(as_("administrator", "b"))

        swept = sweep(app, clock.utcnow() + timedelta(days=31))

        assert len(swept) == len(stored_files(app)) == 1
        assert shown(as_("administrator")) == (64, 32)

    def test_sweep_command_says_how_many(self, app: Flask, as_: As) -> None:
        with time_machine.travel(clock.utcnow() - timedelta(days=31), tick=True):
            browser = as_("administrator")
            upload(browser, pictures.png())
            undo(browser)
        self._age(app, clock.utcnow())
        runner = app.test_cli_runner()

        young = runner.invoke(args=["uploads", "sweep"])
        self._age(app, clock.utcnow() - timedelta(hours=2))
        old = runner.invoke(args=["uploads", "sweep"])

        assert (young.exit_code, young.output) == (0, "0 fichier(s) supprimé(s).\n")
        assert (old.exit_code, old.output) == (0, "1 fichier(s) supprimé(s).\n")
        assert stored_files(app) == []

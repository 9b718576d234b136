"""The thirty days during which a picture that was replaced or deleted can be brought back, to the second."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows
from tests.helpers.uploads import LOGO_TAB as URL
from tests.helpers.uploads import shown, stored_files, sweep, undo, upload

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
CHANGE = START + timedelta(days=10)
SECOND = timedelta(seconds=1)
END = CHANGE + timedelta(days=30)
HISTORY = "/admin/parametres/historique"
UNDO = "Annuler"
As = Callable[..., Browser]

each_kind = pytest.mark.parametrize("kind", ["logo", "cachet"])
each_change = pytest.mark.parametrize("deleted", [False, True], ids=["replaced", "deleted"])
each_late_instant = pytest.mark.parametrize("instant", [END, END + SECOND], ids=["at the end", "a second after"])


def change(as_: As, kind: str = "logo", *, deleted: bool = False) -> None:
    """Deposit a picture at START; replace it, or delete it, at CHANGE."""
    with time_machine.travel(START, tick=False):
        upload(as_("administrator"), pictures.png(10, 10), kind)
    with time_machine.travel(CHANGE, tick=False):
        browser = as_("administrator")
        if deleted:
            browser.post(f"{URL}/supprimer/{kind}")
        else:
            upload(browser, pictures.png(20, 20), kind)


def restoring_page(app: Flask) -> str:
    """Return the address that brings the first picture back from the history."""
    first = next(row for row in rows(app, AuditEntry) if row["action"].endswith(":deposited"))
    return f"{HISTORY}/{first['id']}/retablir"


class TestUndoPicture:
    @each_kind
    @each_change
    def test_undo_picture_a_second_before_the_end_brings_the_picture_back(
        self, as_: As, kind: str, deleted: bool
    ) -> None:
        change(as_, kind, deleted=deleted)

        with time_machine.travel(END - SECOND, tick=False):
            browser = as_("administrator")
            offered = Page(browser.get(URL)).text
            answer = undo(browser, kind)
            picture = shown(browser, kind)

        assert UNDO in offered
        assert answer.status_code == 303
        assert picture == (10, 10)

    @each_kind
    @each_change
    @each_late_instant
    def test_undo_picture_from_the_end_on_is_refused(
        self, app: Flask, as_: As, kind: str, deleted: bool, instant: datetime
    ) -> None:
        change(as_, kind, deleted=deleted)

        with time_machine.travel(instant, tick=False):
            browser = as_("administrator")
            offered = Page(browser.get(URL)).text
            with nothing_written(app):
                answer = undo(browser, kind)
            picture = shown(browser, kind)

        assert UNDO not in offered
        assert answer.status_code == 422
        assert "30 jours" in Page(answer).alerts[0]
        assert UNDO not in Page(answer).text
        assert picture == (None if deleted else (20, 20))


class TestRestorePicture:
    """What counts is when the picture was replaced or deleted, not when it was deposited."""

    @each_change
    def test_restore_picture_a_second_before_the_end_brings_the_picture_back(
        self, app: Flask, as_: As, deleted: bool
    ) -> None:
        change(as_, deleted=deleted)
        url = restoring_page(app)

        with time_machine.travel(END - SECOND, tick=False):
            browser = as_("administrator")
            answer = browser.post(url, browser.form(url))
            picture = shown(browser)

        assert answer.status_code == 303
        assert picture == (10, 10)

    @each_change
    @each_late_instant
    def test_restore_picture_from_the_end_on_is_refused(
        self, app: Flask, as_: As, deleted: bool, instant: datetime
    ) -> None:
        change(as_, deleted=deleted)
        url = restoring_page(app)
        with time_machine.travel(END - SECOND, tick=False):
            browser = as_("administrator")
            form = browser.form(url)

        with time_machine.travel(instant, tick=False), nothing_written(app):
            answer = browser.post(url, form, follow_redirects=True)

        assert "n’est plus conservé" in Page(answer).text


class TestDeleteUnusedPictures:
    @each_change
    @pytest.mark.parametrize(("instant", "swept"), [(END - SECOND, 0), (END, 1), (END + SECOND, 1)])
    def test_delete_unused_pictures_takes_the_file_when_the_days_are_over(
        self, app: Flask, as_: As, deleted: bool, instant: datetime, swept: int
    ) -> None:
        change(as_, deleted=deleted)
        for path in stored_files(app):
            os.utime(path, (START.timestamp(), START.timestamp()))

        assert len(sweep(app, instant)) == swept

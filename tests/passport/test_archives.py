"""Archives of passports: the sweep deletes those that are not kept any more, and no other file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from cpro.core import tenancy
from cpro.core.jobs.files import KEPT
from cpro.passport.archives import ARCHIVES
from tests.factories import NOW
from tests.helpers.browser import Browser
from tests.helpers.uploads import stored_files, sweep
from tests.passport.conftest import Class_

As = Callable[..., Browser]
PAGE = "/passeports"


def ask(browser: Browser, class_: Class_) -> str:
    """Ask for the passports of a division; return where that leads."""
    browser.get(PAGE)
    answer = browser.post(f"{PAGE}/divisions/{class_.division_id}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


class TestDeleteExpiredArchives:
    def test_delete_expired_archives_deletes_what_is_not_kept_any_more_alone(
        self, app: Flask, as_: As, class_a: Class_
    ) -> None:
        ask(as_("head"), class_a)
        class_a.work()

        for path in stored_files(app):
            os.utime(path, (NOW.timestamp(), NOW.timestamp()))

        def swept_at(later: timedelta) -> list[str]:
            with app.app_context(), tenancy.platform_session("test") as session:
                return ARCHIVES.delete_expired(session, now=NOW + later)

        assert swept_at(KEPT - timedelta(minutes=1)) == []
        assert len(stored_files(app)) == 1
        assert len(swept_at(KEPT + timedelta(minutes=1))) == 1
        assert stored_files(app) == []

    def test_delete_expired_archives_the_sweeping_of_pictures_leaves_it(
        self, app: Flask, as_: As, class_a: Class_
    ) -> None:
        ask(as_("head"), class_a)
        class_a.work()

        assert sweep(app, NOW + timedelta(days=400)) == []

        assert len(stored_files(app)) == 1

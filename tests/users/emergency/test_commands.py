"""`establishments lock` and `unlock`: whatever is closed, and whoever is locked out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from cpro.users.emergency.models import RoleLock
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, rows

As = Callable[..., Browser]
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, world: World) -> Run:
    """Return `flask --app app establishments …`."""
    return lambda *words: app.test_cli_runner().invoke(args=("establishments", *words))


class TestLock:
    def test_lock_closes_the_whole_school_and_says_so(self, app: Flask, run: Run, as_: As) -> None:
        head, pupil = as_("head"), as_("student")

        said = run("lock", "alpha")

        assert said.exit_code == 0, said.output
        assert "2 sessions terminées, 0 code annulé." in said.stdout
        assert head.get("/admin/").status_code == pupil.get("/mon-compte").status_code == 303
        assert len(rows(app, RoleLock)) == 5

    def test_lock_closes_one_role(self, app: Flask, run: Run) -> None:
        assert "accès fermé (enseignants)" in run("lock", "alpha", "--role", "teacher").stdout

        assert [row["locked_by"] for row in rows(app, RoleLock)] == ["Administration du serveur"]

    @pytest.mark.parametrize(
        "words", [("lock", "nulle-part"), ("unlock", "alpha"), ("lock", "alpha", "--role", "support")]
    )
    def test_lock_refuses_in_a_sentence(self, app: Flask, run: Run, words: tuple[str, ...]) -> None:
        with nothing_written(app):
            said = run(*words)

        assert said.exit_code != 0
        assert "Traceback" not in said.output


class TestUnlock:
    def test_unlock_reopens_where_no_head_can(self, app: Flask, run: Run, as_: As) -> None:
        run("lock", "alpha")

        assert "accès rouvert (enseignants)" in run("unlock", "alpha", "--role", "teacher").stdout
        assert run("unlock", "alpha").exit_code == 0

        assert {row["reopened_by"] for row in rows(app, RoleLock)} == {"Administration du serveur"}

"""A passport is issued under the rules of the instant it is written down, not of the instant it was rendered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpro.core import tenancy
from cpro.core.errors import DomainError
from cpro.core.permissions import Actor
from cpro.core.transactions import unit_of_work
from cpro.establishments.gate import GateClosed
from cpro.passport import jobs
from cpro.passport.errors import ModuleOff
from cpro.passport.operations import issue_division, issue_passport, record_own_data_export
from cpro.passport.pdf import Passport
from cpro.passport.web.views import passports
from cpro.students.models import Division, Student
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.records import nothing_written, set_school
from tests.passport.conftest import Class_

As = Callable[..., Browser]
#: What closes passports, and the refusal that says so.
CLOSED = pytest.mark.parametrize(
    ("values", "refusal"),
    [({"email": ""}, GateClosed), ({"uai": None}, GateClosed), ({"passport_enabled": False}, ModuleOff)],
    ids=["no address", "no UAI", "module off"],
)


def render(student_id: int) -> Passport:
    """Return a passport as it is once rendered."""
    return Passport(student_id, "AGATE Noé", "0123456789ABCDEF", b"%PDF-", 2, 4, "0" * 64)


def issue(app: Flask, class_: Class_, how: str) -> None:
    """Write down a passport of a school's pupil, by one of the three operations that do."""
    school = class_.world.school(class_.school_name)
    by = Actor("account", school.account_ids["head"], "Claude BASALTE", "head")
    with app.app_context():
        tenancy.enter(tenancy.Scope(school.id))
        with unit_of_work() as work:
            passport, student = render(class_.pupil_id), work.session.get_one(Student, class_.pupil_id)
            if how == "one":
                issue_passport(passport, by=by, now=NOW)
            elif how == "division":
                issue_division([passport], work.session.get_one(Division, class_.division_id), by=by, now=NOW)
            else:
                record_own_data_export(student, passport, by=by, now=NOW)


class TestIssuePassport:
    @CLOSED
    @pytest.mark.parametrize("how", ["one", "division", "own data"])
    def test_issue_passport_is_refused_once_closed_and_goes_on_in_the_other_school(
        self,
        app: Flask,
        world: World,
        class_a: Class_,
        class_b: Class_,
        how: str,
        values: dict[str, Any],
        refusal: type[DomainError],
    ) -> None:
        set_school(app, world.a.id, **values)

        with nothing_written(app), pytest.raises(refusal):
            issue(app, class_a, how)

        issue(app, class_b, how)
        assert [each.establishment_id for each in class_b.issues()] == [world.b.id]


@pytest.fixture
def close_once_rendered(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that closes a school's passports once another has rendered them, before they are issued."""

    def close(module: Any, name: str, school_id: int, **values: Any) -> None:
        render = getattr(module, name)

        def render_then_close(*args: Any, **kwargs: Any) -> Any:
            result = render(*args, **kwargs)
            set_school(app, school_id, **values)
            return result

        monkeypatch.setattr(module, name, render_then_close)

    return close


class TestIssueClosedMeanwhile:
    @CLOSED
    def test_issue_passport_stops_when_closed_meanwhile(
        self,
        as_: As,
        world: World,
        class_a: Class_,
        close_once_rendered: Callable[..., None],
        values: dict[str, Any],
        refusal: type[DomainError],
    ) -> None:
        browser = as_("head")
        close_once_rendered(passports, "render_passport", world.a.id, **values)

        answer = browser.get(f"/passeport/{class_a.pupil_id}.pdf")

        assert (answer.status_code, answer.mimetype) == (refusal.status, "text/html")
        assert class_a.issues() == []

    def test_issue_division_stops_when_closed_meanwhile_and_the_job_says_why(
        self, as_: As, world: World, class_a: Class_, close_once_rendered: Callable[..., None]
    ) -> None:
        browser = as_("head")
        browser.get("/passeports")
        progress = browser.post(f"/passeports/divisions/{class_a.division_id}").headers["Location"]
        close_once_rendered(jobs, "write_archive", world.a.id, email="")

        class_a.work()

        assert "L’adresse électronique" in browser.get(progress).text
        assert class_a.issues() == []

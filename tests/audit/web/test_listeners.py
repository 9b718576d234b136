"""What the journal tells by itself: refused rights, failed sign-ins that open a block."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.exc import OperationalError

from cpro.audit.models import AuditEntry
from cpro.audit.web import page_views
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.records import rows

As = Callable[..., Browser]
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def refusals(app: Flask) -> list[dict[str, Any]]:
    return [row for row in rows(app, AuditEntry) if row["action"] == "access:refused"]


class TestRecordRefusal:
    def test_record_refusal_record_who_and_where_but_nothing_typed(self, app: Flask, as_: As, world: World) -> None:
        answer = as_("teacher").post("/admin/parametres/etablissement?nom=Secret1", {"name": "Secret2"})

        assert answer.status_code == 403
        (line,) = refusals(app)
        assert (line["establishment_id"], line["actor_label"], line["actor_role"]) == (
            world.a.id,
            "Inès QUARTZ",
            "teacher",
        )
        assert (line["object_type"], line["object_label"]) == ("page", "Paramètres")
        assert line["changes"] == {"method": [None, "POST"], "address": [None, "/admin/parametres/etablissement"]}
        assert "Secret" not in repr(line)

    def test_record_refusal_are_recorded_for_the_support_though_it_may_not_write(
        self, app: Flask, as_: As, world: World
    ) -> None:
        browser = as_("support", enter="a")

        assert browser.post("/admin/parametres/etablissement", {"city": "Metz"}).status_code == 403
        assert browser.get("/admin/parametres/logo/image/cachet").status_code == 403

        assert [(line["actor_kind"], line["establishment_id"]) for line in refusals(app)] == [
            ("platform", world.a.id),
            ("platform", world.a.id),
        ]

    def test_record_refusal_of_a_person_in_no_school_go_to_the_platforms_journal(self, app: Flask, as_: As) -> None:
        browser = as_("inspector")
        browser.post("/ecoles/1/entrer")

        assert all(line["establishment_id"] is None for line in refusals(app))

    def test_record_refusal_in_a_loop_are_recorded_once_a_minute_for_each_person_and_route(
        self, app: Flask, as_: As
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            teacher, student = as_("teacher"), as_("student")
            for browser in (teacher, student, teacher, student):
                browser.get("/admin/parametres/etablissement")
                clock.shift(timedelta(seconds=10))
            teacher.get("/admin/parametres/transferts")
            recorded_at_once = len(refusals(app))
            clock.shift(timedelta(seconds=61))
            teacher.get("/admin/parametres/etablissement")

        assert recorded_at_once == 3
        assert len(refusals(app)) == 4

    def test_record_refusal_say_nothing_of_the_signed_out_or_of_what_does_not_exist(
        self, app: Flask, as_: As, browser: Callable[[], Browser]
    ) -> None:
        browser().get("/admin/parametres/etablissement")
        as_("administrator").get("/admin/nulle-part")

        assert refusals(app) == []

    def test_record_refusal_stay_refused_when_the_journal_cannot_be_written(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        teacher = as_("teacher")

        def fail(*args: object, **kwargs: object) -> None:
            raise OperationalError("INSERT", {}, Exception("disk full"))

        monkeypatch.setattr(page_views, "record", fail)

        assert teacher.get("/admin/parametres/etablissement").status_code == 403
        assert refusals(app) == []


def blocks(app: Flask) -> list[tuple[int | None, str, Any]]:
    return [
        (row["establishment_id"], row["object_label"], row["changes"]["failures"][1])
        for row in rows(app, AuditEntry)
        if row["action"] == "account:sign-in-refused"
    ]


#: Longer than what is waited before the longest block, shorter than what forgets a failure.
_PATIENCE = timedelta(seconds=90)


class TestFailedSignIns:
    def _fail(self, browser: Browser, login: str, times: int, *, since: datetime = START) -> None:
        with time_machine.travel(since, tick=False) as clock:
            for _ in range(times):
                browser.sign_in("alpha", login, "mauvais mot de passe")
                clock.shift(_PATIENCE)

    def test_failed_sign_ins_are_recorded_when_a_block_begins_not_each_time(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        self._fail(browser(), "claude.basalte", 4)
        before = blocks(app)
        self._fail(browser(), "claude.basalte", 1, since=START + 4 * _PATIENCE)

        assert before == []
        assert blocks(app) == [(world.a.id, "Claude BASALTE", 5)]

    def test_failed_sign_ins_are_recorded_again_at_the_longest_block(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        self._fail(browser(), "claude.basalte", 12)

        assert [failures for _school, _label, failures in blocks(app)] == [5, 10]

    def test_failed_sign_ins_of_an_account_that_does_not_exist_are_not(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        self._fail(browser(), "personne", 6)

        assert blocks(app) == []

    def test_failed_sign_ins_name_no_account_and_nothing_typed(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        self._fail(browser(), "claude.basalte", 5)

        line = next(row for row in rows(app, AuditEntry) if row["action"] == "account:sign-in-refused")
        assert (line["actor_kind"], line["actor_label"]) == ("anonymous", "Personne non connectée")
        assert "mauvais" not in repr(line)

    def test_failed_sign_ins_with_a_wrong_code_count_too(
        self, app: Flask, world: World, browser: Callable[[], Browser]
    ) -> None:
        page = browser()
        self._fail(page, "claude.basalte", 4)
        with time_machine.travel(START + 4 * _PATIENCE, tick=False):
            page.get("/activation")
            page.post(
                "/activation",
                {
                    "establishment": "alpha",
                    "login": "claude.basalte",
                    "code": "AAAA-AAAA-AAAA",
                    "password": world.password,
                    "password_confirm": world.password,
                },
            )

        assert blocks(app) == [(world.a.id, "Claude BASALTE", 5)]

"""Audit lines of pages that only read: consultations and searches of the support, exports by anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.audit.operations import About, record
from cpro.core import events
from cpro.core.permissions import Principal, Role
from cpro.core.transactions import platform_unit_of_work
from tests.factories import TESTER, World
from tests.helpers.browser import Browser
from tests.helpers.records import rows

As = Callable[..., Browser]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INE = "0990010000A"


def person(world: World, role: Role) -> Principal:
    kind = "platform" if role.is_platform else "account"
    return Principal(1, kind, "Sacha Silex", "sacha", role, world.a.id, 1)


def lines(app: Flask, action: str) -> list[dict[str, Any]]:
    return [row for row in rows(app, AuditEntry) if row["action"] == action]


def search(app: Flask, who: Principal, sought: str, now: datetime = NOW) -> None:
    with app.app_context():
        events.search_made.send(None, principal=who, screen="Élèves", sought=sought, origin="192.0.2.1", now=now)


class TestRecordPageView:
    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.HEAD])
    def test_record_page_view_consultations_by_the_school_are_not_recorded(
        self, app: Flask, world: World, role: Role
    ) -> None:
        self._open(app, person(world, role))

        assert lines(app, "record:opened") == []

    @pytest.mark.parametrize("role", [Role.SUPPORT, Role.INSPECTOR])
    def test_record_page_view_each_record_a_person_of_the_platform_opens_is_recorded_in_the_school(
        self, app: Flask, world: World, role: Role
    ) -> None:
        for _ in range(2):
            self._open(app, person(world, role))

        found = lines(app, "record:opened")
        assert [(line["establishment_id"], line["object_type"], line["object_id"]) for line in found] == [
            (world.a.id, "student", "7")
        ] * 2
        assert found[0]["origin"] == "192.0.2.1"

    def test_record_page_view_an_ine_is_masked(self, app: Flask, world: World) -> None:
        self._open(app, person(world, Role.SUPPORT))

        assert lines(app, "record:opened")[0]["object_label"] == "AGATE Noé (••••••••00A)"

    def _open(self, app: Flask, who: Principal) -> None:
        with app.app_context():
            events.record_opened.send(
                None,
                principal=who,
                object_type="student",
                object_id="7",
                object_label=f"AGATE Noé ({INE})",
                origin="192.0.2.1",
                now=NOW,
            )


class TestRecordSearch:
    def test_record_search_the_schools_own_are_not_recorded(self, app: Flask, world: World) -> None:
        search(app, person(world, Role.ADMINISTRATOR), "agate")

        assert lines(app, "list:searched") == []

    def test_record_search_the_supports_are_with_an_ine_masked(self, app: Flask, world: World) -> None:
        search(app, person(world, Role.SUPPORT), f"« {INE} »")

        (line,) = lines(app, "list:searched")
        assert (line["establishment_id"], line["object_label"]) == (world.a.id, "Élèves")
        assert line["changes"] == {"sought": [None, "« ••••••••00A »"]}

    def test_record_search_the_same_one_is_recorded_once_in_ten_minutes(self, app: Flask, world: World) -> None:
        support = person(world, Role.SUPPORT)

        for sought, minutes in (("agate", 0), ("opale", 1), ("agate", 2), ("agate", 9), ("agate", 11)):
            search(app, support, sought, NOW + timedelta(minutes=minutes))

        found = [line["changes"]["sought"][1] for line in lines(app, "list:searched")]
        assert found == ["agate", "opale", "agate"]


class TestRecordExport:
    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SUPPORT])
    def test_record_export_are_recorded_for_each_role(self, app: Flask, world: World, role: Role) -> None:
        with app.test_request_context():
            events.exported.send(
                None,
                principal=person(world, role),
                screen="Élèves",
                sought=INE,
                file_format="csv",
                origin="192.0.2.1",
                now=NOW,
            )

        (line,) = lines(app, "list:exported")
        assert line["changes"] == {"file_format": [None, "CSV"], "sought": [None, "••••••••00A"]}

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_record_export_of_what_is_sent_alone(self, app: Flask, as_: As, method: str) -> None:
        answer = as_("administrator").client.open("/admin/eleves/export/csv/", method=method)

        assert (answer.status_code, len(lines(app, "list:exported"))) == (200, int(method == "GET"))


class TestRecordSettingsPages:
    PAGES = ("etablissement", "transferts", "masques", "logo")

    def test_record_page_view_of_settings_opened_by_the_school_are_not_recorded(self, app: Flask, as_: As) -> None:
        head = as_("head")
        for page in self.PAGES:
            head.get(f"/admin/parametres/{page}")

        assert lines(app, "record:opened") == []

    def test_record_page_view_of_settings_opened_by_the_support_are_each_recorded_once_in_ten_minutes(
        self, app: Flask, as_: As, world: World
    ) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            support = as_("support", enter="b")
            for _ in range(2):
                for page in self.PAGES:
                    assert support.get(f"/admin/parametres/{page}").status_code == 200
                clock.shift(timedelta(minutes=5))
            at_once = lines(app, "record:opened")
            clock.shift(timedelta(minutes=1))
            support.get("/admin/parametres/logo")

        assert [line["object_label"] for line in at_once] == ["Établissement", "Transferts", "Masque de saisie", "Logo"]
        assert {line["establishment_id"] for line in at_once} == {world.b.id}
        assert len(lines(app, "record:opened")) == 5


class TestRecordSection:
    @pytest.fixture
    def page(self, app: Flask, world: World) -> str:
        """Return the page of a student whose INE the journal tells."""
        with app.app_context(), platform_unit_of_work("test") as work:
            record(
                "student:changed",
                About("student", world.a.student_id, "Zoé Secret-alpha"),
                by=TESTER,
                now=NOW,
                changes={"ine": (None, INE)},
                establishment_id=world.a.id,
                session=work.session,
            )
        return f"/admin/eleves/details/?id={world.a.student_id}"

    def test_record_section_the_support_reads_it_with_the_ine_masked(self, as_: As, page: str) -> None:
        text = as_("support", enter="a").get(page).text

        assert "a modifié un élève" in text
        assert INE not in text
        assert "••••••••00A" in text

    def test_record_section_the_school_reads_it_whole_and_sees_who_looked(self, as_: As, page: str) -> None:
        as_("support", enter="a").get(page)

        text = as_("head").get(page).text

        assert INE in text
        assert "Personne support (Support)</strong> a consulté" in text

    def test_record_section_another_school_reads_nothing(self, as_: As, page: str) -> None:
        assert as_("head", "b").get(page).status_code == 404

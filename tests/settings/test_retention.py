"""The tab Conservation: who sets it, what the head is shown before, what is confirmed first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from cpro.records.models import Bilan
from cpro.settings.views import retention
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, walk
from tests.helpers.records import nothing_written, school_row, watching
from tests.helpers.retention import backdate, give, leave, owners
from tests.helpers.statements import count_statements
from tests.records.conftest import MARKER, Class

As = Callable[..., Browser]
TAB = "/admin/parametres/conservation"
#: three years and a day before NOW, and three years
TOO_LONG, JUST = date(2023, 10, 4), date(2023, 10, 5)


class TestSaveRetention:
    @pytest.fixture(autouse=True)
    def october(self) -> Any:
        with time_machine.travel(NOW, tick=True):
            yield

    @pytest.mark.parametrize(
        ("role", "status"),
        [("administrator", 200), ("head", 200), ("teacher", 403), ("student", 403), ("support", 403)],
    )
    def test_retention_tab_who_opens_it(self, as_: As, role: str, status: int) -> None:
        assert as_(role, enter="a" if role == "support" else None).get(TAB).status_code == status

    def test_retention_tab_the_administrator_sees_figures_alone_and_sets_nothing(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, TOO_LONG)
        browser = as_("administrator")

        page = Page(browser.get(TAB))
        assert "seront supprimées la nuit prochaine1" in page.text.replace(" 1", "1")
        assert "DÉPART" not in page.text and MARKER not in page.text
        with nothing_written(app):
            assert browser.post(TAB, {"retention_years": "1"}).status_code == 403

    def test_retention_tab_the_head_sees_who_and_when(self, app: Flask, as_: As, classroom: Class) -> None:
        give(app, classroom.gone)
        give(app, classroom.mate)
        leave(app, classroom.gone, TOO_LONG)
        leave(app, classroom.mate, date(2026, 9, 1))

        page = Page(as_("head").get(TAB))

        assert page.rows() == [
            ["DÉPART Zoé", "2ALP", "04/10/2023", "3", "prochaine nuit"],
            ["BÉRYL Zoé", "2ALP", "01/09/2026", "3", "02/09/2029"],
        ]
        assert MARKER not in page.text

    def test_retention_tab_pages_go_on_from_the_last_departure_those_without_a_day_at_the_end(
        self, app: Flask, as_: As, classroom: Class, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        days = {classroom.gone: date(2026, 9, 1), classroom.mate: date(2026, 9, 1), classroom.stranger: None}
        for student_id, day in days.items():
            give(app, student_id)
            leave(app, student_id, day)
        whole = Page(as_("head").get(TAB)).rows()
        monkeypatch.setattr(retention, "_PER_PAGE", 1)

        rows = walk(as_("head"), TAB)

        assert [row[0].split()[0] for row in rows] == ["BÉRYL", "DÉPART", rows[-1][0].split()[0]]
        assert rows == whole

    def test_retention_tab_the_head_sees_those_whose_departure_has_no_date(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        for student_id in (classroom.gone, classroom.mate, classroom.stranger):
            give(app, student_id)
            leave(app, student_id, None)
        leave(app, classroom.gone, date(2026, 9, 1))
        came = datetime(2020, 9, 1, tzinfo=UTC)
        backdate(app, classroom.mate, created=came, written={Bilan: datetime(2024, 1, 8, tzinfo=UTC)})
        backdate(app, classroom.stranger, created=came, written={})

        page = Page(as_("head").get(TAB))

        assert page.rows() == [
            ["DÉPART Zoé", "2ALP", "01/09/2026", "3", "02/09/2029"],
            ["BÉRYL Zoé", "2ALP", "jour inconnu", "3", "01/09/2027"],
            ["CORAIL Zoé", "1AUTRE", "jour inconnu", "3", "prochaine nuit"],
        ]
        assert "3 anciens apprenants" in page.text

    @pytest.mark.parametrize("years", ["", "0", "4", "-1", "deux", "9" * 30])
    def test_save_retention_no_other_than_one_two_or_three_years(
        self, app: Flask, as_: As, classroom: Class, years: str
    ) -> None:
        browser = as_("head")

        with nothing_written(app):
            answer = browser.post(TAB, {"retention_years": years})

        assert answer.status_code == 422
        assert "Choisissez 1, 2 ou 3 ans" in Page(answer).error("retention_years")

    def test_save_retention_a_shorter_period_that_deletes_is_confirmed_first(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        give(app, classroom.gone)
        leave(app, classroom.gone, date(2025, 1, 1))
        browser = as_("head")

        with nothing_written(app):
            page = Page(browser.post(TAB, browser.form(TAB) | {"retention_years": "1"}))
        assert "La nuit prochaine, 1 fiche, 1 évaluation, 1 bilan de 1 ancien apprenant seront supprimés" in page.text

        assert f"{TAB}?abandonner=1" in page.links  # « Ne rien changer » shows the years as stored
        with watching(app) as watch:
            answer = browser.post(TAB, page.values())
        assert answer.status_code == 303
        assert school_row(app, world.a.id)["retention_years"] == 1
        assert watch.line["changes"] == {"retention_years": [3, 1]}
        assert classroom.gone in owners(app)["fiche"], "nothing goes before the night"

    def test_save_retention_a_period_that_deletes_nothing_is_saved_at_once(
        self, app: Flask, as_: As, classroom: Class, world: World
    ) -> None:
        browser = as_("head")

        assert browser.post(TAB, browser.form(TAB) | {"retention_years": "2"}).status_code == 303
        assert school_row(app, world.a.id)["retention_years"] == 2
        assert school_row(app, world.b.id)["retention_years"] == 3

    def test_save_retention_two_heads_at_once(self, app: Flask, as_: As, classroom: Class, world: World) -> None:
        browser = as_("head")
        opened = browser.form(TAB)
        browser.post(TAB, opened | {"retention_years": "2"})

        answer = browser.post(TAB, opened | {"retention_years": "1"})

        assert answer.status_code == 409
        assert school_row(app, world.a.id)["retention_years"] == 2

    def test_retention_tab_the_history_says_it_and_restores_nothing(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:
        browser = as_("head")
        browser.post(TAB, browser.form(TAB) | {"retention_years": "2"})

        page = Page(browser.get("/admin/parametres/historique?de=conservation"))

        assert "Conservation après le départ" in page.text
        assert "3 ans" in page.text and "2 ans" in page.text
        assert "Rétablir" not in page.text

    def test_retention_tab_it_asks_as_many_queries_for_many_departures(
        self, app: Flask, as_: As, classroom: Class
    ) -> None:

        give(app, classroom.gone)
        browser = as_("head")
        few = count_statements(app, lambda: browser.get(TAB))
        for student_id in (classroom.mate, classroom.stranger):
            give(app, student_id)
            leave(app, student_id, date(2026, 9, 1))

        assert count_statements(app, lambda: browser.get(TAB)) == few

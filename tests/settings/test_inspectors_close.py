"""Close at once, extend within the school year; the lists of the tab and the generated screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from tests.factories import NOW, World
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.inspectors.conftest import TAB, Desk, day

Arrange = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def running(open_to_inspector: Opener) -> int:
    return open_to_inspector(starts_on=day("2026-11-01"), ends_on=day("2026-12-31"))


class TestCloseMandate:
    @pytest.mark.parametrize("action", ["fermer", "prolonger", "consultations"])
    def test_close_mandate_another_schools_mandate_does_not_exist(self, desk: Desk, running: int, action: str) -> None:
        browser = desk.browser("head", "b")

        with nothing_written(desk.app):
            assert browser.get(f"{TAB}/{running}/{action}").status_code == 404
            if action != "consultations":
                answer = browser.post(f"{TAB}/{running}/{action}", {"reason": "x", "ends_on": "2027-01-01"})
                assert answer.status_code == 404

    @pytest.mark.parametrize("role", ["administrator", "teacher", "student"])
    def test_close_mandate_other_roles_of_the_school_may_not(self, desk: Desk, running: int, role: str) -> None:
        browser = desk.browser(role)

        with nothing_written(desk.app):
            assert browser.post(f"{TAB}/{running}/fermer", {"reason": "x"}).status_code == 403
            assert browser.post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-01-01"}).status_code == 403

    def test_close_mandate_asks_once_and_wants_a_reason(self, desk: Desk, running: int) -> None:
        browser = desk.browser("head")

        with nothing_written(desk.app):
            page = browser.get(f"{TAB}/{running}/fermer")
            refused = browser.post(f"{TAB}/{running}/fermer", {"reason": "  "})

        assert "Dominique Schiste" in page.text
        assert refused.status_code == 422

    def test_close_mandate_acts_at_the_next_request_and_is_recorded(
        self, desk: Desk, world: World, running: int
    ) -> None:
        inspector = desk.browser("inspector", enter="a")
        assert inspector.get("/admin/eleves/").status_code == 200

        answer = desk.browser("head").post(f"{TAB}/{running}/fermer", {"reason": "Visite annulée"})

        assert answer.status_code == 303
        assert inspector.get("/admin/eleves/").location == "/ecoles"
        (line,) = desk.lines("mandate:closed")
        assert line["changes"] == {"reason": [None, "Visite annulée"]}
        text = desk.text()
        assert "a fermé votre accès" in text
        assert "annulée" not in text

    def test_close_mandate_twice_is_refused_with_a_sentence(self, desk: Desk, running: int) -> None:
        browser = desk.browser("head")
        browser.post(f"{TAB}/{running}/fermer", {"reason": "Visite annulée"})

        again = browser.post(f"{TAB}/{running}/fermer", {"reason": "Encore"})

        assert again.status_code == 422
        assert "déjà fermé" in again.text
        assert desk.mandates()[0]["closing_reason"] == "Visite annulée"

    def test_close_mandate_a_mandate_to_come_is_closed_before_it_opened_anything(
        self, desk: Desk, world: World, open_to_inspector: Opener
    ) -> None:
        to_come = open_to_inspector(starts_on=day("2026-12-01"), ends_on=day("2026-12-31"))

        desk.browser("head").post(f"{TAB}/{to_come}/fermer", {"reason": "Report"})

        with time_machine.travel(datetime(2026, 12, 2, 9, 0, tzinfo=UTC), tick=False):
            assert desk.browser("inspector").post(f"/ecoles/{world.a.id}/entrer").status_code == 404

    def test_close_mandate_while_the_module_is_off_one_may_still_close(
        self, desk: Desk, arrange: Arrange, running: int
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, desk.world.a.id).inspectors_enabled = False

        assert desk.browser("head").post(f"{TAB}/{running}/fermer", {"reason": "Fin"}).status_code == 303


class TestExtendMandate:
    def test_extend_mandate_to_a_later_day_of_the_school_year(self, desk: Desk, running: int) -> None:
        answer = desk.browser("head").post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-08-31"})

        assert answer.status_code == 303
        assert desk.mandates()[0]["ends_on"] == day("2027-08-31")
        assert desk.lines("mandate:extended")[0]["changes"] == {"ends_on": ["2026-12-31", "2027-08-31"]}
        assert "Le chef d’établissement du lycée alpha prolonge votre accès" in desk.text()
        assert "du 01/11/2026 au 31/08/2027" in desk.text()

    @pytest.mark.parametrize("typed", ["2026-12-31", "2026-11-30", "2027-09-01", "demain", ""])
    def test_extend_mandate_nowhere_else(self, desk: Desk, running: int, typed: str) -> None:
        browser = desk.browser("head")

        with nothing_written(desk.app):
            assert browser.post(f"{TAB}/{running}/prolonger", {"ends_on": typed}).status_code == 422

    def test_extend_mandate_not_over_another_mandate_of_the_same_person(
        self, desk: Desk, running: int, open_to_inspector: Opener
    ) -> None:
        open_to_inspector(starts_on=day("2027-02-01"), ends_on=day("2027-02-28"))
        browser = desk.browser("head")

        assert browser.post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-02-01"}).status_code == 422
        assert browser.post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-01-31"}).status_code == 303

    @pytest.mark.parametrize(
        "values",
        [{"ends_on": day("2026-11-20")}, {"closed_at": NOW, "closing_reason": "Fin"}],
        ids=["ended", "closed"],
    )
    def test_extend_mandate_not_one_that_is_over(
        self, desk: Desk, open_to_inspector: Opener, values: dict[str, object]
    ) -> None:
        over = open_to_inspector(**{"starts_on": day("2026-11-01"), "ends_on": day("2026-12-31"), **values})

        assert desk.browser("head").post(f"{TAB}/{over}/prolonger", {"ends_on": "2027-01-31"}).status_code == 422

    def test_extend_mandate_sends_at_most_five_messages_an_hour_and_it_may_still_be_closed(
        self, desk: Desk, running: int
    ) -> None:
        head = desk.browser("head")
        for number in range(1, 6):
            assert head.post(f"{TAB}/{running}/prolonger", {"ends_on": f"2027-01-{number:02}"}).status_code == 303

        with nothing_written(desk.app):
            answer = head.post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-01-06"})

        assert answer.status_code == 429
        assert "5 messages sont partis" in Page(answer).text
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        assert 'value="2027-01-06"' in answer.text
        assert head.post(f"{TAB}/{running}/fermer", {"reason": "Fin"}).status_code == 303

    def test_extend_mandate_not_while_the_module_is_off(self, desk: Desk, arrange: Arrange, running: int) -> None:
        with arrange() as session:
            session.get_one(Establishment, desk.world.a.id).inspectors_enabled = False

        answer = desk.browser("head").post(f"{TAB}/{running}/prolonger", {"ends_on": "2027-01-31"})

        assert answer.status_code == 409
        assert "Modules" in answer.text


class TestListMandates:
    def test_list_mandates_each_mandate_is_in_the_list_of_its_state(
        self, desk: Desk, open_to_inspector: Opener
    ) -> None:
        for name, values in {
            "Futur": {"starts_on": day("2026-11-24"), "ends_on": day("2026-12-01")},
            "Présent": {"starts_on": day("2026-11-23"), "ends_on": day("2026-11-23")},
            "Passé": {"starts_on": day("2026-11-01"), "ends_on": day("2026-11-22")},
            "Fermé": {"closed_at": NOW, "closing_reason": "Fin"},
        }.items():
            open_to_inspector(inspector_name=f"Personne {name}", **values)

        page = desk.browser("head").get(TAB).text
        parts = {
            heading: page[page.index(f'id="acces-{key}"') :].partition("</section>")[0]
            for heading, key in (
                ("Futur", "a-venir"),
                ("Présent", "en-cours"),
                ("Passé", "termines"),
                ("Fermé", "fermes"),
            )
        }

        for heading, part in parts.items():
            assert [name for name in parts if f"Personne {name}" in part] == [heading]
            assert ("/fermer" in part) is (heading in ("Futur", "Présent"))

    def test_mandates_screen_filters_by_state_and_the_support_reads_it(
        self, desk: Desk, running: int, open_to_inspector: Opener
    ) -> None:
        open_to_inspector(inspector_name="Personne passée", ends_on=day("2026-10-31"))
        support = desk.browser("support", enter="a")

        page = support.get("/admin/mandats/?etat=en-cours").text

        assert "Dominique Schiste" in page
        assert "Personne passée" not in page
        assert "consultations" not in support.get(f"/admin/mandats/details/?id={running}").text
        assert "consultations" in desk.browser("head").get(f"/admin/mandats/details/?id={running}").text

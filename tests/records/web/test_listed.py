"""From a pupil to the next in the list one came from, on whichever tab."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask

from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.statements import statements_sent
from tests.records.conftest import Class

As = Callable[..., Browser]
TABS = ["", "/fiches", "/evaluations", "/bilans"]


def below(student_id: int, listed: str, tab: str = "", asked: str = "") -> str:
    """Return the address of a page of a pupil, below the list of a query."""
    return f"/eleves/{student_id}{tab}?{asked}liste={quote(listed, safe='')}"


class TestListBeside:
    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize("role", ["teacher", "head"])
    def test_list_beside_leads_to_the_same_tab_of_the_next(
        self, as_: As, classroom: Class, role: str, tab: str
    ) -> None:
        listed = "situation=tous"
        page = Page(as_(role).get(below(classroom.own, listed, tab)))

        assert page.neighbour("next") == below(classroom.mate, listed, tab)
        assert page.links.count(f"/eleves?{listed}#ligne-{classroom.own}") == 2  # breadcrumbs, « Revenir à la liste »
        following = Page(as_(role).get(page.neighbour("next")))
        assert following.neighbour("prev") == below(classroom.own, listed, tab)

    def test_list_beside_keeps_two_tabs_of_a_browser_apart(self, as_: As, classroom: Class) -> None:
        browser, here, there = as_("head"), "situation=tous", "situation=partis"
        lists = [
            [each for each in Page(browser.get(f"/eleves?{query}")).links if "liste=" in each]
            for query in (here, there)
        ]
        assert below(classroom.own, here) in lists[0]
        assert lists[1] == [below(classroom.gone, there)]

        assert Page(browser.get(below(classroom.gone, there, "/fiches"))).neighbour("prev") == ""
        page = Page(browser.get(below(classroom.mate, here, "/fiches")))

        assert page.neighbour("prev") == below(classroom.own, here, "/fiches")
        assert page.trail[0][1] == f"/eleves?{here}#ligne-{classroom.mate}"

    def test_list_beside_holds_no_pupil_of_another_teacher_nor_of_another_school(
        self, as_: As, classroom: Class
    ) -> None:
        browser, walked = as_("teacher"), []
        address = below(classroom.own, "situation=tous", "/evaluations")
        while address:
            page = Page(browser.get(address))
            walked.append(int(address.split("/")[2]))
            address = page.neighbour("next")

        assert walked[:2] == [classroom.own, classroom.mate]
        assert not {classroom.stranger, classroom.elsewhere} & set(walked)

    def test_list_beside_is_asked_by_nobody_who_may_not_read_the_pupil(self, as_: As, classroom: Class) -> None:
        for role, student_id, status in (
            ("teacher", classroom.stranger, 403),
            ("head", classroom.elsewhere, 404),
            ("administrator", classroom.own, 403),
        ):
            answer = as_(role).get(below(student_id, "situation=tous", "/fiches"))

            assert answer.status_code == status
            assert Page(answer).neighbour("next") == ""

    def test_list_beside_of_a_fiche_leads_to_the_fiches_of_the_next(self, as_: As, classroom: Class) -> None:
        browser, listed, fiche = as_("teacher"), "situation=tous", f"/fiches/{classroom.fiche}"
        page = Page(browser.get(below(classroom.own, listed, fiche)))

        assert page.neighbour("next") == below(classroom.mate, listed, "/fiches")

    def test_list_beside_is_not_on_a_form_which_keeps_the_list(self, as_: As, classroom: Class) -> None:
        browser, listed = as_("teacher"), "situation=tous"
        address = below(classroom.own, listed, "/evaluations/nouvelle")

        page = Page(browser.get(address))
        assert page.neighbour("next") == ""  # one does not leave a form by mistake
        assert page.trail[0][1] == f"/eleves?{listed}#ligne-{classroom.own}"
        level = {"competence": str(classroom.competences[0]), "level": "3", "evaluated_on": "2026-09-10"}
        saved = browser.post(address, {**page.values(), **level})
        assert saved.location == below(classroom.own, listed, "/evaluations")

    def test_list_beside_stays_through_the_filters_of_a_tab(self, as_: As, classroom: Class) -> None:
        listed = "situation=tous"
        page = Page(as_("teacher").get(below(classroom.own, listed, "/fiches", "etat=validated&")))

        search = next(each for each in page.main.iter("form") if each.get("role") == "search")
        sent = {each.get("name"): each.get("value") for each in search.iter("input")}
        assert sent == {"liste": listed}
        assert below(classroom.own, listed, "/fiches") in page.links  # without the filter

    def test_list_beside_is_not_for_the_pupil(self, as_: As, classroom: Class) -> None:
        browser = as_("student")
        for tab in TABS:
            page = Page(browser.get(below(classroom.own, "situation=tous", tab)))

            assert (page.neighbour("next"), page.neighbour("prev")) == ("", "")
            assert not [each for each in page.links if each.partition("?")[0] == "/eleves"]

    @pytest.mark.parametrize(("role", "tables"), [("head", []), ("teacher", ["division", "teacher_division"])])
    def test_list_beside_costs_few_statements(
        self, app: Flask, as_: As, classroom: Class, role: str, tables: list[str]
    ) -> None:
        browser, address = as_(role), below(classroom.own, "situation=tous", "/bilans")
        browser.get(address)

        with statements_sent(app) as sent:
            browser.get(address)

        about = [
            found[1] for each in sent if (found := re.match(r"SELECT \(?(student|division|teacher_division)\.", each))
        ]
        # the pupil, the ids of the page of the list, the two pupils beside; what a teacher teaches
        assert sorted(about) == sorted(["student", "student", "student", *tables])
